/**
 * Sources: addresses in the rules file that have more about a member than the ID Token and UserInfo, asked with the member's
 * access token. The token goes to the address in the file and nowhere else: no redirect is followed, and no further page of
 * an answer. What a source does not say is unknown, so its failure never fails a sign-in.
 */
import type { Answer, Upstream } from "../oauth/upstream.ts";
import { parseJson, send } from "../oauth/upstream.ts";
import type { ClaimSource } from "../rules/rule_set.ts";
import { describeError } from "../telemetry/log.ts";

/** Less than a sign-in has for all its calls, so that it goes on without a source that does not answer. */
const DEADLINE_MS = 3_000;

/** Why a source that answered says nothing. */
type Refusal = { readonly refusal: string };

/** Asks all sources at the same time. Returns the answers by name; a source without one is left out. Never rejects. */
export async function fetchSources(
  upstream: Upstream,
  sources: readonly ClaimSource[],
  accessToken: string,
): Promise<Readonly<Record<string, unknown>>> {
  const hurried = { ...upstream, deadlineMs: Math.min(upstream.deadlineMs, DEADLINE_MS) };
  const answers = await Promise.all(
    sources.map(async (source): Promise<[string, unknown][]> => {
      const content = await fetchSource(hurried, source, accessToken);
      return content === undefined ? [] : [[source.name, content]];
    }),
  );
  return Object.fromEntries(answers.flat());
}

async function fetchSource(
  upstream: Upstream,
  { name, url }: ClaimSource,
  accessToken: string,
): Promise<unknown> {
  const operation = `source_${name}`;
  const headers = { authorization: `Bearer ${accessToken}`, accept: "application/json" };
  try {
    const read = readAnswer(await send(upstream, operation, url, { headers }));
    if ("content" in read) return read.content;
    upstream.log.warn("source_not_read", {
      requestId: upstream.requestId,
      reason: `${operation}: ${read.refusal}`,
    });
  } catch (error) {
    // Carrying on is right: what the source would say is unknown, and unknown changes nothing.
    upstream.log.warn("source_not_read", { requestId: upstream.requestId, ...describeError(error) });
  }
  return undefined;
}

/** The content of an answer that is whole. */
function readAnswer(answer: Answer): { readonly content: unknown } | Refusal {
  if (answer.status !== 200) return { refusal: `answered ${answer.status}` };
  const content = parseJson(answer.text);
  if (content === undefined || content === null) return { refusal: "the answer is not JSON" };
  if (isPart(answer, content)) return { refusal: "the answer is only a part: ask for less in its url" };
  return { content };
}

/** Whether more pages follow. OData JSON Format 4.01, 4.6.5; RFC 8288 3 */
function isPart({ headers }: Answer, content: unknown): boolean {
  const isOfOdata =
    typeof content === "object" && content !== null && Object.hasOwn(content, "@odata.nextLink");
  return (
    isOfOdata || /;\s*rel\s*=\s*(?:"(?:[^"]*\s)?next(?:\s[^"]*)?"|next\b)/i.test(headers.get("link") ?? "")
  );
}

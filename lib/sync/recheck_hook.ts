/**
 * The recheck hook: somebody who knows HOOK_SECRET names members whose claims have changed, or whose membership has ended.
 * What is asked for is stored before the answer, some members in a statement. docs/doorbells.md, docs/decisions/0046
 */
import * as v from "valibot";
import type { WorkDeps } from "../deps.ts";
import type { EventOutcome } from "../telemetry/events.ts";
import { decodeText } from "../text/decode.ts";
import { secondsAfter } from "../time.ts";
import { receiveEvent } from "./doorbell.ts";
import type { SignedRequest } from "./hook_signature.ts";
import { verifyHook } from "./hook_signature.ts";

type Needs = Pick<WorkDeps, "config" | "queries" | "now" | "log" | "alarm" | "eventCounts" | "requestId">;

/** What the hook answers. `rechecked` members are linked, `unknown` subjects are not. */
export type HookAnswer =
  | {
      readonly status: 200;
      readonly outcome: EventOutcome;
      readonly rechecked: number;
      readonly unknown: number;
    }
  | { readonly status: 400 | 401; readonly reason: string };

/** Senders repeat a request that was not answered for some hours, under the same id. */
const REMEMBERED_SECONDS = 3 * 86_400;
const MAX_SUBJECTS = 1_000;
/** How many subjects one statement takes. It holds up an embedded database, and this process with it, for as long as it takes. */
const PAGE_SUBJECTS = 50;

/** As in an ID Token. OpenID Connect Core 2 */
const subject = v.pipe(
  v.string("a subject must be a text"),
  v.regex(/^[\x20-\x7e]{1,255}$/, "a subject must have 1 to 255 ASCII characters"),
);
const asked = v.strictObject(
  {
    subjects: v.pipe(
      v.array(subject, "subjects must be a list"),
      v.minLength(1, "subjects must not be empty"),
      v.maxLength(MAX_SUBJECTS, `subjects must have at most ${MAX_SUBJECTS} items`),
    ),
    gone: v.optional(v.boolean("gone must be true or false")),
  },
  "the body must be an object with subjects, and gone or nothing else",
);
type Asked = v.InferOutput<typeof asked>;

/** Does what a request asks for, once. Throws database_unavailable; then nothing is done, and the sender repeats it. */
export async function receiveRecheck(deps: Needs, request: SignedRequest): Promise<HookAnswer> {
  const verdict = verifyHook(deps.config.hookSecrets, request, deps.now());
  if ("fault" in verdict) return refuse(deps, 401, verdict.fault);
  const read = readBody(request.body);
  if ("fault" in read) return refuse(deps, 400, read.fault);
  const { outcome, discordUserIds, newSubjects } = await store(deps, verdict.id, read);
  receiveEvent(deps, "hook", outcome, discordUserIds);
  const rechecked = discordUserIds.length;
  return { status: 200, outcome, rechecked, unknown: newSubjects - rechecked };
}

function refuse(deps: Needs, status: 400 | 401, reason: string): HookAnswer {
  receiveEvent(deps, "hook", "refused", undefined, reason);
  return { status, reason };
}

const body = v.pipe(
  v.string("the body must be UTF-8"),
  v.parseJson(undefined, "the body must be JSON"),
  asked,
);

function readBody(bytes: Uint8Array): Asked | { readonly fault: string } {
  const parsed = v.safeParse(body, decodeText(bytes));
  return parsed.success ? parsed.output : { fault: parsed.issues[0].message };
}

/**
 * Stores what a request asks for, page by page. Each page is remembered under a name of its own. So if this process dies in
 * between, the repeat of the request does what is left.
 */
async function store(deps: Needs, eventId: string, { subjects, gone }: Asked) {
  const now = deps.now();
  const different = [...new Set(subjects)].map((one) => ({ subject: one }));
  const rows: Rows[number][] = [];
  let newSubjects = 0;
  for (let at = 0; at < different.length; at += PAGE_SUBJECTS) {
    const page = different.slice(at, at + PAGE_SUBJECTS);
    const stored = await deps.queries.receiveRecheck({
      eventId: at === 0 ? eventId : `${eventId}#${at}`,
      expiresAt: secondsAfter(now, REMEMBERED_SECONDS),
      issuer: deps.config.oidc.issuer,
      subjects: page,
      membership: gone === undefined ? null : gone ? "gone" : "back",
      requestId: deps.requestId,
      now,
    });
    rows.push(...stored);
    if (!stored.some(({ isRepeated }) => isRepeated)) newSubjects += page.length;
  }
  return {
    outcome: outcomeOf(rows, gone),
    discordUserIds: rows.flatMap(({ discordUserId }) => discordUserId ?? []),
    newSubjects,
  };
}

type Rows = Awaited<ReturnType<Needs["queries"]["receiveRecheck"]>>;

/** What a request came to: the most that it did to anybody. */
function outcomeOf(rows: Rows, gone: boolean | undefined): EventOutcome {
  if (rows.every(({ isRepeated }) => isRepeated)) return "repeated";
  if (rows.every(({ discordUserId }) => discordUserId === null)) return "ignored";
  if (rows.every(({ isChanged }) => !isChanged)) return "rechecked";
  return gone === true ? "ended" : "restored";
}

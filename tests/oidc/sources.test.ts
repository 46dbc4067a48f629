/** Sources of further claims: what Janus sends them, and that no answer of theirs can fail a sign-in or reach the log. */
import { describe, expect, test } from "bun:test";
import { providerClientRejected, providerUnavailable } from "../../lib/errors.ts";
import type { Fetch } from "../../lib/oauth/upstream.ts";
import { fetchSources } from "../../lib/oidc/sources.ts";
import { createLog } from "../../lib/telemetry/log.ts";

const TOKEN = "canary-access-token";
const SECRET = "canary-of-the-answer";
const GRAPH = { name: "graph", url: "https://graph.example.org/v1.0/me/memberOf?$select=id" };
const now = () => new Date("2026-11-28T12:00:00Z");

async function ask(fetch: Fetch, sources = [GRAPH], deadlineMs = 1_000) {
  const lines: string[] = [];
  const sent: { readonly url: string; readonly init: RequestInit }[] = [];
  const upstream = {
    name: "provider" as const,
    fetch: (url: string, init: RequestInit) => {
      sent.push({ url, init });
      return fetch(url, init);
    },
    log: createLog("debug", (line) => void lines.push(line), now),
    deadlineMs,
    userAgent: "Janus/test",
    unavailable: providerUnavailable,
    clientRejected: providerClientRejected,
  };
  const answers = await fetchSources(upstream, sources, TOKEN);
  const refused = lines.map((line) => JSON.parse(line)).filter(({ event }) => event === "source_not_read");
  return { answers, sent, lines, refused };
}

const json = (body: unknown, headers: Readonly<Record<string, string>> = {}): Response =>
  Response.json(body, { headers });

describe("fetchSources()", () => {
  test("asks each source once, with the member's token, and follows no redirect", async () => {
    const other = { name: "other", url: "https://other.example.org/me" };

    const { answers, sent, refused } = await ask(
      async (url) => json({ value: [{ id: url.length }] }),
      [GRAPH, other],
    );

    expect(answers).toEqual({
      graph: { value: [{ id: GRAPH.url.length }] },
      other: { value: [{ id: other.url.length }] },
    });
    expect(sent.map(({ url }) => url)).toEqual([GRAPH.url, other.url]);
    for (const { init } of sent) {
      expect(new Headers(init.headers).get("authorization")).toBe(`Bearer ${TOKEN}`);
      expect(new Headers(init.headers).get("accept")).toBe("application/json");
      expect(init.redirect).toBe("manual");
    }
    expect(refused).toEqual([]);
  });

  test.each<readonly [kind: string, fetch: Fetch]>([
    [
      "a redirect",
      async () => new Response(SECRET, { status: 302, headers: { location: `https://x/${SECRET}` } }),
    ],
    ["a megabyte", async () => json(SECRET.repeat(50_000))],
    ["a megabyte in parts", async () => new Response(new Blob([SECRET.repeat(50_000)]).stream())],
    ["HTML", async () => new Response(`<html>${SECRET}`, { headers: { "content-type": "text/html" } })],
    ["null", async () => json(null)],
    ["nothing", async () => new Response(null, { status: 204 })],
    ["401", async () => new Response(JSON.stringify({ error: SECRET }), { status: 401 })],
    ["500", async () => new Response(JSON.stringify({ error: SECRET }), { status: 500 })],
    ["a part, as OData says it", async () => json({ value: [SECRET], "@odata.nextLink": "https://x" })],
    ["a part, as a Link says it", async () => json([SECRET], { link: '<https://x>; rel="next"' })],
    [
      "a part among others",
      async () => json([SECRET], { link: '<https://x>; rel=prev, <https://y>; REL="last next"' }),
    ],
    ["compressed", async () => new Response(SECRET, { headers: { "content-encoding": "gzip" } })],
    ["no connection", () => Promise.reject(Object.assign(new Error(SECRET), { code: "ECONNREFUSED" }))],
    [
      "silence",
      (_, { signal }) =>
        new Promise((_resolve, reject) => signal?.addEventListener("abort", () => reject(signal.reason))),
    ],
  ])("takes %s for no answer, and says so once", async (_, fetch) => {
    const { answers, sent, lines, refused } = await ask(fetch, [GRAPH], 20);

    expect(answers).toEqual({});
    expect(sent).toHaveLength(1);
    expect(refused).toHaveLength(1);
    expect(refused[0]?.reason).toStartWith("source_graph: ");
    expect(lines.join("")).not.toMatch(/canary/);
  });

  test("takes a whole answer that has links to other things", async () => {
    const { answers } = await ask(async () => json(["a"], { link: '<https://x>; rel="prev"; title="next"' }));

    expect(answers).toEqual({ graph: ["a"] });
  });
});

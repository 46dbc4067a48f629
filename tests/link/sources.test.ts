/** Sources of the rules in the link flow: what asking them costs, and that a hostile one never fails a sign-in. */
import { describe, expect, test } from "bun:test";
import { writeRules } from "../fixtures/rules_file.ts";
import { useDatabase, useFolder, useForAll, useJanus } from "../harness/hooks.ts";
import { createBrowser, startJanusWithForger } from "../harness/janus.ts";
import { linkOf } from "../harness/rows.ts";
import { linesOf } from "../harness/seen.ts";
import { newUser, reachForgerCallback } from "../harness/walk.ts";

const folder = useFolder("sources");
const database = useDatabase();
/** The server of both sources. It says what a test has chosen, and remembers who asked for what. */
const server = useForAll(
  async () => {
    const asked: { readonly path: string; readonly authorization: string | null }[] = [];
    let answer = (): Response => Response.json([]);
    const listening = Bun.serve({
      hostname: "127.0.0.1",
      port: 0,
      fetch: ({ url, headers }) => {
        asked.push({ path: new URL(url).pathname, authorization: headers.get("authorization") });
        return answer();
      },
    });
    const choose = (chosen: () => Response): void => {
      answer = chosen;
    };
    return { origin: listening.url.origin, asked, choose, stop: () => listening.stop(true) };
  },
  ({ stop }) => stop(),
);
const janus = useJanus(async () =>
  startJanusWithForger({
    database,
    environment: await writeRules(
      folder,
      `
[[source]]
name = "graph"
url = "${server.origin}/read"
[[source]]
name = "unread"
url = "${server.origin}/unread"
[[record]]
key = "staff"
type = "boolean_equal"
name = "Staff"
description = "Works here"
value = 'sources.graph.value.exists(group, group.id == "staff")'
`,
    ),
  }),
);

async function signIn(user: string): Promise<number> {
  janus.provider.signInAs({ sub: `subject-of-${user}`, preferred_username: "anna" });
  const browser = createBrowser(janus.url);
  return (await browser.get(await reachForgerCallback(browser, user))).status;
}
const staffOf = (user: string) => janus.discord.roleConnection(user)?.metadata.staff;

describe("finishProviderLeg()", () => {
  test("asks a source once for each sign-in, and only if a rule reads it", async () => {
    const user = newUser();
    server.choose(() => Response.json({ value: [{ id: "staff" }] }));
    const before = server.asked.length;

    expect(await signIn(user)).toBe(200);

    const asked = server.asked.slice(before);
    expect(asked.map(({ path }) => path)).toEqual(["/read"]);
    expect(janus.provider.isLive(asked[0]?.authorization?.replace("Bearer ", "") ?? "")).toBe(true);
    expect(staffOf(user)).toBe("1");
    expect(await linkOf(janus, user)).toMatchObject({ pushedMetadata: { staff: "1" } });
  });

  test.each<readonly [kind: string, answer: () => Response]>([
    ["401", () => new Response("canary-body", { status: 401 })],
    ["HTML", () => new Response("<html>canary-body")],
    ["a redirect", () => Response.redirect(`${server.origin}/elsewhere`)],
    ["only a part", () => Response.json({ value: [], "@odata.nextLink": `${server.origin}/elsewhere` })],
    ["what no database can store", () => Response.json({ value: [{ id: "canary-body\u0000" }] })],
  ])("goes on if a source answers %s, and keeps what Discord has", async (_, answer) => {
    const user = newUser();
    server.choose(() => Response.json({ value: [{ id: "staff" }] }));
    await signIn(user);
    server.choose(answer);
    const [asked, told] = [server.asked.length, linesOf(janus, "source_not_read").length];

    expect(await signIn(user)).toBe(200);

    expect(server.asked.slice(asked).map(({ path }) => path)).toEqual(["/read"]);
    expect(staffOf(user)).toBe("1");
    expect(linesOf(janus, "source_not_read").slice(told)).toHaveLength(1);
    expect(janus.logLines.join("")).not.toContain("canary-body");
  });
});

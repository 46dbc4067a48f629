/** The start page knows a member who is signed in, and keeps nobody out. */
import { describe, expect, test } from "bun:test";
import { databaseUnavailable } from "../../lib/errors.ts";
import { TEXTS } from "../../lib/pages/texts/languages.ts";
import { createSessionSecrets } from "../../lib/session/secrets.ts";
import { useJanus } from "../harness/hooks.ts";
import { startJanusWithForger } from "../harness/janus.ts";
import { cookieOf, signIn } from "../harness/sign_in.ts";
import { countStatements } from "../harness/statements.ts";
import { newUser } from "../harness/walk.ts";

const { en } = TEXTS;
const janus = useJanus(() => startJanusWithForger());

describe("GET /", () => {
  const isWelcome = async (response: Response) => (await response.text()).includes(en.welcome.title);

  test("sends one statement for a member, and none for anybody else", async () => {
    const member = (await signIn(janus, newUser())).jar.header(new URL(janus.url));
    const asked: (readonly [number, number, boolean])[] = [];
    for (const [cookie, method] of [
      [member, "GET"],
      [cookieOf(createSessionSecrets()), "GET"],
      ["", "GET"],
      ["theme=dark; sessionId=of-another-app", "GET"],
      [member, "HEAD"],
    ] as const) {
      const { ask, statements } = countStatements(janus);
      const response = await ask("/", cookie, { method });
      expect(response.headers.getSetCookie()).toEqual([]);
      expect(response.headers.get("cache-control")).toContain("no-store");
      asked.push([response.status, statements.length, await isWelcome(response)]);
    }

    expect(asked).toEqual([
      [200, 1, true],
      [200, 1, false],
      [200, 0, false],
      [200, 0, false],
      [200, 0, false],
    ]);
  });

  test("shows the ordinary page while the database is down", async () => {
    const cookie = (await signIn(janus, newUser())).jar.header(new URL(janus.url));
    const findSession = () => Promise.reject(databaseUnavailable("the test says so"));
    const { ask } = countStatements({
      url: janus.url,
      shared: { ...janus.shared, queries: { ...janus.shared.queries, findSession } },
    });

    const response = await ask("/", cookie);

    expect([response.status, await isWelcome(response)]).toEqual([200, false]);
    expect(janus.logLines.join("")).toContain('"event":"member_not_fetched"');
  });
});

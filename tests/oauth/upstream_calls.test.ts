/** Whose call to Discord or the provider a line of the log is of, however many members are at it at once. */
import { describe, expect, test } from "bun:test";
import { setImmediate } from "node:timers/promises";
import { runUpkeep } from "../../lib/server/upkeep.ts";
import { useJanus } from "../harness/hooks.ts";
import type { Browser } from "../harness/janus.ts";
import { createBrowser, startJanusWithForger } from "../harness/janus.ts";
import { callApi, reachLoginCallback, signIn } from "../harness/sign_in.ts";
import { linkMember, newUser, reachDiscordCallback, reachForgerCallback } from "../harness/walk.ts";
import type { Gate } from "../standins/faults.ts";

type Line = Readonly<Record<string, unknown>>;

const janus = useJanus(() => startJanusWithForger({ forger: { freshSubjects: true } }));

let lastId = 0;
const newId = (): string => `request-of-a-test-${++lastId}`;
const callLines = (): Line[] =>
  janus.logLines.map((line) => JSON.parse(line) as Line).filter(({ event }) => event === "upstream_call");
const show = ({ upstream, operation, status }: Line) => `${upstream} ${operation} ${status}`;
/** The calls of a request, by what each says of itself. */
const callsOf = (id: string): string[] => {
  const lines = callLines().filter(({ requestId }) => requestId === id);
  return lines.map(show).sort();
};
const ask = (browser: Browser, id: string, path: string, method = "GET") =>
  callApi(janus, path, { browser, method, headers: { "x-request-id": id } });

const link = (user: string): Promise<Browser> => linkMember(janus, user);

/** The same callback with a code that nobody gave out. */
const withWrongCode = (callback: string): string => {
  const url = new URL(callback);
  url.searchParams.set("code", "nobody-gave-it-out");
  return url.href;
};

/** A request that is ready to be made, of a member whom the other side says yes or no to. */
type Ready = (id: string) => Promise<Response>;
type Reach = (browser: Browser, user: string) => Promise<string>;
const callbackOf = (reach: Reach) => async (isTaken: boolean) => {
  const browser = createBrowser(janus.url);
  const callback = await reach(browser, newUser());
  return (id: string) => ask(browser, id, isTaken ? callback : withWrongCode(callback));
};
const requestOf =
  (begin: (user: string) => Promise<Browser>, path: string, method: string) => async (isTaken: boolean) => {
    const user = newUser();
    const browser = await begin(user);
    if (!isTaken) janus.discord.endGrant(user);
    return (id: string) => ask(browser, id, path, method);
  };

const KINDS: readonly {
  readonly name: string;
  readonly prepare: (isTaken: boolean) => Promise<Ready>;
  readonly hold: () => Gate;
  readonly taken: readonly string[];
  readonly refused: readonly string[];
}[] = [
  {
    name: "link at Discord",
    prepare: callbackOf(reachDiscordCallback),
    hold: () => janus.discord.gate("token_code"),
    taken: ["discord get_current_authorization 200", "discord token_code 200"],
    refused: ["discord token_code 400"],
  },
  {
    name: "link at the provider",
    prepare: callbackOf(reachForgerCallback),
    hold: () => janus.provider.gate("token"),
    taken: ["discord put_role_connection 200", "provider token_code 200"],
    refused: ["provider token_code 400"],
  },
  {
    name: "log in",
    prepare: callbackOf(reachLoginCallback),
    hold: () => janus.discord.gate("token_code"),
    taken: ["discord get_current_authorization 200", "discord token_code 200"],
    refused: ["discord token_code 400"],
  },
  {
    name: "ask who they are",
    prepare: requestOf((user) => signIn(janus, user), "/api/userinfo", "GET"),
    hold: () => janus.discord.gate("get_current_authorization"),
    taken: ["discord get_current_authorization 200"],
    refused: ["discord get_current_authorization 401", "discord token_refresh 400"],
  },
  {
    name: "sync",
    prepare: requestOf(link, "/api/link/sync", "POST"),
    hold: () => janus.discord.gate("put_role_connection"),
    taken: ["discord put_role_connection 200", "provider token_refresh 200"],
    refused: ["discord put_role_connection 401", "provider token_refresh 200"],
  },
  {
    name: "unlink",
    prepare: requestOf(link, "/api/link", "DELETE"),
    hold: () => janus.discord.gate("delete_role_connection"),
    taken: ["discord delete_role_connection 204", "discord revoke 200", "provider revoke 200"],
    refused: ["discord delete_role_connection 401", "discord token_refresh 400", "provider revoke 200"],
  },
];

describe("the log lines of calls", () => {
  test.each(KINDS)("have their request's id when two $name", async (kind) => {
    // The first flow of all also fetches discovery and keys.
    await link(newUser());
    const [refused, taken] = [await kind.prepare(false), await kind.prepare(true)];
    const [refusedId, takenId] = [newId(), newId()];
    const [first, second] = [kind.hold(), kind.hold()];
    const before = callLines().length;

    const answers = [refused(refusedId), taken(takenId)];
    await Promise.all([first.arrived, second.arrived]);
    second.release();
    first.release();
    await Promise.all(answers);

    expect({ taken: callsOf(takenId), refused: callsOf(refusedId) }).toEqual({
      taken: [...kind.taken],
      refused: [...kind.refused],
    });
    expect(callLines().length - before).toBe(kind.taken.length + kind.refused.length);
  });

  test("of a move have its id, also those that end a grant", async () => {
    const own = await startJanusWithForger();
    const reach = async (user: string) => {
      const browser = createBrowser(own.url);
      return { browser, page: await browser.get(await reachForgerCallback(browser, user)) };
    };
    await reach(newUser());
    const { browser, page } = await reach(newUser());
    const [, state = ""] = /name="state" value="([^"]+)"/.exec(await page.text()) ?? [];
    const before = own.logLines.length;

    const response = await browser.postOnce("/link/move", { state });

    const calls = own.logLines.slice(before).map((line) => JSON.parse(line) as Line);
    const id = response.headers.get("x-request-id");
    expect(
      calls.filter(({ event }) => event === "upstream_call").map((line) => [show(line), line.requestId]),
    ).toEqual([
      ["discord put_role_connection 200", id],
      ["discord delete_role_connection 204", id],
      ["discord revoke 200", id],
    ]);
    await own.stop();
  });

  test("of a shared refresh have the id of its first request", async () => {
    const user = newUser();
    const browser = await signIn(janus, user);
    await janus.database.rows(
      `update session set token_expires_at = now() - interval '1 second' where discord_user_id = '${user}'`,
    );
    const [firstId, secondId] = [newId(), newId()];
    const refresh = janus.discord.gate("token_refresh");

    const first = ask(browser, firstId, "/api/userinfo");
    await refresh.arrived;
    const second = ask(browser, secondId, "/api/userinfo");
    refresh.release();
    const answers = await Promise.all([first, second]);

    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    expect(callsOf(firstId)).toEqual(["discord get_current_authorization 200", "discord token_refresh 200"]);
    expect(callsOf(secondId)).toEqual(["discord get_current_authorization 200"]);
  });
});

describe("the log lines of discovery and keys", () => {
  test("have the id of a request that waits", async () => {
    const own = await startJanusWithForger();
    const linesOf = (wanted: string) =>
      own.logLines.map((line) => JSON.parse(line) as Line).filter(({ operation }) => operation === wanted);
    const browser = createBrowser(own.url);
    const callback = await reachDiscordCallback(browser, newUser());

    const departure = await browser.get(callback);
    const there = await fetch(departure.headers.get("location") ?? "", { redirect: "manual" });
    await browser.get(there.headers.get("location") ?? "");
    own.clock.advance(3_601);
    const renewal = own.provider.gate("discovery");
    await browser.get(await reachDiscordCallback(browser, newUser()));
    await renewal.arrived;
    renewal.release();
    while (linesOf("discovery").length < 2) await setImmediate();

    const [first, second] = linesOf("discovery");
    expect(first?.requestId).toBe(departure.headers.get("x-request-id"));
    expect(second).not.toContainKey("requestId");
    // jose fetches for all, and does not know for whom.
    expect(linesOf("jwks").map(({ requestId }) => requestId)).toEqual([undefined]);
    await own.stop();
  });
});

test("the log lines of upkeep's calls have no request id", async () => {
  const user = newUser();
  const browser = createBrowser(janus.url);
  const callback = await reachForgerCallback(browser, user);
  janus.discord.failNext("put_role_connection", { status: 500, body: "" }, 3);
  await browser.get(callback);
  const leaving = await link(newUser());
  janus.discord.failNext("delete_role_connection", { status: 500, body: "" }, 3);
  janus.provider.failNext("revoke", { status: 500, body: "" });
  await ask(leaving, newId(), "/api/link", "DELETE");
  janus.clock.advance(150);
  const before = callLines().length;

  await runUpkeep(janus.deps);

  const lines = callLines().slice(before);
  expect(lines.map(show)).toEqual(
    expect.arrayContaining([
      "discord delete_role_connection 204",
      "discord put_role_connection 200",
      "discord revoke 200",
      "provider revoke 200",
    ]),
  );
  expect(lines.filter((line) => "requestId" in line)).toEqual([]);
});

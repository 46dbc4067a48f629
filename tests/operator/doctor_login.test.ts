/** The sign-in of `janus doctor --login`: what the operator sees, that nothing stays behind, and who is kept out. */
import { afterEach, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { issueToken } from "../../lib/operator/doctor/token.ts";
import { useDatabase, useFolder, useJanus } from "../harness/hooks.ts";
import { createBrowser, lastCode, locationOf, startJanusWithForger } from "../harness/janus.ts";
import { linesOf } from "../harness/seen.ts";

const folder = useFolder("doctor-login");
const database = useDatabase();
const rulesPath = join(folder, "rules.toml");
await Bun.write(
  rulesPath,
  `platform_username = 'claims.preferred_username'
[admit]
when = 'claims.email_verified'
message.en = "No."
[[record]]
key = "member"
type = "boolean_equal"
name = "Member"
description = "Is a member"
value = '"dsek.members" in claims.groups'
[[record]]
key = "points"
type = "integer_equal"
name = "Points"
description = "Has points"
value = 'claims.points'
[[record]]
key = "early"
type = "datetime_less_than_or_equal"
name = "Early"
description = "Has a Discord account since"
value = 'discord.created_at'
`,
);
const janus = useJanus(() => startJanusWithForger({ database, environment: { RULES_FILE: rulesPath } }));

afterEach(() => janus.provider.reset());

const ticketAt = (now = janus.clock.now()) => issueToken(janus.config, "login", now).text;
const beginAt = (ticket: string) => `/doctor?ticket=${ticket}`;

/** Signs in at the forger; the callback, not yet visited. */
async function reachCallback(browser = createBrowser(janus.url), ticket = ticketAt()) {
  const departure = await browser.get(beginAt(ticket));
  const answered = await fetch(locationOf(departure), { redirect: "manual" });
  return { browser, departure: locationOf(departure), callback: locationOf(answered) };
}

const IDENTITY = {
  sub: "operator",
  preferred_username: "olle<b>",
  groups: ["dsek.members", "dsek.board"],
  email_verified: true,
};

async function examined() {
  janus.provider.signInAs(IDENTITY);
  const { browser, callback } = await reachCallback();
  const response = await browser.get(callback);
  return { browser, callback, response, page: await response.text() };
}

describe("janus doctor --login", () => {
  test("shows claims, rules and the grant, and keeps no cache of them", async () => {
    const { response, page } = await examined();

    expect(response.status).toBe(200);
    expect(response.headers.get("cache-control")).toContain("no-store");
    expect(response.headers.get("content-language")).toBe("en");
    const text = page
      .replace(/<style>.*?<\/style>/s, "")
      .replace(/<[^>]+>/g, " ")
      .replace(/\s+/g, " ");
    expect(text).toMatch(/preferred_username a text, from (the ID Token|UserInfo)/);
    expect(text).toMatch(/groups a list, from (the ID Token|UserInfo)/);
    expect(text).toMatch(/admit claims.email_verified Value: true/);
    expect(text).toMatch(/in claims.groups Value: (&quot;|")1/);
    expect(text).toContain("Unknown: claims.points is missing.");
    expect(text).toMatch(/discord.created_at Unknown: discord/);
    expect(text).toMatch(/refresh token came/);
    expect(text).toContain("were revoked");
    expect(page).not.toContain("olle<b>");
  });

  test("asks the provider for what a member is asked for", async () => {
    const { departure } = await reachCallback();
    const member = await janus.deps.oidc.authorizationUrl("state", "nonce", "verifier");

    const lasting = (address: string) =>
      [...new URL(address).searchParams].filter(([name]) => !/^(state|nonce|code_challenge)$/.test(name));
    expect(lasting(departure)).toEqual(lasting(member));
  });

  test("stores nothing, asks Discord nothing, and revokes its tokens", async () => {
    const alive = janus.provider.liveRefreshTokens();
    const before = await database.dump();
    const calls = janus.discord.calls.length;
    const revocations = janus.provider.calls.filter((call) => call === "revoke").length;

    const { browser } = await examined();

    expect(await database.dump()).toBe(before);
    expect(janus.discord.calls).toHaveLength(calls);
    expect(janus.provider.liveRefreshTokens()).toEqual(alive);
    expect(janus.provider.calls.filter((call) => call === "revoke").length).toBeGreaterThan(revocations);
    // No session either.
    expect((await browser.get("/api/sessions")).status).toBe(401);
  });

  test("revokes its tokens if the sign-in fails after the exchange", async () => {
    const before = janus.provider.liveRefreshTokens();
    const { browser, callback } = await reachCallback();
    janus.provider.failNext("userinfo", { status: 500, body: "" });

    expect((await browser.get(callback)).status).toBe(503);
    expect(janus.provider.liveRefreshTokens()).toEqual(before);
  });

  test("says so if the tokens could not be revoked", async () => {
    janus.provider.failNext("revoke", { status: 500, body: "" });

    expect((await examined()).page).toContain("could not be revoked");
  });

  test("writes no claim into the log", async () => {
    await examined();

    expect(janus.logLines.join("")).not.toMatch(/olle|dsek\.members/);
    expect(linesOf(janus, "flow_step").at(-1)).toMatchObject({ step: "doctor", outcome: "examined" });
  });

  test("shows a no of the provider as a no", async () => {
    const { browser, callback } = await reachCallback();
    const refused = new URL(callback);
    refused.searchParams.delete("code");
    refused.searchParams.set("error", "access_denied");

    expect((await browser.get(refused.href)).status).toBe(200);
    expect(linesOf(janus, "flow_step").at(-1)).toMatchObject({ step: "doctor", outcome: "cancelled" });
  });
});

describe("GET /doctor", () => {
  test.each([
    ["without a ticket", () => "/doctor", 404, "not_found"],
    [
      "with a foreign ticket",
      () => beginAt(issueToken(otherSecrets, "login", janus.clock.now()).text),
      404,
      "not_found",
    ],
    [
      "with a token for something else",
      () => beginAt(issueToken(janus.config, "reach", janus.clock.now()).text),
      404,
      "not_found",
    ],
    ["with an old ticket", () => beginAt(ticketAt(earlier(601))), 403, "flow_expired"],
    ["with a ticket of the future", () => beginAt(ticketAt(earlier(-301))), 403, "flow_expired"],
  ])("refuses a request %s", async (_, address, status, code) => {
    const response = await createBrowser(janus.url).get(address());

    expect(response.status).toBe(status);
    expect(response.headers.get("set-cookie")).toBeNull();
    expect(lastCode(janus)).toBe(code);
  });

  const otherSecrets = { cookieSecrets: [new Uint8Array(32)] };
  const earlier = (seconds: number) => new Date(janus.clock.now().getTime() - seconds * 1_000);

  test("takes a ticket once", async () => {
    const ticket = ticketAt();
    await reachCallback(createBrowser(janus.url), ticket);

    expect((await createBrowser(janus.url).get(beginAt(ticket))).status).toBe(403);
    expect(lastCode(janus)).toBe("flow_finished");
  });

  test("does not begin for a HEAD or a prefetch, which would use the ticket up", async () => {
    const ticket = ticketAt();
    const address = new URL(beginAt(ticket), janus.url);

    expect((await fetch(address, { method: "HEAD", redirect: "manual" })).status).toBe(405);
    const early = await fetch(address, { headers: { "sec-purpose": "prefetch" }, redirect: "manual" });
    expect(early.status).toBe(403);
    expect((await createBrowser(janus.url).get(beginAt(ticket))).status).toBe(302);
  });
});

describe("the callback of the doctor", () => {
  test("is refused a second time, and in another browser", async () => {
    const { browser, callback } = await reachCallback();

    expect((await createBrowser(janus.url).get(callback)).status).toBe(403);
    expect((await browser.get(callback)).status).toBe(200);
    expect((await browser.get(callback)).status).toBe(403);
  });

  test("is refused with the cookies of before, too", async () => {
    const { browser, callback } = await reachCallback();
    const cookie = browser.jar.header(new URL(callback));

    const visit = () => fetch(callback, { headers: { cookie }, redirect: "manual" });

    expect((await visit()).status).toBe(200);
    expect((await visit()).status).toBe(403);
    expect(lastCode(janus)).toBe("flow_finished");
  });

  test("links nobody, whatever Discord leg the browser has begun", async () => {
    const { browser, callback } = await reachCallback();
    await browser.get("/linked-role");

    expect((await browser.get(callback)).status).toBe(200);
    expect(await database.rows("select 1 from link")).toEqual([]);
  });
});

describe("GET /doctor/reach", () => {
  const reach = (query: string) => fetch(`${janus.url}/doctor/reach${query}`);
  const tokenAt = (seconds: number) =>
    issueToken(janus.config, "reach", new Date(janus.clock.now().getTime() + seconds * 1_000)).text;

  test.each([
    ["without a token", () => ""],
    ["with a text", () => "?reach=x"],
    [
      "with a token of another secret",
      () => `?reach=${issueToken({ cookieSecrets: [new Uint8Array(32)] }, "reach", janus.clock.now()).text}`,
    ],
    ["with a login ticket", () => `?reach=${ticketAt()}`],
    ["with a reach token to the database", () => `?database=${tokenAt(0)}`],
    ["with an old token", () => `?reach=${tokenAt(-301)}`],
    ["with a token of the future", () => `?reach=${tokenAt(301)}`],
    ["with a token cut short", () => `?reach=${tokenAt(0).slice(0, -1)}`],
  ])("does not exist %s", async (_, query) => {
    const [answer, nowhere] = await Promise.all([reach(query()), fetch(`${janus.url}/nowhere`)]);

    expect(answer.status).toBe(404);
    const withoutId = async (response: Response) => (await response.text()).replace(/[0-9a-f-]{36}/g, "");
    expect(await withoutId(answer)).toBe(await withoutId(nowhere));
  });

  test("answers a token of ours, uncached", async () => {
    const answer = await reach(`?reach=${tokenAt(0)}`);

    expect(answer.status).toBe(200);
    expect(answer.headers.get("cache-control")).toContain("no-store");
  });
});

/** The page of administrators: who is let in, for how long, who is kept out, and that it exists only with its rule. */
import { afterEach, describe, expect, test } from "bun:test";
import { runUpkeep } from "../../lib/server/upkeep.ts";
import { ADMIN_RULES, BOARD, reachAdminCallback, signInAsAdmin } from "../fixtures/admin.ts";
import { logoutClaims, sendLogout } from "../fixtures/logout.ts";
import { writeRules } from "../fixtures/rules_file.ts";
import { useDatabase, useFolder, useJanus } from "../harness/hooks.ts";
import { createBrowser, lastCode, locationOf, startJanusWithForger } from "../harness/janus.ts";
import { linesOf } from "../harness/seen.ts";
import { newUser } from "../harness/walk.ts";
import { signToken } from "../standins/forger_tokens.ts";

const folder = useFolder("admin");
const database = useDatabase();
const janus = useJanus(async () =>
  startJanusWithForger({ database, environment: await writeRules(folder, ADMIN_RULES) }),
);

afterEach(() => janus.provider.reset());

const MEMBER = { sub: "bo-1", preferred_username: "bo", groups: ["members"] };
const PATHS = ["/admin", "/admin/links", "/admin/links/1", "/admin/links/1/unlink", "/admin/brake"];
const POSTS = ["/admin/sign-out", "/admin/links/1/sync", "/admin/links/1/unlink", "/admin/brake"];
const FORM = { confirm: "yes" };

const sessions = () => database.rows("select * from admin_session");
const cookieOf = (response: Response) =>
  response.headers.getSetCookie().find((one) => one.includes("janus_admin="));

describe("the sign-in of an administrator", () => {
  test("lets in whom the rule lets in, for an hour", async () => {
    const { browser, answer } = await signInAsAdmin(janus);

    expect([answer.status, locationOf(answer)]).toEqual([303, "/admin"]);
    expect(cookieOf(answer)).toMatch(/Max-Age=3600; .*HttpOnly; .*SameSite=Lax/);
    expect((await browser.get("/admin")).status).toBe(200);
    expect(linesOf(janus, "flow_step").at(-1)).toMatchObject({ step: "admin", outcome: "signed_in" });

    janus.clock.advance(3_601);
    const late = await browser.get("/admin");
    expect(late.status).toBe(401);
    expect(cookieOf(late)).toContain("Max-Age=0");
  });

  test("asks the provider for a sign-in within the hour, and for no refresh token", async () => {
    const departure = new URL(locationOf(await createBrowser(janus.url).get("/admin/sign-in")));

    expect(departure.searchParams.get("max_age")).toBe("3600");
    expect(departure.searchParams.get("scope")).not.toContain("offline_access");
    expect(departure.searchParams.get("code_challenge_method")).toBe("S256");
  });

  test("makes no link, asks Discord nothing, and revokes its access token", async () => {
    const calls = janus.discord.calls.length;
    const revocations = () => janus.provider.calls.filter((call) => call === "revoke").length;
    const before = revocations();

    await signInAsAdmin(janus);
    while (revocations() === before) await Bun.sleep(1);

    expect(janus.discord.calls).toHaveLength(calls);
    expect(await database.rows("select 1 from session")).toEqual([]);
    expect(await database.rows("select 1 from organisation_account")).toEqual([]);
  });

  test("keeps out whom the rule does not let in, and stores nothing of them", async () => {
    const before = await sessions();
    const { browser, answer } = await signInAsAdmin(janus, MEMBER);

    expect(answer.status).toBe(403);
    expect(await answer.text()).toContain("You cannot use this page");
    expect(cookieOf(answer)).toBeUndefined();
    expect((await browser.get("/admin")).status).toBe(401);
    expect(await sessions()).toEqual(before);
    expect(linesOf(janus, "flow_step").at(-1)).toMatchObject({ step: "admin", outcome: "not_admitted" });
  });

  test.each([
    ["whose groups are absent", {}],
    ["whose groups are of another type", { groups: "board" }],
    ["who has no groups", { groups: [] }],
  ])("keeps out somebody %s", async (_, claims) => {
    const { answer } = await signInAsAdmin(janus, { sub: "odd", ...claims });

    expect(answer.status).toBe(403);
  });

  test("refuses a sign-in that the provider says is older than an hour", async () => {
    const authTime = Math.floor(janus.clock.now().getTime() / 1_000) - 2 * 3_600;
    janus.provider.override({ idToken: (claims, sign) => sign({ ...claims, auth_time: authTime }) });

    const { answer } = await signInAsAdmin(janus);

    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(lastCode(janus)).toBe("id_token_refused");
  });

  test("takes a sign-in of which the provider says that it was just now", async () => {
    const authTime = Math.floor(janus.clock.now().getTime() / 1_000) - 60;
    janus.provider.override({ idToken: (claims, sign) => sign({ ...claims, auth_time: authTime }) });

    expect((await signInAsAdmin(janus)).answer.status).toBe(303);
  });

  test("is refused in another browser, and a second time", async () => {
    janus.provider.signInAs(BOARD);
    const browser = createBrowser(janus.url);
    const callback = await reachAdminCallback(browser);
    const cookie = browser.jar.header(new URL(callback));

    expect((await createBrowser(janus.url).get(callback)).status).toBe(403);
    expect((await browser.getOnce(callback)).status).toBe(303);
    const again = await fetch(callback, { headers: { cookie }, redirect: "manual" });
    expect(again.status).toBeGreaterThanOrEqual(400);
    expect(cookieOf(again)).toBeUndefined();
  });

  test("leads back to its own beginning after a no of the provider, and when it took too long", async () => {
    janus.provider.signInAs(BOARD);
    const browser = createBrowser(janus.url);
    const refused = new URL(await reachAdminCallback(browser));
    refused.searchParams.delete("code");
    refused.searchParams.set("error", "access_denied");
    const callback = await reachAdminCallback(browser);

    const no = await browser.get(refused.href);
    janus.clock.advance(601);
    const late = await browser.get(callback);

    expect([no.status, late.status]).toEqual([200, 403]);
    for (const answer of [no, late]) {
      const html = await answer.text();
      expect(html).toContain('href="/admin');
      expect(html).not.toContain("/linked-role");
    }
  });

  test("does not begin for a HEAD or a prefetch", async () => {
    const address = `${janus.url}/admin/sign-in`;

    expect((await fetch(address, { method: "HEAD", redirect: "manual" })).status).toBe(405);
    expect((await fetch(address, { headers: { "sec-purpose": "prefetch" } })).status).toBe(403);
  });

  test("writes no claim, name or secret into the log or, unsealed, into the database", async () => {
    const { browser } = await signInAsAdmin(janus);
    const [, secret = ""] = /janus_admin=([^;]+)/.exec(browser.jar.header(new URL(janus.url))) ?? [];
    const [id = "none", key = "none"] = secret.split(".");

    const stored = JSON.stringify(await sessions());
    expect(janus.logLines.join("")).not.toMatch(/anna|board/);
    for (const word of [id, key, "board", '"anna"']) expect(stored).not.toContain(word);
  });
});

describe("the page of administrators", () => {
  test.each(PATHS)("asks a visitor of %s to sign in", async (path) => {
    const response = await createBrowser(janus.url).get(path);

    expect(response.status).toBe(401);
    expect(await response.text()).toContain("/admin/sign-in");
  });

  test("takes no cookie that was altered, cut, or belongs to another sign-in", async () => {
    const [one, other] = [await signInAsAdmin(janus), await signInAsAdmin(janus)];
    const secretOf = ({ browser }: typeof one) =>
      /janus_admin=([^;]+)/.exec(browser.jar.header(new URL(janus.url)))?.[1]?.split(".") ?? [];
    const [[id = "", key = ""], [, otherKey = ""]] = [secretOf(one), secretOf(other)];
    const ask = (value: string) =>
      fetch(`${janus.url}/admin`, { headers: { cookie: `janus_admin=${value}` } }).then(
        ({ status }) => status,
      );

    expect(await ask(`${id}.${key}`)).toBe(200);
    for (const wrong of [`${id}.${otherKey}`, id, `${id}.`, `.${key}`, `${key}.${id}`, "", "."])
      expect([wrong, await ask(wrong)]).toEqual([wrong, 401]);
  });

  test("refuses every form that another site sends, and changes nothing", async () => {
    const { browser } = await signInAsAdmin(janus);
    const before = await database.dump();

    for (const path of POSTS)
      for (const origin of ["https://evil.example", "null", null]) {
        const answer = await browser.post(path, FORM, origin);
        expect([path, origin, answer.status]).toEqual([path, origin, 403]);
        expect(lastCode(janus)).toBe("origin_refused");
      }
    expect(await database.dump()).toBe(before);
  });

  test("ends the sign-in with its button, for whoever has the cookie", async () => {
    const { browser } = await signInAsAdmin(janus);
    const cookie = browser.jar.header(new URL(janus.url));

    expect((await browser.post("/admin/sign-out", FORM)).status).toBe(200);
    expect((await browser.get("/admin")).status).toBe(401);
    expect((await fetch(`${janus.url}/admin`, { headers: { cookie } })).status).toBe(401);
  });

  test("is refused at the next request once claims that were read since say no", async () => {
    const sub = `gone-${newUser()}`;
    const { browser } = await signInAsAdmin(janus, { ...BOARD, sub });
    await link(sub, { groups: ["members", "board"] }, 60);
    expect((await browser.get("/admin")).status).toBe(200);

    await database.rows(
      `update organisation_account set claims = '{"groups":["members"]}' where subject = '${sub}'`,
    );

    const refused = await browser.get("/admin");
    expect(refused.status).toBe(403);
    expect(await refused.text()).toContain("You cannot use this page");
    expect((await browser.get("/admin")).status).toBe(401);
  });

  test.each([
    ["say less than the sign-in", "{}", 60],
    ["are older than the sign-in", '{"groups":[]}', -60],
  ])("stays open for claims that %s", async (_, claims, seconds) => {
    const sub = `stays-${newUser()}`;
    const { browser } = await signInAsAdmin(janus, { ...BOARD, sub });
    await link(sub, JSON.parse(claims), seconds);

    expect((await browser.get("/admin")).status).toBe(200);
  });

  test.each([
    ["the membership has ended", "update link set gone_at = $at, gone_source = 'scim' where subject = $sub"],
    [
      "the provider has ended the grant of the link",
      "update organisation_token set ended_at = $at, end_cause = 'invalid_grant' where subject = $sub",
    ],
  ])("asks for another sign-in once %s", async (_, statement) => {
    const sub = `ended-${newUser()}`;
    const { browser } = await signInAsAdmin(janus, { ...BOARD, sub });
    await link(sub, { groups: ["board"] }, 60);
    const at = new Date(janus.clock.now().getTime() + 30_000).toISOString();

    await database.rows(statement.replace("$at", `'${at}'`).replace("$sub", `'${sub}'`));

    expect((await browser.get("/admin")).status).toBe(401);
  });

  test.each([
    ["their account", (sub: string) => ({ sub, sid: undefined })],
    ["their session at the provider", () => ({ sub: undefined, sid: "sid-1" })],
  ])("signs somebody out whom a logout token names by %s, linked or not", async (_, named) => {
    const sub = `out-${newUser()}`;
    const [{ browser }, other] = [
      await signInAsAdmin(janus, { ...BOARD, sub, sid: "sid-1" }),
      await signInAsAdmin(janus, { ...BOARD, sid: "sid-2" }),
    ];
    const token = await signToken(
      { ...logoutClaims(janus.provider.issuer, janus.clock.now(), sub), ...named(sub) },
      { typ: "logout+jwt" },
      janus.provider.key(),
    );

    expect((await sendLogout(janus.url, token)).status).toBe(200);
    expect((await browser.get("/admin")).status).toBe(401);
    expect((await other.browser.get("/admin")).status).toBe(200);
  });

  test("leaves no row behind once upkeep has come after the hour", async () => {
    await signInAsAdmin(janus);
    await runUpkeep(janus.deps);
    expect(await sessions()).toHaveLength(1);

    janus.clock.advance(3_601);
    await runUpkeep(janus.deps);
    expect(await sessions()).toEqual([]);
  });

  /** A link of an account, whose claims were read so many seconds after now. */
  async function link(sub: string, claims: object, seconds: number): Promise<void> {
    const id = newUser();
    const issuer = janus.config.oidc.issuer;
    const at = new Date(janus.clock.now().getTime() + seconds * 1_000).toISOString();
    for (const statement of [
      `insert into discord_account values ('${id}', 'name', null, now(), now())`,
      `insert into discord_token (discord_user_id, access_token_sealed, refresh_token_sealed, scope, expires_at, obtained_at)
        values ('${id}', 'a', 'r', 'identify', now() + interval '7 days', now())`,
      `insert into organisation_account (issuer, subject, claims, claims_seen_at, created_at)
        values ('${issuer}', '${sub}', '${JSON.stringify(claims)}', '${at}', now())`,
      `insert into organisation_token (issuer, subject, access_token_sealed, obtained_at)
        values ('${issuer}', '${sub}', 'a', now())`,
      `insert into link (discord_user_id, issuer, subject, linked_at, check_due_at)
        values ('${id}', '${issuer}', '${sub}', now(), now() + interval '1 day')`,
    ])
      await database.rows(statement);
  }
});

describe("without [admin] when", () => {
  const plain = useJanus(() => startJanusWithForger({}));

  test.each([...PATHS, "/admin/sign-in"])("GET %s does not exist", async (path) => {
    const [answer, nowhere] = await Promise.all([
      fetch(plain.url + path, { redirect: "manual" }),
      fetch(`${plain.url}/nowhere`),
    ]);
    const withoutId = async (response: Response) => (await response.text()).replace(/[0-9a-f-]{36}/g, "");

    expect(answer.status).toBe(404);
    expect(await withoutId(answer)).toBe(await withoutId(nowhere));
  });

  test.each(POSTS)("POST %s does not exist", async (path) => {
    expect((await createBrowser(plain.url).post(path, FORM)).status).toBe(404);
  });
});

/** What administrators see and change: each look and each change is in the trail with their name, and the member sees it. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { requireLink } from "../../lib/operator/admin/member.ts";
import { TEXTS } from "../../lib/pages/texts/languages.ts";
import { ADMIN_RULES, BOARD, signInAsAdmin } from "../fixtures/admin.ts";
import { writeRules } from "../fixtures/rules_file.ts";
import { emptyDatabase } from "../harness/database.ts";
import { useDatabase, useFolder, useJanus } from "../harness/hooks.ts";
import { textOf } from "../harness/html.ts";
import type { Browser } from "../harness/janus.ts";
import { locationOf, startJanusWithForger } from "../harness/janus.ts";
import { linkOf } from "../harness/rows.ts";
import { callApi } from "../harness/sign_in.ts";
import { linkMember, newUser } from "../harness/walk.ts";

const OPERATOR = "anna (anna-1)";
const FORM = { confirm: "yes" };

const folder = useFolder("admin-changes");
const database = useDatabase();
const janus = useJanus(async () =>
  startJanusWithForger({ database, environment: await writeRules(folder, ADMIN_RULES) }),
);

let admin: Browser;
let id: string;
let member: Browser;

beforeEach(async () => {
  await emptyDatabase(database);
  id = newUser();
  janus.provider.signInAs({ sub: `bo-${id}`, preferred_username: `bo-${id}`, groups: ["members"] });
  member = await linkMember(janus, id);
  ({ browser: admin } = await signInAsAdmin(janus, BOARD));
});
afterEach(() => janus.provider.reset());

const pageOf = async (answer: Response) => textOf(await answer.text());
const read = async (path: string, browser = admin) => pageOf(await browser.get(path));
const trail = () =>
  database.rows(
    `select action, operator, detail from audit_event where discord_user_id = '${id}' and operator is not null order by audit_event_id`,
  );
/** Sends a form, and follows it to the page that says what came of it. */
async function change(path: string, form: Readonly<Record<string, string>> = FORM): Promise<string> {
  return read(locationOf(await admin.postOnce(path, form)));
}

describe("an administrator", () => {
  test("sees links by state, the sign-ins of a week, and what is due", async () => {
    const page = await read("/admin");

    expect(page).toMatch(/all\s+1/);
    expect(page).toMatch(/up to date\s+1/);
    expect(page).toMatch(/Members who linked their accounts, or renewed their link\s+[1-9]/);
    expect(page).toContain(`Signed in as ${OPERATOR}`);
  });

  test("sees how many grants other servers have ended, without those that Janus ends itself", async () => {
    const ended = async () =>
      [...(await read("/admin")).matchAll(/Links whose access to \S+ ended\s+(\d+)/g)].map(
        ([, count]) => count,
      );
    janus.provider.signInAs({ sub: `eva-${id}`, preferred_username: `eva-${id}`, groups: ["members"] });
    const other = newUser();
    await linkMember(janus, other);

    await change(`/admin/links/${other}/unlink`);
    const ofUnlink = await ended();
    await database.rows(
      `update discord_token set ended_at = now(), end_cause = 'invalid_grant' where discord_user_id = '${id}'`,
    );

    expect(ofUnlink).toEqual(["0", "0"]);
    expect(await ended()).toEqual(["1", "0"]);
  });

  test.each([
    ["a part of a name", () => `bo-${id.slice(0, -2)}`],
    ["the name in capitals", () => `BO-${id}`],
    ["a Discord ID", () => id],
  ])("finds a member by %s", async (_, words) => {
    expect(await read(`/admin/links?${new URLSearchParams({ q: words() })}`)).toContain(`bo-${id}`);
  });

  test.each(["%", "bo_", "\\", "nobody", "' or true --", "\ud800", "x".repeat(5_000)])(
    "finds nobody by %j",
    async (words) => {
      expect(await read(`/admin/links?${new URLSearchParams({ q: words })}`)).toContain(
        TEXTS.en.admin.listNone,
      );
    },
  );

  test("finds everybody by what no name can have", async () => {
    expect(await read("/admin/links?q=%00&after=%00")).toContain(`bo-${id}`);
  });

  test("lists members by state, and takes no other state for one", async () => {
    expect(await read("/admin/links?state=told")).toContain(`bo-${id}`);
    expect(await read("/admin/links?state=losing")).toContain(TEXTS.en.admin.listNone);
    expect(await read("/admin/links?state=odd&after=&error=&failing=perhaps")).toContain(`bo-${id}`);
  });

  test("sees by which error a list is filtered, and can search without it", async () => {
    const html = await (await admin.get("/admin/links?error=provider_unavailable")).text();

    expect(textOf(html)).toContain("Only links whose last check or update failed with provider_unavailable");
    expect(html).toMatch(/<input type="checkbox" name="error" value="provider_unavailable" checked/);
  });

  test("sees by which error updates fail, and finds the members", async () => {
    await database.rows(
      `update link set push_failures = 3, push_failed_code = 'discord_refused' where discord_user_id = '${id}'`,
    );

    const html = await (await admin.get("/admin")).text();
    const [, path = ""] = /href="(\/admin\/links\?error=discord_refused)"/.exec(html) ?? [];

    expect(textOf(html)).toMatch(/Failed checks and updates by code\s+discord_refused\s+1/);
    expect(await read(path)).toMatch(new RegExp(`bo-${id}\\s+up to date\\s+·\\s+discord_refused`));
    expect(await read(`/admin/links/${id}`)).toMatch(/Failures in a row\s+3\s+discord_refused/);
  });

  test("sees what a member gets and why, and no token", async () => {
    const answer = await admin.get(`/admin/links/${id}`);
    const html = await answer.text();
    const page = textOf(html);

    expect(answer.status).toBe(200);
    expect(page).toMatch(/dsek_member\s+Discord has: 1\s+The rules say: 1\s+.*in claims\.groups/);
    expect(page).toContain(`bo-${id}`);
    const tokens = await database.rows("select access_token_sealed, refresh_token_sealed from discord_token");
    for (const token of tokens.flatMap((row) => Object.values(row)))
      expect(html).not.toContain(String(token));
  });

  test("leaves a look in the trail, which the member sees, and has in their data without the name", async () => {
    await admin.get(`/admin/links/${id}`);

    expect(await trail()).toEqual([{ action: "looked_at", operator: OPERATOR, detail: { at: "link" } }]);
    const page = await read("/account", member);
    expect(page).toContain("An administrator looked at your link.");
    expect(page).not.toContain("anna");
    const exported = await (await callApi(janus, "/api/me/export", { browser: member })).text();
    expect(JSON.parse(exported).audit_trail).toContainEqual(
      expect.objectContaining({ action: "looked_at", by_operator: true }),
    );
    expect(exported).not.toContain("anna");
  });

  test("is named once an hour to the member for looks, which hide no change", async () => {
    await change(`/admin/links/${id}/sync`);
    for (let looks = 0; looks < 6; looks += 1) await admin.get(`/admin/links/${id}`);

    const page = await read("/account", member);
    const looks = page.split("An administrator looked at your link.").length - 1;
    // The hour may end in between.
    expect(looks).toBeGreaterThanOrEqual(1);
    expect(looks).toBeLessThanOrEqual(2);
    expect(page).toContain("An administrator had Janus check your account.");
  });

  test("leaves a look at a list in the trail of nobody", async () => {
    const before = await database.rows("select 1 from audit_event where action = 'looked_at'");
    await admin.get("/admin/links");

    expect(await trail()).toEqual([]);
    const looks = await database.rows(
      "select discord_user_id as whose, operator from audit_event where action = 'looked_at' order by audit_event_id",
    );
    expect(looks.length).toBe(before.length + 1);
    expect(looks.at(-1)).toEqual({ whose: null, operator: OPERATOR });
  });

  test("leaves no look for a HEAD or a prefetch", async () => {
    const address = `${janus.url}/admin/links/${id}`;
    const cookie = admin.jar.header(new URL(address));

    await fetch(address, { method: "HEAD", headers: { cookie } });
    await fetch(address, { headers: { cookie, "sec-purpose": "prefetch" } });
    expect(await trail()).toEqual([]);
  });

  test("syncs a member, once a minute", async () => {
    janus.provider.setIdentity({ sub: `bo-${id}`, preferred_username: `bo-${id}`, groups: [] });

    expect(await change(`/admin/links/${id}/sync`)).toContain(TEXTS.en.admin.notices.sync_changed);
    expect(janus.discord.roleConnection(id)?.metadata).toEqual({ dsek_member: "0" });
    expect(await change(`/admin/links/${id}/sync`)).toContain(TEXTS.en.admin.notices.sync_too_soon);
    expect((await trail()).filter(({ action }) => action === "sync_asked")).toHaveLength(1);
    expect(await read("/account", member)).toContain("An administrator had Janus check your account.");
  });

  test("signs a member out, whose link stays", async () => {
    expect(await read(`/admin/links/${id}/sessions`)).toContain(TEXTS.en.admin.sessionsLead);
    expect((await callApi(janus, "/api/sessions", { browser: member })).status).toBe(200);

    expect(await change(`/admin/links/${id}/sessions`)).toContain(TEXTS.en.admin.notices.sessions_ended);
    expect((await callApi(janus, "/api/sessions", { browser: member })).status).toBe(401);
    expect(await linkOf(janus, id)).toBeDefined();
    expect(await trail()).toContainEqual(
      expect.objectContaining({ action: "sessions_purged", operator: OPERATOR }),
    );
  });

  test("unlinks a member, after a question", async () => {
    expect(await read(`/admin/links/${id}/unlink`)).toContain(TEXTS.en.admin.unlinkLead);
    expect(await linkOf(janus, id)).toBeDefined();

    const page = await change(`/admin/links/${id}/unlink`, { ...FORM, reason: "asked for it" });

    expect(page).toContain(TEXTS.en.admin.notices.unlinked);
    expect(await linkOf(janus, id)).toBeUndefined();
    expect(janus.discord.roleConnection(id)).toBeUndefined();
    // The question names both accounts, so it is a look.
    expect(await trail()).toEqual([
      { action: "looked_at", operator: OPERATOR, detail: { at: "link" } },
      { action: "unlinked", operator: OPERATOR, detail: { reason: "asked for it" } },
    ]);
  });

  test("bans a member, after a question, for the time that was chosen", async () => {
    expect(await read(`/admin/links/${id}/ban`)).toContain("Ban this member?");

    const page = await change(`/admin/links/${id}/ban`, { ...FORM, reason: "spam", end: "week" });

    expect(page).toContain(TEXTS.en.admin.notices.banned);
    expect(await linkOf(janus, id)).toBeUndefined();
    const bans = await database.rows(
      "select coalesce(discord_user_id, subject) as account, reason, operator, expires_at as until from ban order by 1",
    );
    const of = (account: string) => expect.objectContaining({ account, reason: "spam", operator: OPERATOR });
    expect(bans).toEqual([of(id), of(`bo-${id}`)]);
    const days = (new Date(String(bans[0]?.until)).getTime() - janus.clock.now().getTime()) / 86_400_000;
    expect(Math.round(days)).toBe(7);
  });

  test.each(["unlink", "ban"])("changes nothing by %s with a reason that nobody can read", async (action) => {
    for (const reason of ["a\u0000b", "a\u202eb", "x".repeat(501), "two\nlines"]) {
      const page = await change(`/admin/links/${id}/${action}`, { ...FORM, reason });
      expect(page).toContain(TEXTS.en.admin.notices.reason_refused);
    }
    expect(await linkOf(janus, id)).toBeDefined();
  });

  test.each(
    [
      ["", "sessions", "sync", "unlink", "ban"].map((action) => [action, "999"] as const),
      ["", "unlink"].map((action) => [action, "anna"] as const),
    ].flat(),
  )("is told that there is no link for %p of %p", async (action, who) => {
    const path = ["/admin/links", who, ...(action === "" ? [] : [action])].join("/");
    const before = await database.dump();

    const answer = action === "" ? await admin.get(path) : await admin.post(path, FORM);

    expect(answer.status).toBe(404);
    expect(await pageOf(answer)).toContain("This member has no link");
    expect(await database.dump()).toBe(before);
  });

  test("finds no other action, by either method", async () => {
    expect((await admin.get(`/admin/links/${id}/delete`)).status).toBe(404);
    expect((await admin.post(`/admin/links/${id}/delete`, FORM)).status).toBe(404);
    expect((await admin.get(`/admin/links/${id}/sync`)).status).toBe(404);
  });

  test.each(["sv", "de"] as const)("reads the pages in %s", async (language) => {
    const get = async (path: string) =>
      textOf(
        await (
          await fetch(janus.url + path, {
            headers: { cookie: admin.jar.header(new URL(janus.url)), "accept-language": language },
          })
        ).text(),
      );

    expect(await get("/admin")).toContain(TEXTS[language].admin.weekTitle);
    expect(await get(`/admin/links/${id}`)).toContain(TEXTS[language].admin.whyTitle);
  });
});

test("requireLink() reads no other link for somebody without one", async () => {
  const findLinkPageEnd = () => Promise.reject(new Error("a page of links was read"));
  const queries = { ...janus.deps.queries, findLinkPageEnd };

  expect(await requireLink({ queries }, id)).toMatchObject({ discordUserId: id });
  for (const none of ["999", "anna", ""])
    expect(await requireLink({ queries }, none).catch(({ code }) => code)).toBe("not_linked");
});

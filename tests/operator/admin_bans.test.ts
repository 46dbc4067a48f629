/** The bans in force on the page of administrators: who, why, by whom and until when; page by page; and how one is lifted. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { addBan } from "../../lib/operator/bans.ts";
import { TEXTS } from "../../lib/pages/texts/languages.ts";
import { ADMIN_RULES, BOARD, signInAsAdmin } from "../fixtures/admin.ts";
import { writeRules } from "../fixtures/rules_file.ts";
import { emptyDatabase } from "../harness/database.ts";
import { useDatabase, useFolder, useJanus } from "../harness/hooks.ts";
import { textOf } from "../harness/html.ts";
import type { Browser } from "../harness/janus.ts";
import { createBrowser, locationOf, startJanusWithForger } from "../harness/janus.ts";
import { newUser, walkDiscordLeg } from "../harness/walk.ts";

const OPERATOR = "anna (anna-1)";
const FORM = { confirm: "yes" };
const ISSUER = "https://id.example";
const { admin: ADMIN } = TEXTS.en;
const NOBODY = { discordUserId: null, issuer: null, subject: null };

const folder = useFolder("admin-bans");
const database = useDatabase();
const janus = useJanus(async () =>
  startJanusWithForger({ database, environment: await writeRules(folder, ADMIN_RULES) }),
);
let admin: Browser;
/** The last event of the trail before the test. */
let begun: unknown;

beforeEach(async () => {
  await emptyDatabase(database);
  ({ browser: admin } = await signInAsAdmin(janus, BOARD));
  const [last] = await database.rows("select coalesce(max(audit_event_id), 0)::text as id from audit_event");
  begun = last?.id;
});
afterEach(() => janus.provider.reset());

const inSeconds = (seconds: number): Date => new Date(janus.clock.now().getTime() + seconds * 1_000);
const ban = (accounts: object, reason: string | null = null, expiresAt: Date | null = null) =>
  addBan(janus.deps, { ...NOBODY, ...accounts, expiresAt, reason, operator: "eva" });
const htmlOf = async (path: string) => (await admin.get(path)).text();
const read = async (path: string) => textOf(await htmlOf(path));
const pathsIn = (html: string): readonly string[] =>
  [...html.matchAll(/href="(\/admin\/bans\/[^"?]+)"/g)].map(([, path = ""]) => path);
const pathOf = async (): Promise<string> => pathsIn(await htmlOf("/admin/bans"))[0] ?? "";
const lift = async (path: string) => read(locationOf(await admin.postOnce(path, FORM)));
const trail = () =>
  database.rows(
    `select action, discord_user_id as id, subject, operator, detail from audit_event
     where action <> 'banned' and audit_event_id > ${begun} order by audit_event_id`,
  );

describe("GET /admin/bans", () => {
  test("says so where nobody is banned", async () => {
    expect(await read("/admin/bans")).toContain(ADMIN.bansNone);
  });

  test("lists each ban in force, the newest first, with reason, operator and end", async () => {
    await ban({ issuer: ISSUER, subject: "bo-1" }, "sells <roles>", inSeconds(86_400));
    janus.clock.advance(60);
    await ban({ discordUserId: "200000000000000001" });
    await ban({ discordUserId: "200000000000000002" }, "short", inSeconds(60));
    janus.clock.advance(61);

    const page = await read("/admin/bans");

    expect(page).toMatch(
      /Discord ID 200000000000000001\s+since .+, by eva\s+until it is lifted\s+Account bo-1 \(https:\/\/id\.example\)\s+since .+, by eva\s+until .+\s+sells &lt;roles>/,
    );
    expect(page).not.toContain("200000000000000002");
  });

  test("comes in pages, and has each ban once", async () => {
    const from = janus.clock.now().toISOString();
    await database.rows(
      `insert into ban (ban_id, discord_user_id, banned_at, operator)
       select 'ban-' || n, (200000000000000000 + n)::text, timestamptz '${from}' - n / 7 * interval '1 second', 'eva'
       from generate_series(1, 120) as n`,
    );
    const seen: string[] = [];
    const sizes: number[] = [];
    for (let path: string | undefined = "/admin/bans"; path !== undefined; ) {
      const html: string = await htmlOf(path);
      seen.push(...pathsIn(html));
      sizes.push(pathsIn(html).length);
      path = /href="(\/admin\/bans\?after=[^"]+)"/.exec(html)?.[1];
    }

    expect(sizes).toEqual([50, 50, 20]);
    expect(new Set(seen).size).toBe(120);
  });

  test.each(["", "x", "1", "-1.a", "999999999999999.a", "1e3.a", "1.a'--", "%00", "12345678901234567890.a"])(
    "takes after=%s for the first page, or for one without bans",
    async (after) => {
      await ban({ discordUserId: "200000000000000001" });

      const answer = await admin.get(`/admin/bans?${new URLSearchParams({ after })}`);

      expect(answer.status).toBe(200);
      expect(await answer.text()).toContain("200000000000000001");
    },
  );

  test("leaves a look in the trail, of nobody", async () => {
    await read("/admin/bans");

    expect(await trail()).toEqual([
      { action: "looked_at", id: null, subject: null, operator: OPERATOR, detail: { at: "bans" } },
    ]);
  });
});

describe("/admin/bans/:id", () => {
  test.each([
    ["Discord account", { discordUserId: "200000000000000001" }, "200000000000000001", null],
    ["subject", { issuer: ISSUER, subject: "bo-1" }, null, "bo-1"],
  ])("asks, then lifts the ban of a %s, each with its row in the trail", async (_, accounts, id, subject) => {
    await ban(accounts, "spam");
    const path = await pathOf();

    expect(await read(path)).toMatch(
      /Lift this ban\?[\s\S]+By\s+eva\s+How long\s+until it is lifted\s+Reason\s+spam/,
    );
    expect(await database.rows("select from ban")).toHaveLength(1);
    expect(await lift(path)).toContain(ADMIN.notices.ban_lifted);

    expect(await database.rows("select from ban")).toHaveLength(0);
    expect((await trail()).slice(1, 3)).toEqual([
      { action: "looked_at", id, subject, operator: OPERATOR, detail: { at: "ban" } },
      { action: "ban_lifted", id, subject, operator: OPERATOR, detail: null },
    ]);
  });

  test("lets the member link again", async () => {
    const user = newUser();
    await ban({ discordUserId: user });
    const before = (await walkDiscordLeg(janus, user)).status;

    await lift(await pathOf());

    expect([before, (await walkDiscordLeg(janus, user)).status]).toEqual([403, 302]);
  });

  test("says that a ban is over which somebody else lifted, or which has ended, or which never was", async () => {
    await ban({ discordUserId: "200000000000000001" }, null, inSeconds(60));
    const path = await pathOf();
    janus.clock.advance(61);

    for (const gone of [path, "/admin/bans/none", "/admin/bans/%00", "/admin/bans/a'--"]) {
      expect(await lift(gone)).toContain(ADMIN.notices.ban_over);
      expect(await read(locationOf(await admin.getOnce(gone)))).toContain(ADMIN.notices.ban_over);
    }
    expect((await trail()).map(({ action }) => action)).not.toContain("ban_lifted");
  });

  test.each([
    ["without a sign-in", async () => createBrowser(janus.url), 401],
    ["by somebody who is no administrator", async () => outsider(), 401],
  ] as const)("shows and lifts nothing %s", async (_, enter, status) => {
    await ban({ discordUserId: "200000000000000001" }, "spam");
    const path = await pathOf();
    const browser = await enter();
    const before = await database.dump();

    const answers = [
      await browser.get("/admin/bans"),
      await browser.get(path),
      await browser.post(path, FORM),
    ];

    expect(answers.map((answer) => answer.status)).toEqual([status, status, status]);
    for (const answer of answers) expect(await answer.text()).not.toContain("200000000000000001");
    expect(await database.dump()).toBe(before);
  });

  const outsider = async () =>
    (await signInAsAdmin(janus, { sub: "bo", preferred_username: "bo", groups: ["members"] })).browser;

  test("lifts nothing by a form of another site", async () => {
    await ban({ discordUserId: "200000000000000001" });
    const address = new URL(await pathOf(), janus.url);

    const answer = await fetch(address, {
      method: "POST",
      headers: {
        cookie: admin.jar.header(address),
        origin: "https://evil.example",
        "content-type": "application/x-www-form-urlencoded",
      },
      body: "confirm=yes",
    });

    expect(answer.status).toBe(403);
    expect(await database.rows("select from ban")).toHaveLength(1);
  });

  test.each(["sv", "de"] as const)("speaks %s", async (language) => {
    await ban({ discordUserId: "200000000000000001" });
    const headers = { cookie: admin.jar.header(new URL(janus.url)), "accept-language": language };
    const get = async (path: string) => textOf(await (await fetch(janus.url + path, { headers })).text());
    const path = await pathOf();

    expect(await get("/admin/bans")).toContain(TEXTS[language].admin.bansLead);
    expect(await get(path)).toContain(TEXTS[language].admin.liftLead);
  });
});

/** What a member sees of the rules, over the whole server: records, a refusal after a link, and being admitted again. */
import { expect, test } from "bun:test";
import { en } from "../../lib/pages/texts/en.ts";
import { writeRules } from "../fixtures/rules_file.ts";
import { useDatabase, useFolder, useJanus } from "../harness/hooks.ts";
import { textOf } from "../harness/html.ts";
import type { Browser } from "../harness/janus.ts";
import { createBrowser, startJanusWithForger } from "../harness/janus.ts";
import { callApi } from "../harness/sign_in.ts";
import { newUser, reachForgerCallback } from "../harness/walk.ts";
import { said } from "../pages/samples.ts";

const RULES = `
[admit]
when = 'claims.active'
message.en = "Only active members can link."
message.sv = "Bara aktiva medlemmar kan koppla."
[[record]]
key = "points"
type = "integer_greater_than_or_equal"
name = "Points"
description = "Has at least so many points"
value = 'claims.points'
[[record]]
key = "board"
type = "boolean_equal"
name = "On the board"
description = "Sits on the board"
name_localizations = { "sv-SE" = "I styrelsen" }
value = 'claims.board'
[[record]]
key = "constructor"
type = "boolean_equal"
name = "Constructor"
description = "Constructs things"
value = 'claims.constructs'
`;

const folder = useFolder("member-rules");
const database = useDatabase();
const janus = useJanus(async () =>
  startJanusWithForger({ database, environment: await writeRules(folder, RULES) }),
);

/** Signs in with these claims, and reads the page at the end. */
async function signIn(browser: Browser, user: string, claims: Readonly<Record<string, unknown>>) {
  janus.provider.signInAs({ sub: `subject-of-${user}`, preferred_username: "anna", ...claims });
  return textOf(await (await browser.get(await reachForgerCallback(browser, user))).text());
}

const accountOf = async (browser: Browser) => textOf(await (await browser.get("/account")).text());

test("GET /account says of each record what Discord has, and what is not known", async () => {
  const [browser, user] = [createBrowser(janus.url), newUser()];

  const linked = await signIn(browser, user, { active: true, points: 12_345 });
  const account = await accountOf(browser);

  expect(linked).toContain(en.linked.now);
  expect(account).toContain("Points: 12,345");
  expect(account).toContain(`Constructor: ${en.role.notKnown}`);
  expect(account).toContain(`On the board: ${en.role.notKnown}`);
  expect(account).toContain(said("en", en.role.silent));
});

test("GET /result/{name} promises no role where nothing is known of the member", async () => {
  const linked = await signIn(createBrowser(janus.url), newUser(), { active: true });

  expect(linked).toContain(said("en", en.linked.nothingKnown));
  expect(linked).not.toContain(en.linked.now);
});

test("GET /account says why a member who is no longer admitted has no roles", async () => {
  const [browser, user] = [createBrowser(janus.url), newUser()];
  await signIn(browser, user, { active: true, board: true });

  const cleared = await signIn(browser, user, { active: false, board: true });
  const account = await accountOf(browser);
  await signIn(browser, user, { active: true, board: true });
  const again = await accountOf(browser);

  for (const text of [cleared, account]) expect(text).toContain("Only active members can link.");
  expect(cleared).toContain(said("en", en.cleared.told));
  expect(account).toContain(said("en", en.role.clearedNow));
  expect(account).not.toContain("On the board");
  expect(again).toContain(`On the board: ${en.role.yes}`);
  expect(again).not.toContain("Only active members can link.");
});

test("GET /api/me/export has each change of a record with its old and new value", async () => {
  const [browser, user] = [createBrowser(janus.url), newUser()];
  await signIn(browser, user, { active: true, points: 5, board: true });
  await signIn(browser, user, { active: true, points: 7, board: false });

  const account = await accountOf(browser);
  const stored = (await (await callApi(janus, "/api/me/export", { browser })).json()) as {
    readonly audit_trail: readonly { readonly action: string; readonly detail: unknown }[];
  };

  expect(account).toContain(said("en", en.role.removed));
  const pushes = stored.audit_trail.filter(({ action }) => action === "role_connection_pushed");
  expect(pushes.map(({ detail }) => detail)).toEqual([
    { values: { points: { from: "5", to: "7" }, board: { from: "1", to: "0" } } },
    { values: { points: { from: null, to: "5" }, board: { from: null, to: "1" } } },
  ]);
});

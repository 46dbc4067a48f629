/**
 * Held changes, as an administrator releases them: after a question, and only what the question counted. What is found while
 * somebody reads the page waits for another look.
 */
import { beforeEach, expect, test } from "bun:test";
import { TEXTS } from "../../lib/pages/texts/languages.ts";
import { ADMIN_RULES, BOARD, signInAsAdmin } from "../fixtures/admin.ts";
import { writeRules } from "../fixtures/rules_file.ts";
import { emptyDatabase } from "../harness/database.ts";
import { useDatabase, useFolder, useJanus } from "../harness/hooks.ts";
import { textOf } from "../harness/html.ts";
import type { Browser } from "../harness/janus.ts";
import { locationOf, startJanusWithForger } from "../harness/janus.ts";
import { linkNewMember } from "../harness/walk.ts";

const OPERATOR = "anna (anna-1)";
const IN_GROUP = { groups: ["members"] };

const folder = useFolder("admin-brake");
const database = useDatabase();
const janus = useJanus(async () =>
  startJanusWithForger({ database, environment: await writeRules(folder, ADMIN_RULES) }),
);

let admin: Browser;
let id: string;

beforeEach(async () => {
  await emptyDatabase(database);
  id = await linkNewMember(janus, IN_GROUP);
  ({ browser: admin } = await signInAsAdmin(janus, BOARD));
});

const pageOf = async (answer: Response) => textOf(await answer.text());
const read = async (path: string) => pageOf(await admin.get(path));
/** Sends a form, and follows it to the page that says what came of it. */
const change = async (path: string, form: Readonly<Record<string, string>>) =>
  read(locationOf(await admin.postOnce(path, form)));
const hold = () => database.rows("insert into brake (held_at) values (now())");
const lose = async (user: string): Promise<void> => {
  const now = `'${janus.clock.now().toISOString()}'::timestamptz`;
  await database.rows(
    `update link set loss_found_at = ${now}, loss_due_at = ${now} where discord_user_id = '${user}'`,
  );
};
const releases = () =>
  database.rows("select operator, detail from audit_event where action = 'losses_released'");
const question = async (): Promise<Readonly<Record<string, string>>> => {
  const [, name = "", value = ""] =
    /type="hidden" name="(counted_at)" value="(\d+)"/.exec(await (await admin.get("/admin/brake")).text()) ??
    [];
  return { [name]: value };
};

test("are released after a question, as far as it counted them", async () => {
  const before = await releases();
  const later = await linkNewMember(janus, IN_GROUP);
  await hold();
  await lose(id);
  expect(await read("/admin")).toContain("Janus holds back changes");
  expect(await read("/admin/brake")).toContain(TEXTS.en.admin.brakeQuestion);
  const asked = await question();
  janus.clock.advance(60);
  await lose(later);

  expect(await change("/admin/brake", asked)).toContain(TEXTS.en.admin.notices.released);

  expect((await releases()).slice(before.length)).toEqual([{ operator: OPERATOR, detail: { links: 1 } }]);
  const waiting = await question();
  await change("/admin/brake", waiting);
  await change("/admin/brake", asked);
  const [brake] = await database.rows("select released_at from brake");
  expect(brake?.releasedAt).toEqual(new Date(Number(waiting.counted_at)));
});

test.each(["", "now", "-1", "1e9", "99999999999999", " 1"])(
  "stay held when the form names no time but %j",
  async (word) => {
    await hold();
    await lose(id);
    const before = await releases();

    const answer = await admin.post("/admin/brake", { counted_at: word });

    expect(answer.status).toBe(400);
    expect(await pageOf(answer)).toContain(TEXTS.en.admin.brakeQuestion);
    expect(await releases()).toEqual(before);
  },
);

test("are not asked about when there are none, and a time to come releases nothing to come", async () => {
  const askedAt = janus.clock.now();
  const page = await (await admin.get("/admin/brake")).text();

  expect(textOf(page)).toContain(TEXTS.en.admin.brakeFree);
  expect(page).not.toContain(TEXTS.en.admin.brakeButton);
  await change("/admin/brake", { counted_at: "9999999999999" });
  const [brake] = await database.rows(
    "select floor(extract(epoch from released_at) * 1000)::double precision as released_at from brake",
  );
  const releasedAt = Number(brake?.releasedAt);
  expect(releasedAt).toBeWithin(askedAt.getTime(), janus.clock.now().getTime() + 1);
});

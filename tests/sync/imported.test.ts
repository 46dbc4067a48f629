/** What Discord is told of imported links: what the rules know for sure, and nothing else. */
import { describe, expect, test } from "bun:test";
import { runSync } from "../../lib/operator/sync_run.ts";
import { csvOf, importFrom, waiting } from "../fixtures/imports.ts";
import { writeRules } from "../fixtures/rules_file.ts";
import { emptyDatabase } from "../harness/database.ts";
import { useDatabase, useFolder } from "../harness/hooks.ts";
import { startJanusWithForger } from "../harness/janus.ts";
import { linkOf, setOfLink } from "../harness/rows.ts";
import { linkMember, newUser } from "../harness/walk.ts";

const folder = useFolder("imported");
const database = useDatabase();

const record = (value: string, key = "member"): string => `
[[record]]
key = "${key}"
type = "boolean_equal"
name = "Member"
description = "Is a member"
value = '${value}'
`;
const admit = (when: string): string => `
[admit]
when = '${when}'
message.en = "Only members can link."
`;

/** Does something at a Janus with these rules, where the earlier service has told Discord of some members. */
async function withImported(
  rules: string,
  usernames: readonly string[],
  work: (janus: Awaited<ReturnType<typeof startJanusWithForger>>, users: readonly string[]) => Promise<void>,
  column: "username" | "subject" = "username",
): Promise<void> {
  await emptyDatabase(database);
  const janus = await startJanusWithForger({ database, environment: await writeRules(folder, rules) });
  try {
    const users: string[] = [];
    const lines = [`discord_user_id,${column},refresh_token`];
    for (const username of usernames) {
      const user = newUser();
      const { accessToken, refreshToken } = janus.discord.giveTokens(user);
      await janus.deps.discord.putRoleConnection(accessToken, {
        platform_name: "Earlier",
        metadata: { member: "1" },
      });
      users.push(user);
      lines.push(`${user},${username},${refreshToken}`);
    }
    await importFrom(janus, csvOf(folder, `${lines.join("\n")}\n`));
    await work(janus, users);
  } finally {
    await janus.stop();
  }
}

describe("decide() of an imported link", () => {
  test.each([
    ["a claim that the import does not have", record('"members" in claims.groups')],
    ["the presence of such a claim", record("has(claims.groups)")],
    ["the subject of somebody known by username", record('subject == "x"')],
    ["the issuer of somebody known by username", record('issuer == "x"')],
    ["since when the member is linked", record('linked_at < timestamp("2020-01-01T00:00:00Z")')],
    ["a Discord username that the import does not have", record('discord.username == "x"')],
    ["one rule of several that is known", record("true", "known") + record("has(claims.groups)")],
    ["an admission that is unknown", admit("has(claims.groups)") + record("true")],
  ])("leaves Discord what it has where a rule reads %s", async (_, rules) => {
    await withImported(rules, ["anna"], async (janus, [user = ""]) => {
      const { counts } = await runSync(janus.deps, { kind: "due" }, waiting());
      const again = await runSync(janus.deps, { kind: "all" }, waiting());

      expect([counts.failed, again.counts.failed]).toEqual([0, 0]);
      expect(janus.discord.roleConnection(user)).toMatchObject({
        platform_name: "Earlier",
        metadata: { member: "1" },
      });
      expect(await linkOf(janus, user)).toMatchObject({ pushDueAt: null, lossDueAt: null });
    });
  });

  test.each([
    ["username", 'claims.preferred_username == "anna"'],
    ["subject", 'subject == "anna"'],
  ] as const)("tells what the rules know of somebody known by %s", async (column, rule) => {
    const work: Parameters<typeof withImported>[2] = async (janus, users) => {
      await runSync(janus.deps, { kind: "due" }, waiting());

      expect(users.map((user) => janus.discord.roleConnection(user)?.metadata.member)).toEqual(["1", "0"]);
    };

    await withImported(record(rule), ["anna", "bo"], work, column);
  });

  test("does not take a username that the import lacks for one that the provider left out", async () => {
    const rules = record("!has(claims.preferred_username) ? false : true");

    const work: Parameters<typeof withImported>[2] = async (janus, [user = ""]) => {
      await runSync(janus.deps, { kind: "due" }, waiting());

      expect(janus.discord.roleConnection(user)).toMatchObject({ platform_name: "Earlier" });
    };

    await withImported(rules, ["anna"], work, "subject");
  });

  test("lets the brake hold the role connections of many whom the rules refuse", async () => {
    const names = Array.from({ length: 20 }, (_, index) => (index < 12 ? `out${index}` : `in${index}`));
    const rules = admit('claims.preferred_username.startsWith("in")') + record("true");

    await withImported(rules, names, async (janus, users) => {
      const { counts } = await runSync(janus.deps, { kind: "due" }, waiting());

      expect(counts).toMatchObject({ checked: 20, held: 12 });
      expect(users.filter((user) => janus.discord.roleConnection(user) === undefined)).toEqual([]);
    });
  });

  test("tells all of it once the member has signed in", async () => {
    await withImported(record('"members" in claims.groups'), ["anna", "bo"], async (janus, users) => {
      await runSync(janus.deps, { kind: "due" }, waiting());
      for (const [index, user] of users.entries()) {
        const groups = index === 0 ? ["members"] : [];
        janus.provider.signInAs({ sub: `sub-${user}`, preferred_username: ["anna", "bo"][index], groups });
        await linkMember(janus, user);
      }

      expect(users.map((user) => janus.discord.roleConnection(user)?.metadata)).toEqual([
        { member: "1" },
        { member: "0" },
      ]);
    });
  });

  test("spends the refresh token of an imported link once, whatever is due", async () => {
    await withImported(record("true"), ["anna"], async (janus, [user = ""]) => {
      await runSync(janus.deps, { kind: "due" }, waiting());
      await setOfLink(janus, "link", "push_due_at = now()", user);
      await runSync(janus.deps, { kind: "all" }, waiting());

      const refreshes = janus.discord.calls.filter(({ operation }) => operation === "token_refresh");
      expect(refreshes).toHaveLength(1);
    });
  });
});

/** Claims and records that are named like a part of every object. A program that takes names for such parts loses them. */
import { expect, test } from "bun:test";
import { pushDueLinks } from "../../lib/sync/push.ts";
import { recordOf } from "../fixtures/rules.ts";
import { writeRules } from "../fixtures/rules_file.ts";
import { useDatabase, useFolder, useJanus } from "../harness/hooks.ts";
import { startJanusWithForger } from "../harness/janus.ts";
import { linkOf, setTime } from "../harness/rows.ts";
import { linkMember, newUser } from "../harness/walk.ts";

const NAMES = ["constructor", "prototype", "__proto__"] as const;
const RULES = NAMES.map((name) => recordOf(`claims["${name}"]`, "boolean_equal", name)).join("");

const folder = useFolder("odd-names");
const database = useDatabase();
const janus = useJanus(async () =>
  startJanusWithForger({ database, environment: await writeRules(folder, RULES) }),
);

async function signIn(user: string, claims: Readonly<Record<string, unknown>>): Promise<void> {
  janus.provider.signInAs({ sub: `subject-of-${user}`, preferred_username: "anna", ...claims });
  await linkMember(janus, user);
}

test.each(NAMES)("pushLink() pushes and keeps a record and a claim named %s", async (name) => {
  const user = newUser();
  const heldBy = () => Object.entries(janus.discord.roleConnection(user)?.metadata ?? {});

  await signIn(user, Object.fromEntries([[name, true]]));
  const linked = heldBy();
  const link = await linkOf(janus, user);
  // Again, with the claims that are stored, and then with none: what is unknown keeps what was pushed.
  await setTime(janus, "link", "push_due_at", -1, user);
  await pushDueLinks(janus.deps);
  const again = heldBy();
  await signIn(user, {});

  expect(linked).toEqual([[name, "1"]]);
  expect(link).toMatchObject({ pushDueAt: null });
  expect(again).toEqual(linked);
  expect(heldBy()).toEqual(linked);
});

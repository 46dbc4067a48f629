/** `/janus whois` in Discord: which admins are told of a member, who is told nothing, and what is kept of a look. */
import { beforeEach, describe, expect, test } from "bun:test";
import {
  answerOf,
  by,
  COMMANDS_ENVIRONMENT,
  GUILD,
  looksAt,
  NO_ADMIN,
  OTHER_GUILD,
  watchCommands,
  whois,
} from "../fixtures/interactions.ts";
import { useDatabase, useJanus } from "../harness/hooks.ts";
import { startJanusWithForger } from "../harness/janus.ts";
import { rowsOf, rowsOfMember, trailOf } from "../harness/rows.ts";
import { callApi, signIn } from "../harness/sign_in.ts";
import { linkNewMember, newUser } from "../harness/walk.ts";

const database = useDatabase();
const janus = useJanus(() =>
  startJanusWithForger({
    database,
    environment: COMMANDS_ENVIRONMENT,
  }),
);
beforeEach(() => janus.provider.reset());

const linked = (username = "anna"): Promise<string> => linkNewMember(janus, { preferred_username: username });
const answerTo = (payload: unknown): Promise<string> => answerOf(janus, payload);
describe("/janus whois", () => {
  test("shows an admin a member's link, and the member that an admin has looked", async () => {
    const [user, admin] = [await linked("bo"), newUser()];
    const logged = watchCommands(janus);

    const answer = await answerTo(whois(user, by(admin, { username: "root" })));

    expect(answer).toMatch(
      new RegExp(
        `^<@${user}> has been linked to a The .* account since <t:\\d+:D>\\.\nName at The .*: bo\nWhat Discord`,
      ),
    );
    expect(answer).toEndWith(
      "- Member: yes\nDiscord has received the latest update.\nThe member can see that an admin has looked.",
    );
    expect(await looksAt(janus, user)).toMatchObject([
      { operator: `root (Discord ${admin})`, detail: { guild_id: GUILD }, requestId: expect.any(String) },
    ]);
    expect(logged()).toEqual([{ operation: "whois", outcome: "answered" }]);
    expect(await rowsOfMember(janus, "audit_event", admin)).toEqual([]);
  });

  test("says of a member without a link only that, and keeps nothing", async () => {
    const user = newUser();

    const answer = await answerTo(whois(user, by(newUser(), { locale: "sv-SE" })));

    expect(answer).toBe(`<@${user}> är inte kopplad till något konto hos The \\*Guild\\*.`);
    expect(await trailOf(janus, user)).toEqual([]);
  });

  test("tells an admin of another server nothing, of nobody", async () => {
    const user = await linked();

    const answers = [
      await answerTo(whois(user, by(newUser(), { guildId: OTHER_GUILD }))),
      await answerTo(whois(newUser(), by(newUser(), { guildId: OTHER_GUILD }))),
      await answerTo(whois(user, by(newUser(), { guildId: undefined }))),
    ];

    expect(new Set(answers).size).toBe(1);
    expect(answers[0]).toStartWith("Janus does not show links of members in this server.");
    expect(await looksAt(janus, user)).toEqual([]);
  });

  test("tells nothing of somebody who is in another server alone", async () => {
    const user = await linked();

    const answers = [
      await answerTo(whois(user, by(newUser(), { members: [] }))),
      await answerTo(whois(user, by(newUser(), { members: [newUser()] }))),
    ];

    expect(new Set(answers)).toEqual(new Set([`<@${user}> is not a member of this server.`]));
    expect(await looksAt(janus, user)).toEqual([]);
  });

  test("tells a member without the permission nothing, whatever a channel gives them", async () => {
    const user = await linked();
    const logged = watchCommands(janus);

    const answers = [
      await answerTo(whois(user, by(newUser(), { permissions: NO_ADMIN }))),
      await answerTo(whois(newUser(), by(newUser(), { permissions: "0" }))),
      // Not even of themselves: `/janus status` is for that.
      await answerTo(whois(user, by(user, { permissions: NO_ADMIN }))),
    ];

    expect(new Set(answers).size).toBe(1);
    expect(answers[0]).toContain("Manage Server");
    expect(await looksAt(janus, user)).toEqual([]);
    expect(logged()).toEqual(Array(3).fill({ operation: "whois", outcome: "refused" }));
  });

  test.each([
    ["Manage Server", String(1n << 5n)],
    ["Administrator", String(1n << 3n)],
  ])("answers somebody with the permission %s alone", async (_, permissions) => {
    const user = await linked();

    expect(await answerTo(whois(user, by(newUser(), { permissions })))).toStartWith(`<@${user}>`);
  });

  test("tells nothing to a repeat, which has no second look in the trail", async () => {
    const user = await linked();
    const payload = whois(user, by(newUser()));
    await answerTo(payload);
    janus.clock.advance(200);

    const repeats = await Promise.all([answerTo(payload), answerTo(payload)]);

    expect(new Set(repeats)).toEqual(new Set(["Janus has answered this command already. Send it again."]));
    expect(await looksAt(janus, user)).toHaveLength(1);
  });

  test("answers one of two equal commands that come at once", async () => {
    const user = await linked();
    const payload = whois(user, by(newUser()));

    const answers = await Promise.all([answerTo(payload), answerTo(payload), answerTo(payload)]);

    expect(answers.filter((answer) => answer.startsWith("<@"))).toHaveLength(1);
    expect(await looksAt(janus, user)).toHaveLength(1);
  });

  test("remembers no command that has told nothing", async () => {
    const before = await rowsOf(janus, "received_event");

    await answerTo(whois(newUser(), by(newUser())));
    await answerTo(whois(await linked(), by(newUser(), { permissions: "0" })));

    expect(await rowsOf(janus, "received_event")).toEqual(before);
  });

  test("is in the copy of the member's data, without the admin's name", async () => {
    const [user, admin] = [await linked(), newUser()];
    await answerTo(whois(user, by(admin, { username: "root" })));

    const browser = await signIn(janus, user);
    const copy = await (await callApi(janus, "/api/me/export", { browser })).json();

    expect(copy.audit_trail.filter(({ action }: { action: string }) => action === "looked_at")).toMatchObject(
      [{ by_operator: true, detail: { guild_id: GUILD } }],
    );
    expect(JSON.stringify(copy)).not.toContain(admin);
    expect(JSON.stringify(copy)).not.toContain("root");
  });
});

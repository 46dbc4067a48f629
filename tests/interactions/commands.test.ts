/** Commands in Discord: who is answered what, who is told nothing, and what is kept of it. */
import { beforeEach, describe, expect, test } from "bun:test";
import { DISCORD_PUBLIC_KEY, deauthorization, sendEvent, signEvent } from "../fixtures/discord_events.ts";
import { secondsOf } from "../fixtures/hook.ts";
import {
  answerOf,
  by,
  COMMANDS_ENVIRONMENT,
  commandOf,
  looksAt,
  OTHER_GUILD,
  PING,
  sendInteraction,
  status,
  watchCommands,
  whois,
} from "../fixtures/interactions.ts";
import { useDatabase, useJanus } from "../harness/hooks.ts";
import { startJanusWithForger } from "../harness/janus.ts";
import { rowsOf, rowsOfMember, setOfLink } from "../harness/rows.ts";
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
describe("POST /discord/interactions", () => {
  test("answers a PING with a PONG", async () => {
    const response = await sendInteraction(janus, PING);

    expect([response.status, await response.json()]).toEqual([200, { type: 1 }]);
    expect(response.headers.get("content-type")).toStartWith("application/json");
  });

  test("refuses a signature that is not the application's, even on a PING", async () => {
    const wrong = await sendInteraction(janus, PING, { isOurs: false });
    const missing = await sendInteraction(janus, PING, { headers: { "x-signature-ed25519": "" } });
    const body = JSON.stringify(status(by(newUser())));
    const changed = await fetch(`${janus.url}/discord/interactions`, {
      method: "POST",
      headers: signEvent(body, janus.clock.now()),
      body: body.replace("status", "whois"),
    });

    expect([wrong.status, missing.status, changed.status]).toEqual([401, 401, 401]);
    expect([await wrong.text(), await changed.text()]).toEqual(["", ""]);
  });

  test("takes nothing that Discord has signed for its events, nor do these take a command", async () => {
    const user = await linked();
    const before = await rowsOfMember(janus, "discord_token", user);

    const event = await sendInteraction(janus, deauthorization(user, janus.clock.now()));
    const command = await sendEvent(janus, whois(user, by(newUser())));

    // A number of the two means another thing to each: 1 is an event there, and the question whether Janus is there here.
    expect([event.status, await event.json()]).toEqual([200, { type: 1 }]);
    expect(command.status).toBe(400);
    expect(await rowsOfMember(janus, "discord_token", user)).toEqual(before);
    expect(await looksAt(janus, user)).toEqual([]);
  });

  test("refuses a command that was signed more than five minutes ago", async () => {
    const user = await linked();
    const old = secondsOf(new Date(janus.clock.now().getTime() - 301_000));

    const response = await sendInteraction(janus, whois(user, by(newUser())), { timestamp: old });

    expect([response.status, await response.text()]).toEqual([401, ""]);
    expect(await looksAt(janus, user)).toEqual([]);
  });

  const command = commandOf("status", by("1"));
  test.each<[string, unknown]>([
    ["no JSON", "{"],
    ["nothing", ""],
    ["a list", []],
    ["another application's", { ...PING, application_id: "1" }],
    ["a button", { ...command, type: 3 }],
    ["an autocompletion", { ...command, type: 4 }],
    ["a command without a sender", { ...command, member: undefined, guild_id: undefined }],
    ["a member without a server", { ...command, guild_id: undefined }],
    ["a server without a member", { ...command, member: undefined, user: { id: "1", username: "a" } }],
    ["permissions that are no number", commandOf("status", by("1", { permissions: "-1" }))],
    ["a command without a name", { ...command, data: { ...command.data, name: undefined } }],
    ["a command of a user's menu", { ...command, data: { ...command.data, type: 2 } }],
    ["more options than there are", { ...command, data: { ...command.data, options: Array(26).fill({}) } }],
    ["options that are no list", { ...command, data: { ...command.data, options: { 0: {} } } }],
  ])("refuses %s", async (_, payload) => {
    const response = await sendInteraction(janus, payload);

    expect([response.status, await response.text()]).toEqual([400, ""]);
  });

  test("says that it does not know a command that it does not have", async () => {
    const others = [
      commandOf("status", by("1", { name: "other" })),
      commandOf("remove", by("1")),
      { ...command, data: { ...command.data, options: [] } },
      { ...command, data: { ...command.data, options: [{ type: 3, name: "status", value: "x" }] } },
      whois("1", by("1", { options: [] })),
      whois("1", by("1", { options: [{ type: 3, name: "member", value: "1" }] })),
      whois("1", by("1", { options: [{ type: 6, name: "member", value: "@everyone" }] })),
    ];

    for (const other of others)
      expect(await answerTo(other)).toStartWith("Janus does not know this command.");
  });

  test("takes no body over 64 KiB", async () => {
    const response = await sendInteraction(janus, { ...PING, more: "x".repeat(70_000) });

    expect(response.status).toBe(413);
  });
});

describe("/janus status", () => {
  test("shows one's own link, in any server and in a direct message", async () => {
    const user = await linked("anna_b");
    const logged = watchCommands(janus);

    const answers = [
      await answerTo(status(by(user))),
      await answerTo(status(by(user, { guildId: OTHER_GUILD }))),
      await answerTo(status(by(user, { guildId: undefined }))),
    ];

    const since = Math.floor(janus.clock.now().getTime() / 1_000);
    expect(new Set(answers).size).toBe(1);
    expect(answers[0]?.replace(/<t:(\d+):D>/, (_, at) => (since - Number(at) < 60 ? "TODAY" : at))).toBe(
      [
        "Your Discord account has been linked to your The \\*Guild\\* account since TODAY.",
        "Name at The \\*Guild\\*: anna\\_b",
        "What Discord knows through The \\*Guild\\*:",
        "- Member: yes",
        "Discord has received the latest update.",
        `Your page has more, and everything that you can do: ${janus.url}/account`,
      ].join("\n"),
    );
    expect(await looksAt(janus, user)).toEqual([]);
    expect(logged()).toEqual(Array(3).fill({ operation: "status", outcome: "answered" }));
  });

  test("shows somebody without a link how to make one, and keeps nothing of them", async () => {
    const user = newUser();

    const answer = await answerTo(status(by(user)));

    expect(answer).toBe(
      `Your Discord account is not linked to a The \\*Guild\\* account. You can link it here: ${janus.url}/linked-role`,
    );
    expect(await rowsOfMember(janus, "audit_event", user)).toEqual([]);
    expect(await rowsOfMember(janus, "discord_account", user)).toEqual([]);
    expect(janus.logLines.join("\n")).not.toContain(user);
  });

  test.each([
    ["en-US", "Your Discord account is not linked"],
    ["sv-SE", "Ditt Discordkonto är inte kopplat"],
    ["de", "Dein Discord-Konto ist mit keinem Konto"],
    ["fi", "Your Discord account is not linked"],
    ["svx", "Your Discord account is not linked"],
  ])("speaks the language of the one who asks: %s", async (locale, beginning) => {
    expect(await answerTo(status(by(newUser(), { locale })))).toStartWith(beginning);
  });

  test("says why somebody has no roles", async () => {
    const user = await linked();
    await setOfLink(
      janus,
      "link",
      "cleared_at = now(), clear_cause = 'membership_ended', gone_at = now(), gone_source = 'hook', push_due_at = null",
      user,
    );

    const answer = await answerTo(status(by(user, { locale: "sv-SE" })));

    expect(answer).toContain("- Medlem: okänt\nDiscord ger inga roller via");
    expect(answer).toMatch(/<t:\d+:D> meddelade .* Janus att medlemskapet har upphört\./);
    expect(answer).not.toContain("anna");
  });

  test("does not take somebody else's name for an id", async () => {
    const asker = newUser();
    await linked(asker);

    expect(await answerTo(status(by(asker)))).toContain("is not linked");
  });
});

test("Commands do not exist without DISCORD_PUBLIC_KEY, nor a look at others without servers", async () => {
  const closed = await startJanusWithForger({ database, environment: {} });
  const nowhere = await startJanusWithForger({ database, environment: { DISCORD_PUBLIC_KEY } });

  const missing = await sendInteraction({ url: closed.url, clock: janus.clock }, PING);
  const answer = await sendInteraction({ url: nowhere.url, clock: nowhere.clock }, whois("1", by("2")));

  expect(missing.status).toBe(404);
  expect((await answer.json()).data.content).toStartWith("Janus does not show links of members");
  await Promise.all([closed.stop(), nowhere.stop()]);
});

test("No line of the log and no answer holds a secret, or the name of the one who asks", async () => {
  const user = await linked();
  const answers = [await answerTo(status(by(user))), await answerTo(whois(user, by(newUser())))];

  const sealed = [...JSON.stringify(await rowsOf(janus, "discord_token")).matchAll(/k1[.:][\w.-]{20,}/g)];
  const secrets = [
    ...sealed.map(([secret]) => secret),
    ...janus.discord.tokens(user).map(({ token }) => token),
  ];
  expect(secrets.length).toBeGreaterThan(3);
  for (const secret of secrets) expect(answers.join()).not.toContain(secret);
  expect(answers.join() + janus.logLines.join("\n")).not.toMatch(/canary/);
});

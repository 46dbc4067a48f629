/** What commands are answered with, whatever names and values there are: in each language, within Discord's limits. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { readInteraction } from "../../lib/discord/interaction.ts";
import { commandsFor, maySeeOthers } from "../../lib/interactions/command_set.ts";
import type { SeenLink } from "../../lib/interactions/look.ts";
import { plain } from "../../lib/interactions/markdown.ts";
import { sayLook } from "../../lib/interactions/reply.ts";
import { COMMAND_TEXTS } from "../../lib/interactions/texts/languages.ts";
import { LANGUAGES } from "../../lib/text/languages.ts";
import { DISCORD_CLIENT_ID } from "../harness/janus.ts";

const AT = new Date("2026-11-28T12:00:00Z");
/** Discord refuses a longer message. */
const MAX_CONTENT = 2_000;

const STATES = ["told", "waiting", "losing", "cleared", "disconnected"] as const;
const SYNCS: readonly SeenLink["sync"][] = [
  { state: "checked" },
  { state: "check_failing", remedy: "wait" },
  { state: "not_readable", why: "unanswered" },
  { state: "grace", since: AT, until: AT },
  ...(["ended", "gone", "held", "disconnected", "discord_ended", "deauthorized"] as const).map((state) => ({
    state,
    since: AT,
  })),
];
const TYPES = [1, 2, 3, 4, 5, 6, 7, 8];
const noRule = { when: undefined };

const anyText = fc.oneof(
  fc.string({ unit: "grapheme", maxLength: 300 }),
  fc.string({ unit: fc.constantFrom(..."*_~`|>#-[]()<>@:!\\/.{}"), maxLength: 300 }),
);
const anyLook = fc.record({
  language: fc.constantFrom(...LANGUAGES),
  platformName: anyText,
  names: fc.array(anyText, { maxLength: 5 }),
  values: fc.array(fc.option(anyText), { minLength: 5, maxLength: 5 }),
  type: fc.constantFrom(...TYPES),
  platformUsername: fc.option(anyText),
  state: fc.constantFrom(...STATES),
  sync: fc.constantFrom(...SYNCS),
  kind: fc.constantFrom("own" as const, "other" as const),
});

function say(given: typeof anyLook extends fc.Arbitrary<infer Given> ? Given : never): string {
  const { language, platformName, names, values, type, platformUsername, state, sync, kind } = given;
  const records = names.map((name, index) => ({
    record: { key: `r${index}`, type, name, description: "d" },
    value: noRule,
  }));
  const link: SeenLink = {
    linkedAt: AT,
    state,
    sync,
    platformUsername,
    records: names.map((_, index) => ({
      key: `r${index}`,
      discordHas: values[index] ?? null,
      outcome: null,
    })),
  };
  const context = { language, platformName, publicUrl: "https://janus.example.org", rules: { records } };
  const look = kind === "own" ? { kind, link } : { kind, discordUserId: "200000000000000001", link };
  // The rules of the records do not matter here.
  return sayLook(context as unknown as Parameters<typeof sayLook>[0], look);
}

describe("sayLook()", () => {
  test("stays within Discord's limit, and lets no name act in the message", () => {
    fc.assert(
      fc.property(anyLook, (given) => {
        const content = say(given);

        expect(content.length).toBeLessThanOrEqual(MAX_CONTENT);
        // Of the marks that Janus itself does not write, each is behind a backslash.
        const ours = content
          .replaceAll("https://janus.example.org/account", "")
          .replaceAll(/<t:\d+:D>|<@\d+>/g, "");
        expect(ours.replaceAll(/\\[!-/:-@[-`{-~]/g, "")).not.toMatch(/[*_~`|>#[\]<@\\]/);
      }),
      { numRuns: 500 },
    );
  });

  test("stays within it with the longest names that there are", () => {
    const longest = "*".repeat(300);
    const given = { platformName: longest, names: Array(5).fill(longest), values: Array(5).fill(longest) };

    for (const language of LANGUAGES)
      for (const state of STATES)
        for (const sync of SYNCS)
          for (const kind of ["own", "other"] as const)
            expect(
              say({ ...given, language, state, sync, kind, type: 7, platformUsername: longest }).length,
            ).toBeLessThanOrEqual(MAX_CONTENT);
  });

  test("has a sentence for every state, in each language", () => {
    for (const language of LANGUAGES)
      for (const state of STATES)
        for (const sync of SYNCS) {
          const content = say({
            ...{ language, platformName: "Guild", names: ["Member"], values: ["1"], type: 7 },
            ...{ platformUsername: "anna", state, sync, kind: "own" },
          });

          expect(content).not.toMatch(/[{}]|undefined/);
          expect(content.split("\n").length).toBeGreaterThanOrEqual(sync.state === "checked" ? 6 : 7);
        }
  });

  test("shows dates and numbers as what they are", () => {
    const given = {
      ...{ language: "en" as const, platformName: "Guild", names: ["Since"], platformUsername: null },
      ...{ state: "told" as const, sync: { state: "checked" } as const, kind: "own" as const },
    };

    expect(say({ ...given, type: 6, values: ["2020-02-03T00:00:00Z"] })).toContain(
      "- Since: <t:1580688000:D>",
    );
    expect(say({ ...given, type: 2, values: ["12"] })).toContain("- Since: 12\n");
    expect(say({ ...given, type: 7, values: ["2020"] })).toContain("- Since: 2020\n");
    expect(say({ ...given, type: 7, values: ["0"] })).toContain("- Since: no\n");
    expect(say({ ...given, type: 6, values: ["soon"] })).toContain("- Since: soon\n");
  });

  test.each([
    ["@everyone", "\\@everyone"],
    ["<@1234>", "\\<\\@1234\\>"],
    ["https://evil.example", "https\\:\\/\\/evil\\.example"],
    ["**bold**\n# head", "\\*\\*bold\\*\\*\\# head"],
    ["\u202eabc", "abc"],
    ["åäö 😀", "åäö 😀"],
  ])("shows a name as it is written: %j", (name, shown) => {
    expect(plain(name, 60)).toBe(shown);
  });
});

describe("the commands", () => {
  test("have descriptions that Discord takes, in each language", () => {
    for (const { commands } of Object.values(COMMAND_TEXTS))
      for (const text of Object.values(commands)) {
        expect([...text].length).toBeLessThanOrEqual(100);
        expect(text).not.toBeEmpty();
      }
  });

  test("that look at others are in the chosen servers alone, for those who manage them", () => {
    const commands = commandsFor(["1", "2"]);

    expect(
      commands.map(({ guildId, command }) => [
        guildId,
        command.options.map(({ name }) => name),
        command.default_member_permissions,
      ]),
    ).toEqual([
      [undefined, ["status"], null],
      ["1", ["whois"], "32"],
      ["2", ["whois"], "32"],
    ]);
    expect(commandsFor([])).toHaveLength(1);
  });

  test("take Manage Server or Administrator, and no other permission", () => {
    const bits = Array.from({ length: 64 }, (_, bit) => bit).filter((bit) => maySeeOthers(1n << BigInt(bit)));

    expect(bits).toEqual([3, 5]);
  });
});

test("readInteraction() takes any body without an error", () => {
  const base = { application_id: DISCORD_CLIENT_ID, type: 2, id: "1", user: { id: "1", username: "a" } };
  const bodies = fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    fc.json().map((text) => Buffer.from(text)),
    fc.jsonValue().map((data) => Buffer.from(JSON.stringify({ ...base, data }))),
    fc
      .jsonValue()
      .map((options) => Buffer.from(JSON.stringify({ ...base, data: { name: "janus", options } }))),
  );

  fc.assert(
    fc.property(bodies, (body) => {
      const read = readInteraction(body, DISCORD_CLIENT_ID);

      expect(read === undefined || read.kind === "command").toBe(true);
    }),
  );
});

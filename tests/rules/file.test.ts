/** The rules file: what is right becomes a rule set, and every fault is told at once, with its place. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { describeRulesFault, parseRules } from "../../lib/rules/file.ts";
import { LOCALES, recordTypes } from "../../lib/rules/records.ts";
import { recordOf, rulesOf } from "../fixtures/rules.ts";

const RECORD = recordOf("true");
const SOURCE = '[[source]]\nname = "graph"\nurl = "https://graph.example.org/me"\n';
const ADMIT = '[admit]\nwhen = "true"\nmessage.en = "Only members can link."\n';

/** The faults of a file, each as a line. */
async function faultsOf(text: string): Promise<readonly string[]> {
  const parsed = await parseRules("rules.toml", text);
  return "rules" in parsed ? [] : parsed.faults.map((fault) => describeRulesFault("rules.toml", fault));
}

/** A record with another line in the place of one of its lines, or one more. */
const withLine = (key: string, line: string): string =>
  new RegExp(`^${key} = `, "m").test(RECORD)
    ? RECORD.replace(new RegExp(`^${key} = .*\\n`, "m"), line === "" ? "" : `${line}\n`)
    : `${RECORD}${line}\n`;

describe("parseRules()", () => {
  test("reads everything that a file can say", async () => {
    const rules = await rulesOf(`platform_username = 'claims.nickname'
[admit]
when = 'claims.email.endsWith("@student.example.org") && issuer != "x"'
message.en = "Only students can link."
message.sv = "Bara studenter."
[admin]
when = '"board" in claims.roles && sources.admins.is'
[[record]]
key = "member"
type = "boolean_equal"
name = "Member"
description = "Is a member"
name_localizations = { "sv-SE" = "Medlem" }
description_localizations = { "sv-SE" = "Är medlem" }
value = '"dsek.members" in claims.groups'
[[record]]
key = "since"
type = "datetime_less_than_or_equal"
name = "Since"
description = "Member since"
value = 'timestamp(sources.graph.since)'
${SOURCE}[[source]]
name = "admins"
url = "https://admins.example.org/"
[[source]]
name = "unread"
url = "https://unread.example.org/"
`);

    expect(rules.path).toBe("rules.toml");
    expect(rules.platformUsername?.expression).toBe("claims.nickname");
    expect(rules.admit?.message).toEqual({ en: "Only students can link.", sv: "Bara studenter." });
    expect(rules.records.map(({ record }) => record)).toEqual([
      {
        type: 7,
        key: "member",
        name: "Member",
        description: "Is a member",
        name_localizations: { "sv-SE": "Medlem" },
        description_localizations: { "sv-SE": "Är medlem" },
      },
      { type: 5, key: "since", name: "Since", description: "Member since" },
    ]);
    expect(rules.sources).toEqual([
      { name: "graph", url: "https://graph.example.org/me" },
      { name: "admins", url: "https://admins.example.org/" },
    ]);
    expect(rules.admin?.claimsRead).toEqual(["roles"]);
    expect(rules.claimsRead).toEqual(["nickname", "email", "roles", "groups"]);
    expect(rules.neededClaims).toEqual(["nickname", "email", "roles", "groups", "preferred_username"]);
    expect(rules.readsScim).toBe(false);
  });

  test("lets rules read sources.scim, which has no address", async () => {
    const rules = await rulesOf(recordOf('sources.scim.active && "staff" in sources.scim.groups'));

    expect(rules.readsScim).toBe(true);
    expect(rules.sources).toEqual([]);
  });

  test.each(["", "platform_username = ''\n"])("pushes no username if the file has %j", async (line) => {
    expect((await rulesOf(`${line}${RECORD}`)).platformUsername).toBeUndefined();
  });

  test.each([
    ["text that is not TOML", "a = [1,\n", "2:1: this is not TOML: Unterminated array"],
    ["a doubled key", `${RECORD}key = "b"\n`, "7:1: this is not TOML: Cannot redefine key 'key'"],
    ["a doubled table", `${ADMIT}${ADMIT}`, "4:2: this is not TOML: Cannot redefine table 'admit'"],
    ["lists in lists without end", `a = ${"[".repeat(100_000)}`, "nested too deeply"],
    [
      "an unknown key",
      `platfrom_username = ""\n${RECORD}`,
      '1:1: "platfrom_username" is not a key here: did you mean platform_username?',
    ],
    [
      "an unknown table",
      `${RECORD}[roles]\n`,
      '7:2: "roles" is not a key here: there are platform_username, admit, admin, record, source',
    ],
    [
      "a key like a part of an object",
      `${RECORD}[constructor]\na = 1\n`,
      '7:2: "constructor" is not a key here',
    ],
    ["no record", ADMIT, "rules.toml:1:1: no [[record]]: Discord needs one to five of them"],
    ["a list of no records", "record = []\n", "1:10: no [[record]]: Discord needs one to five of them"],
    [
      "a record that is a table",
      RECORD.replace("[[record]]", "[record]"),
      "1:2: record must be written as [[record]]",
    ],
    ["a record in dotted keys", 'record.key = "a"\n', "1:1: record must be written as [[record]]"],
    [
      "a part of a record before the record",
      '[record.name_localizations]\nde = "x"\n',
      "1:2: record must be written as [[record]]",
    ],
    [
      "six records",
      [1, 2, 3, 4, 5, 6].map((n) => recordOf("true", undefined, `r${n}`)).join(""),
      '31:3: record "r6": record 6: Discord takes at most 5 records',
    ],
    ["a record without a key", withLine("key", ""), '1:3: record "#1": key is missing'],
    [
      "a key in capitals",
      withLine("key", 'key = "Member"'),
      '2:7: record "Member": the key "Member" is not 1 to 50 of the characters',
    ],
    [
      "a key of 51 characters",
      withLine("key", `key = "${"k".repeat(51)}"`),
      "is not 1 to 50 of the characters",
    ],
    [
      "a key that is used twice",
      RECORD + RECORD,
      '8:7: record "member": the key "member" is that of another record',
    ],
    ["the key that Janus pushes for nothing", withLine("key", 'key = "janus_nothing_known"'), "is reserved"],
    [
      "a type in capitals",
      withLine("type", 'type = "BOOLEAN_EQUAL"'),
      `"BOOLEAN_EQUAL" is not a type of Discord: there are ${recordTypes().join(", ")}`,
    ],
    [
      "a type by its number",
      withLine("type", "type = 7"),
      '3:8: record "member": type must be a text in quotes',
    ],
    ["no name", withLine("name", ""), "name is missing"],
    ["a name that nobody sees", withLine("name", 'name = " \\u200b"'), '4:8: record "member": name is empty'],
    [
      "a name of 101 characters",
      withLine("name", `name = "${"n".repeat(101)}"`),
      "name is over 100 characters long",
    ],
    [
      "a name with a blank at its end",
      withLine("name", 'name = "Member "'),
      "name has blanks at its start or end",
    ],
    ["a name of two lines", withLine("name", 'name = "a\\nb"'), "name has a control character"],
    [
      "a description of 201 characters",
      withLine("description", `description = "${"d".repeat(201)}"`),
      "description is over 200 characters long",
    ],
    [
      "a locale that is a language",
      withLine("name_localizations", 'name_localizations = { sv = "x" }'),
      '7:24: record "member": "sv" is not a locale of Discord: did you mean sv-SE?',
    ],
    [
      "a locale that does not exist",
      withLine("name_localizations", 'name_localizations = { tlh = "x" }'),
      `there are ${LOCALES.join(", ")}`,
    ],
    [
      "a localized name that is empty",
      withLine("name_localizations", 'name_localizations = { de = "" }'),
      '7:29: record "member": name_localizations.de is empty',
    ],
    [
      "a localized description that is too long",
      withLine("description_localizations", `description_localizations = { de = "${"d".repeat(201)}" }`),
      "description_localizations.de is over 200",
    ],
    ["no value", withLine("value", ""), "value is missing"],
    ["a value that is not a text", withLine("value", "value = true"), "value must be a text in quotes"],
    [
      "an expression that is not CEL",
      recordOf("claims.a =="),
      '6:23: record "member": the expression ends too early',
    ],
    [
      "an unknown variable",
      recordOf("claim.a"),
      '6:12: record "member": claim is not a variable: there are claims, sources',
    ],
    [
      "an unknown function",
      recordOf("claims.a.startWith('x')".replaceAll("'", '"')),
      "startWith() is not available in rules",
    ],
    [
      "a result that the record cannot have",
      recordOf('claims.a == "x"', "integer_equal"),
      "the expression gives true or false, and a whole number is needed",
    ],
    [
      "a fraction for a whole number",
      recordOf("double(claims.a)", "integer_equal"),
      "int() makes a whole one",
    ],
    [
      "a text for a time",
      recordOf("string(claims.a)", "datetime_less_than_or_equal"),
      "timestamp() reads one as a time",
    ],
    [
      "a computed claim",
      recordOf("claims[claims.a] == 1"),
      '6:12: record "member": claims[…] needs a name in quotes',
    ],
    [
      "an expression of over 4 KB",
      recordOf(`"${"x".repeat(4_100)}" == ""`),
      "the expression is over 4096 characters long",
    ],
    [
      "a username that is no text",
      `platform_username = '1'\n${RECORD}`,
      "1:22: the expression gives a whole number, and a text is needed",
    ],
    ["admit without a condition", `[admit]\nmessage.en = "No."\n${RECORD}`, "1:2: when is missing"],
    ["admin without a condition", `[admin]\n${RECORD}`, "1:2: when is missing"],
    [
      "admin with a message",
      `[admin]\nwhen = "true"\nmessage.en = "No."\n${RECORD}`,
      '3:1: "message" is not a key here: there are when',
    ],
    ["admin by a number", `[admin]\nwhen = "1"\n${RECORD}`, "2:9: the expression gives a whole number"],
    [
      "admin by the Discord account",
      `[admin]\nwhen = 'discord.id == "1"'\n${RECORD}`,
      "2:8: the expression reads discord or linked_at: an administrator need not have a link",
    ],
    [
      "admin by the time of the link",
      `[admin]\nwhen = 'linked_at < now'\n${RECORD}`,
      "the expression reads discord or linked_at",
    ],
    ["admit without a message", `[admit]\nwhen = "true"\n${RECORD}`, "message.en is missing"],
    ["a message in Swedish alone", `[admit]\nwhen = "true"\nmessage.sv = "Nej."\n${RECORD}`, "en is missing"],
    [
      "a message in another language",
      `${ADMIT}message.fr = "Non."\n${RECORD}`,
      '4:1: "fr" is not a key here: there are en, sv, de',
    ],
    ["an empty message", `${ADMIT.replace("Only members can link.", " ")}${RECORD}`, "message.en is empty"],
    [
      "a message of 501 characters",
      `${ADMIT.replace("Only", "O".repeat(501))}${RECORD}`,
      "message.en is over 500 characters long",
    ],
    [
      "a source without https",
      `${RECORD}${SOURCE.replace("https", "http")}`,
      "9:7: url must be an https URL (http only on loopback)",
    ],
    ["a source with a password", `${RECORD}${SOURCE.replace("//", "//a:b@")}`, "url must be an https URL"],
    [
      "a source that is no address",
      `${RECORD}${SOURCE.replace("https://graph.example.org/me", "graph")}`,
      "url must be an https URL",
    ],
    [
      "a source by a name in capitals",
      `${RECORD}${SOURCE.replace('"graph"', '"Graph"')}`,
      'the name "Graph" is not a letter',
    ],
    [
      "two sources of one name",
      `${RECORD}${SOURCE}${SOURCE}`,
      '11:8: the name "graph" is that of another source',
    ],
    [
      "a source by the name of what a SCIM client tells",
      `${RECORD}${SOURCE.replace('"graph"', '"scim"')}`,
      'the name "scim" is that of what a SCIM client tells',
    ],
    [
      "six sources",
      RECORD + [1, 2, 3, 4, 5, 6].map((n) => SOURCE.replace("graph", `s${n}`)).join(""),
      "at most 5 sources",
    ],
    [
      "a source that is not declared",
      recordOf("sources.graph.x == 1"),
      "sources.graph is not declared: add a [[source]]",
    ],
  ])("tells of %s, with its place and nothing else", async (_, text, expected) => {
    const faults = await faultsOf(text);

    expect(faults).toEqual([expect.stringContaining(expected)]);
  });

  test("tells of all faults at once, in the order of the file", async () => {
    const faults = await faultsOf(`platform_name = "x"
[admit]
when = 'claims'
message.sv = "Nej."
[[record]]
key = "A"
type = "boolean"
name = ""
description = "${"d".repeat(201)}"
value = 'claims.x.matches("a")'
[[record]]
key = "b"
type = "integer_equal"
name = "B"
description = "B"
name_localizations = { sv = "x" }
value = 'true'
[[source]]
name = "s"
url = "http://example.org"
`);

    expect(faults.map((fault) => fault.split(":")[1])).toEqual([
      "1",
      "3",
      "4",
      "6",
      "7",
      "8",
      "9",
      "10",
      "16",
      "17",
      "20",
    ]);
    expect(faults.filter((fault) => fault.includes('record "A"'))).toHaveLength(5);
    expect(faults.filter((fault) => fault.includes('record "b"'))).toHaveLength(2);
  });

  test("shows no control character of the file in a message", async () => {
    const faults = await faultsOf(`"\\u001b[31m" = 1\n${withLine("key", 'key = "\\u001b[31m"')}`);
    const inExpressions = await Promise.all(
      [`claims.a \\u001b[31m`, `discord['\\u001b[31m'] == 'a'`, `sources['\\u009b'].a == 'a'`].map((value) =>
        faultsOf(withLine("value", `value = "${value}"`)),
      ),
    );

    expect([...faults, ...inExpressions.flat()].join("\n")).not.toMatch(/[^\P{Cc}\n]/u);
    expect(faults).toHaveLength(2);
    expect(inExpressions.flat()).toHaveLength(3);
  });

  test.each([
    ["a literal text", (text: string) => `'${text}'`, 0],
    ["a literal text of several lines", (text: string) => `'''\n${text}'''`, 1],
    [
      "a text of several lines after Windows' line end",
      (text: string) => `"""\r\n${text.replaceAll('"', '\\"')}"""`,
      1,
    ],
  ])("points into %s", async (_, quote, moreLines) => {
    const [fault] = await faultsOf(recordOf("").replace("''''''", quote('"a" == "b" && nope')));

    const column = moreLines === 0 ? 24 : 15;
    expect(fault).toStartWith(`rules.toml:${6 + moreLines}:`);
    expect(fault).toContain("nope is not a variable");
    const [, , found] = fault?.split(":") ?? [];
    // Escaped quotes before it take two characters each in the file.
    expect([column, column + 4]).toContain(Number(found));
  });

  test("finds the place of a key of ten thousand parts, and keeps no path for each", async () => {
    const text = `${RECORD}${"a.".repeat(10_000)}b = 1\n`;
    const before = process.memoryUsage.rss();

    const faults = await faultsOf(text);

    expect(faults).toEqual([expect.stringMatching(/^rules\.toml:\d+:1: .*"a" is not a key/)]);
    // The paths take 300 MB, and those of the longest key that Bun reads several GB.
    expect(process.memoryUsage.rss() - before).toBeLessThan(100 * 1024 ** 2);
  });

  test.each(["'''", '"""'])("points into lines that end as on Windows, in %s", async (quotes) => {
    const text = recordOf("").replace("''''''", `${quotes}\nclaims.a &&\n  nope${quotes}`);

    const [fault] = await faultsOf(text.replaceAll("\n", "\r\n"));

    expect(fault).toStartWith("rules.toml:8:3: ");
  });

  test("points at the character of the file, however the text before it is escaped", async () => {
    const escapedUnit = fc.constantFrom("\\u0061", "\\U0001F408", "\\n", '\\"', "a", "é", "\\t", "🐈");
    await fc.assert(
      fc.asyncProperty(fc.array(escapedUnit, { maxLength: 12 }), async (units) => {
        const before = `value = "'${units.filter((unit) => unit !== "\\n").join("")}' == `;
        const text = RECORD.replace(/^value = .*\n/m, `${before}nope"\n`);

        const [fault] = await faultsOf(text);

        expect(fault).toStartWith(`rules.toml:6:${before.length + 1}: `);
      }),
      { numRuns: 200 },
    );
  });
});

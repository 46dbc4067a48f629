/** Rows of a CSV: which files are refused as a whole, which rows are left out, and that no token is repeated. */
import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import fc from "fast-check";
import { createSealer } from "../../lib/crypto.ts";
import type { CollectDeps } from "../../lib/operator/import/collect.ts";
import { collectRows, MAX_ROWS } from "../../lib/operator/import/collect.ts";
import { createCsvSource } from "../../lib/operator/import/csv.ts";
import type { ImportSource } from "../../lib/operator/import/source.ts";
import { csvOf } from "../fixtures/imports.ts";
import { makeRingKey } from "../fixtures/sealed_rows.ts";
import { useFolder } from "../harness/hooks.ts";

const folder = useFolder("import_csv");
const NOW = new Date("2026-11-28T12:00:00Z");
const ISSUER = "https://id.example.org";
const sealer = createSealer([makeRingKey("k1")], "link tokens");
const DEPS: CollectDeps = {
  tokenSealer: sealer,
  now: () => NOW,
  config: { issuer: ISSUER, scim: undefined },
};
const ID = "200000000000000001";
const OTHER_ID = "200000000000000002";
const TOKEN = "canary-refresh-token";

const collect = (content: string | Uint8Array) => collectRows(DEPS, csvOf(folder, content));
const failing = (content: string | Uint8Array): Promise<unknown> =>
  collect(content).then(
    () => "read",
    (error: unknown) => error,
  );

describe("collectRows() of a CSV", () => {
  test.each([
    ["as it is", `discord_user_id,subject\n${ID},anna\n`],
    ["without an end of line", `discord_user_id,subject\n${ID},anna`],
    ["with a byte order mark", `\uFEFFdiscord_user_id,subject\n${ID},anna\n`],
    ["with CRLF", `discord_user_id,subject\r\n${ID},anna\r\n`],
    ["with quotes and blanks", `"discord_user_id", "subject"\n"${ID}" , "anna"\n\n`],
    ["with semicolons", `discord_user_id;subject\r\n${ID};anna\r\n`],
    ["as a Swedish Excel writes it", `\uFEFFdiscord_user_id;subject;refresh_token\r\n${ID};anna;\r\n`],
    ["with semicolons and quotes", `"discord_user_id" ; "subject"\n"${ID}";"anna"\n`],
    ["with tabs", `discord_user_id\tsubject\n${ID}\tanna\n`],
    ["with an empty token", `discord_user_id,subject,refresh_token\n${ID},anna,\n`],
  ])("reads a file %s", async (_, content) => {
    const { candidates, refused } = await collect(content);

    expect(refused).toEqual([]);
    expect(candidates).toMatchObject([
      {
        line: 2,
        discordUserId: ID,
        issuer: ISSUER,
        subject: "anna",
        username: null,
        claims: {},
        hasTokens: false,
      },
    ]);
  });

  test("takes a comma for a letter where semicolons separate fields, and the other way round", async () => {
    const [semicolons, commas] = [
      await collect(`discord_user_id;subject\n${ID};a,b\n${OTHER_ID};"c;d"\n`),
      await collect(`discord_user_id,subject\n${ID},a;b\n${OTHER_ID},c,d\n`),
    ];

    expect(semicolons.candidates.map(({ subject }) => subject)).toEqual(["a,b", "c;d"]);
    expect(commas.candidates.map(({ subject }) => subject)).toEqual(["a;b"]);
    expect(commas.refused).toMatchObject([{ line: 3, reason: "fields" }]);
  });

  test("takes a username for an account whose subject is not known", async () => {
    const { candidates } = await collect(`discord_user_id,username\n${ID},anna\n`);

    expect(candidates).toMatchObject([
      {
        issuer: `${ISSUER}#preferred_username`,
        subject: "anna",
        username: "anna",
        claims: { preferred_username: "anna" },
      },
    ]);
  });

  test("seals the refresh token for its row, and counts it as due", async () => {
    const { candidates } = await collect(`discord_user_id,subject,refresh_token\n${ID},"a,""b",${TOKEN}\n`);

    const [candidate] = candidates;
    const sealed = candidate?.refreshTokenSealed ?? "";
    expect(candidate).toMatchObject({ subject: 'a,"b', hasTokens: true, expiresAt: NOW });
    expect(sealer.open(sealed, `discord_token.refresh_token:${ID}`)).toBe(TOKEN);
    expect(sealer.open(sealed, `discord_token.refresh_token:${OTHER_ID}`)).toBeUndefined();
  });

  test.each([
    ["an empty file", "", "is empty"],
    ["no header", `${ID},anna\n`, "a line that Janus knows"],
    ["another header", "discord,subject\n", "a line that Janus knows"],
    ["another order", "subject,discord_user_id\n", "a line that Janus knows"],
    ["a column too many", "discord_user_id,subject,refresh_token,name\n", "a line that Janus knows"],
    ["another header and semicolons", "discord;subject\n", "separated by semicolons or tabs as well"],
    ["bars", `discord_user_id|subject\n${ID}|anna\n`, "a line that Janus knows"],
    ["semicolons and a comma", "discord_user_id;subject,refresh_token\n", "a line that Janus knows"],
    ["UTF-16", new Uint8Array([0xff, 0xfe, 0x64, 0x00]), "line 1: not text in UTF-8"],
    [
      "Latin-1",
      Buffer.from(`discord_user_id,subject\n${ID},\xe5sa\n`, "latin1"),
      "line 2: not text in UTF-8",
    ],
    [
      "half a character",
      Buffer.from([...Buffer.from("discord_user_id,subject\n"), 0xc3]),
      "line 2: not text in UTF-8",
    ],
    ["an open quote", `discord_user_id,subject\n${ID},"anna\n`, "not CSV"],
    ["a quote within a field", `discord_user_id,subject\n${ID},"an"na\n`, "line 2: not CSV"],
    [
      "a huge field",
      `discord_user_id,subject\n${ID},${"a".repeat(9_000)}\n`,
      "line 2: this row is over 8 KB",
    ],
    ["a huge line without an end", `discord_user_id,subject\n"${"a\n".repeat(900_000)}`, "over 8 KB"],
  ])("refuses a file with %s", async (_, content, reason) => {
    expect(await failing(content)).toMatchObject({
      code: "import_refused",
      message: expect.stringContaining(reason),
    });
  });

  test("names the line of what is not UTF-8, wherever the file is cut into pieces", async () => {
    // Each line has a character of two bytes, so that pieces begin within one.
    const lines = Array.from({ length: 20_000 }, (_, index) => `${ID},\u00e5${"x".repeat(index % 7)}\n`);
    const bad = 15_000;
    const content = Buffer.concat([
      Buffer.from("discord_user_id,subject\n"),
      ...lines.map((line, index) => Buffer.from(line, index === bad ? "latin1" : "utf8")),
    ]);

    expect(await failing(content)).toMatchObject({
      message: expect.stringContaining(`line ${bad + 2}: not text`),
    });
  });

  test("refuses a file that does not exist, and a folder", async () => {
    const errors = await Promise.all(
      [join(folder, "none.csv"), folder].map((path) =>
        collectRows(DEPS, createCsvSource(path)).catch((error: unknown) => error),
      ),
    );

    expect(errors).toMatchObject([
      { code: "import_refused", message: expect.stringContaining("There is no file") },
      { code: "import_refused", message: expect.stringContaining("is a folder: name a file in it.") },
    ]);
  });

  test("leaves rows out by their lines, and keeps the others", async () => {
    const rows = [
      `${ID},anna,`,
      `12345,bo,`,
      `8.03511E+16,bo,`,
      `0${ID},bo,`,
      `-1 or 1=1,bo,`,
      `${OTHER_ID},,`,
      `${OTHER_ID},${"b".repeat(256)},`,
      `${OTHER_ID},\u00e5sa,`,
      `${OTHER_ID},bo,to ken`,
      `${OTHER_ID},bo,${"t".repeat(2_049)}`,
      `${OTHER_ID},bo`,
      `${OTHER_ID},bo,,`,
    ];

    const { candidates, refused } = await collect(
      `discord_user_id,subject,refresh_token\n${rows.join("\n")}\n`,
    );

    expect(candidates.map(({ line }) => line)).toEqual([2]);
    expect(refused.map(({ line, reason }) => [line, reason])).toEqual([
      [3, "discord_user_id"],
      [4, "discord_user_id"],
      [5, "discord_user_id"],
      [6, "discord_user_id"],
      [7, "subject"],
      [8, "subject"],
      [9, "subject"],
      [10, "token"],
      [11, "token"],
      [12, "fields"],
      [13, "fields"],
    ]);
    expect(refused[0]?.discordUserId).toBeNull();
  });

  test("leaves out all rows of an account that stands in several, but not one that is repeated", async () => {
    const { candidates, refused, repeated } = await collect(
      [
        "discord_user_id,subject",
        `${ID},anna`,
        `${OTHER_ID},bo`,
        `${ID},another`,
        "200000000000000003,cleo",
        "200000000000000004,cleo",
        "200000000000000005,dan",
        "200000000000000005,dan",
        "",
      ].join("\n"),
    );

    expect(candidates.map(({ subject }) => subject)).toEqual(["bo", "dan"]);
    expect(refused.map(({ line, reason }) => [line, reason])).toEqual([
      [2, "discord_twice"],
      [4, "discord_twice"],
      [5, "account_twice"],
      [6, "account_twice"],
    ]);
    expect(repeated).toBe(1);
  });

  test("repeats nothing that stands in a file, whatever is wrong with it", async () => {
    const files = [
      `discord_user_id,subject,refresh_token\n${ID},anna,"${TOKEN}"x\n`,
      `discord_user_id,subject,refresh_token\n${ID},anna,${TOKEN.repeat(500)}\n`,
      `${TOKEN},subject\n`,
      `discord_user_id,subject,refresh_token\n${ID},anna,"${TOKEN}`,
    ];

    const errors = await Promise.all(files.map(failing));

    for (const error of errors) {
      expect(error).toMatchObject({ code: "import_refused" });
      expect(Bun.inspect(error)).not.toContain(TOKEN);
    }
  });

  test("takes no more rows than it has memory for", async () => {
    let given = 0;
    const endless: ImportSource = {
      kind: "csv",
      name: "endless.csv",
      counts: "line",
      read: ({ onMisshapen }) => {
        for (;;) {
          given += 1;
          onMisshapen(given);
        }
      },
    };

    const error = await collectRows(DEPS, endless).catch((thrown: unknown) => thrown);

    expect(error).toMatchObject({ code: "import_refused", message: expect.stringContaining("Split it") });
    expect(given).toBe(MAX_ROWS + 1);
  });

  test("gives each row one end, and never two links of one account", async () => {
    const field = fc.oneof(
      fc.constantFrom(ID, OTHER_ID, "anna", "bo", "", "1"),
      fc.string({ unit: "binary", maxLength: 8 }).filter((text) => !text.includes("\r")),
    );
    const quoted = (text: string): string => `"${text.replaceAll('"', '""')}"`;
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(field, { minLength: 1, maxLength: 3 }), { maxLength: 12 }),
        async (rows) => {
          const lines = rows.map((row) => row.map(quoted).join());

          const { candidates, refused, repeated } = await collect(
            ["discord_user_id,subject", ...lines, ""].join("\n").toWellFormed(),
          );

          expect(new Set(candidates.map(({ discordUserId }) => discordUserId)).size).toBe(candidates.length);
          expect(new Set(candidates.map(({ subject }) => subject)).size).toBe(candidates.length);
          expect(candidates.length + refused.length + repeated).toBeLessThanOrEqual(rows.length);
          // A line with one empty field is an empty line.
          const full = rows.filter((row) => row.length > 1 || row[0]?.trim() !== "");
          expect(candidates.length + refused.length + repeated).toBeGreaterThanOrEqual(full.length);
        },
      ),
      { numRuns: 200 },
    );
  });
});

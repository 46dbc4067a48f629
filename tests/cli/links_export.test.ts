/** `janus links export` as a command: each format, its file, what it leaves behind when it fails, and what it never has. */
import { describe, expect, test } from "bun:test";
import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { CSV_HEAD, linkAsCsv, linkAsJson } from "../../lib/cli/link_list_view.ts";
import type { ListedLink } from "../../lib/operator/select_links.ts";
import { run, runOnTerminal } from "../fixtures/command.ts";
import { addLinkOf } from "../fixtures/stored_link.ts";
import { onPostgres } from "../harness/database.ts";
import { useCommandHost, useDatabase, useFolder } from "../harness/hooks.ts";

const folder = useFolder("links_export");
const host = useCommandHost(folder);

const LINK: ListedLink = {
  discordUserId: "1",
  username: 'an"na,',
  globalName: "=1+1",
  issuer: "https://id.example",
  subject: "-sub",
  names: { preferred_username: "line\nbreak" },
  state: "told",
  linkedAt: new Date("2026-01-01Z"),
  claimsSeenAt: new Date("2026-01-02Z"),
  pushedMetadata: { member: "1" },
  pushedAt: null,
  pushDueAt: null,
  pushFailures: 0,
  checkDueAt: new Date("2026-01-03Z"),
  checkFailures: 0,
  checkFailedCode: null,
  pushFailedCode: null,
};

/** The cells of one record, as RFC 4180 has them. */
const cellsOf = (line: string): readonly string[] =>
  [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,"\r\n]*))/g)].map(([, quoted, plain = ""]) =>
    quoted === undefined ? plain : quoted.replaceAll('""', '"'),
  );

describe("linkAsCsv()", () => {
  test("gives back whatever a name is, with a mark before what would be a formula", () => {
    const name = fc.string({
      unit: fc.constantFrom("a", '"', ",", "\n", "\r", "=", "-", "＝", "'", "Ö"),
      minLength: 1,
    });
    fc.assert(
      fc.property(name, (username) => {
        const cells = cellsOf(linkAsCsv({ ...LINK, username }));

        expect(cells).toHaveLength(CSV_HEAD.split(",").length);
        expect(cells[1]).toBe(/^[=\-＝\r\n]/.test(username) ? `'${username}` : username);
      }),
    );
  });

  test("has a cell for each column, quoted where needed, and no formula", () => {
    const line = linkAsCsv(LINK);

    expect(CSV_HEAD.split(",")).toEqual(Object.keys(linkAsJson(LINK)));
    expect(line).toStartWith(`1,"an""na,",'=1+1,https://id.example,'-sub,`);
    expect(line).toEndWith(
      `,told,2026-01-01T00:00:00.000Z,2026-01-02T00:00:00.000Z,"{""member"":""1""}",,,0,,2026-01-03T00:00:00.000Z,0,`,
    );
  });
});

test.each([
  [["--format", "xml"], "csv, json, ndjson"],
  [["--json", "--format", "csv"], "--json prints JSON."],
  [["--semicolons", "all.json"], "--semicolons is for csv, and this is json."],
])("janus links export refuses %j", async (options, reason) => {
  const ended = await host.run("index.ts", ["links", "export", ...options], {});

  expect(ended).toMatchObject({ exitCode: 2, stdout: "", stderr: expect.stringContaining(reason) });
});

// A command needs the database beside this test, which the embedded one does not allow.
describe.if(onPostgres)("janus links export on PostgreSQL", () => {
  const database = useDatabase();
  const environment = (): Record<string, string> => ({
    DATABASE_URL: database.config.url ?? "",
    JANUS_OPERATOR: "anna",
  });
  const exportLinks = (...args: readonly string[]) =>
    host.run("index.ts", ["links", "export", ...args], environment());
  const trail = () =>
    database.rows(
      "select operator, detail from audit_event where action = 'links_exported' order by audit_event_id desc limit 1",
    );
  async function addLinks(): Promise<void> {
    for (const id of ["1", "2", "3"])
      await addLinkOf(database, {
        discordUserId: id,
        claims: { secret: "canary" },
        pushed: id === "3" ? null : { member: "1" },
      });
    await database.rows(
      "update discord_token set access_token_sealed = 'canary', refresh_token_sealed = 'canary'",
    );
  }

  test.each([
    ["csv", (text: string) => text.trim().split("\n").slice(1)],
    ["json", (text: string) => JSON.parse(text)],
    [
      "ndjson",
      (text: string) =>
        text
          .trim()
          .split("\n")
          .map((line) => JSON.parse(line)),
    ],
  ] as const)(
    "writes %s to standard output and to a file, without tokens and claims",
    async (format, read) => {
      await addLinks();
      const file = `all.${format}`;

      const printed = await exportLinks("--format", format);
      const written = await exportLinks(file);
      const selected = await exportLinks("--format", format, "--state", "told");
      const text = await Bun.file(join(folder, file)).text();

      expect([printed.exitCode, printed.stderr, read(printed.stdout).length]).toEqual([0, "", 3]);
      expect(written).toEqual({ exitCode: 0, stdout: `3 links are in ${file}.\n`, stderr: "" });
      expect(text).toBe(printed.stdout);
      expect(text).not.toContain("canary");
      expect(statSync(join(folder, file)).mode & 0o777).toBe(0o600);
      expect(read(selected.stdout)).toHaveLength(2);
      expect(await trail()).toEqual([{ operator: "anna", detail: { format, selected_by: ["state"] } }]);
    },
  );

  test.each(["csv", "json", "ndjson"])("writes %s also where there is no link", async (format) => {
    const { exitCode, stdout } = await exportLinks("--format", format);

    expect([exitCode, stdout]).toEqual([
      0,
      { csv: `${CSV_HEAD}\n`, json: "[\n]\n", ndjson: "" }[format] ?? "",
    ]);
  });

  test("overwrites no file, and leaves none if it fails", async () => {
    await addLinks();
    await Bun.write(join(folder, "mine.csv"), "mine");

    const [there, unwritable] = [await exportLinks("mine.csv"), await exportLinks("nowhere/all.csv")];
    await database.rows("alter table organisation_account rename column claims_seen_at to hidden");
    const failed = await exportLinks("failed.csv");
    await database.rows("alter table organisation_account rename column hidden to claims_seen_at");

    expect(there).toMatchObject({ exitCode: 2, stderr: "janus: mine.csv exists already: name another.\n" });
    expect(await Bun.file(join(folder, "mine.csv")).text()).toBe("mine");
    expect(unwritable).toMatchObject({
      exitCode: 2,
      stderr: "janus: There is no folder nowhere: make it, or name another one.\n",
    });
    const left = readdirSync(folder).filter((name) => name.startsWith("failed"));
    expect([failed.exitCode, left]).toEqual([1, []]);
  });

  test("writes what a Swedish Excel opens with --semicolons", async () => {
    await addLinkOf(database, { discordUserId: "1" });
    await database.rows("update discord_account set username = 'Å;sa', global_name = 'a,b'");

    const { exitCode } = await exportLinks("excel.csv", "--semicolons");
    const text = Buffer.from(await Bun.file(join(folder, "excel.csv")).arrayBuffer()).toString("utf8");

    const [head = "", line = ""] = text.split("\n");
    expect([exitCode, head]).toEqual([0, `\uFEFF${CSV_HEAD.replaceAll(",", ";")}`]);
    expect(line).toStartWith('1;"Å;sa";"a,b";');
  });

  test("takes - for standard output, as other commands do", async () => {
    await addLinks();

    const { exitCode, stdout } = await exportLinks("-", "--format", "ndjson");

    expect([exitCode, stdout.trim().split("\n").length]).toEqual([0, 3]);
    expect(existsSync(join(folder, "-"))).toBe(false);
  });

  const NAMED = { username: "a\u001b[2Jb\u009b31m\u202ec" };

  test.each(["csv", "json", "ndjson"])("writes no control character to a terminal as %s", async (format) => {
    await addLinkOf(database, { discordUserId: "1" });
    await database.rows(String.raw`update discord_account set username = U&'a\001b[2Jb\009b31m\202ec'`);
    const asked = ["links", "export", "--format", format];

    const [shown, piped] = [
      await runOnTerminal(folder, asked, environment(), { shown: "never shown", keys: "" }),
      await exportLinks("--format", format),
    ];

    expect(shown.exitCode).toBe(0);
    expect(shown.stdout.replaceAll("\n", "")).toMatch(/^\P{C}*$/u);
    if (format === "csv") {
      expect(shown.stdout).toContain("b\\u{9b}31m\\u{202e}c");
      expect(piped.stdout).toContain("b\u009b31m\u202ec");
      return;
    }
    // The same on a terminal and in a pipe: JSON has codes of its own.
    expect(shown.stdout).toBe(piped.stdout);
    expect(JSON.parse(piped.stdout)).toEqual(
      format === "json" ? [expect.objectContaining(NAMED)] : expect.objectContaining(NAMED),
    );
  });

  test("keeps the number of the account where neither the environment nor the operator gives a name", async () => {
    await run(folder, "index.ts", ["links", "export"], { DATABASE_URL: database.config.url ?? "" });
    const [unnamed] = await trail();
    await run(folder, "index.ts", ["links", "export"], {
      DATABASE_URL: database.config.url ?? "",
      USER: "janus",
    });
    const [named] = await trail();

    expect([unnamed?.operator, named?.operator]).toEqual([`uid ${process.getuid?.()}`, "janus"]);
  });

  test("tells the result as JSON, and shows on a terminal how far it is", async () => {
    await addLinks();

    const json = await exportLinks("told.csv", "--json");
    const shown = await runOnTerminal(folder, ["links", "export", "shown.csv"], environment(), {
      shown: "never shown",
      keys: "",
    });

    expect(JSON.parse(json.stdout)).toEqual({ file: "told.csv", format: "csv", links: 3 });
    expect([shown.exitCode, shown.stdout]).toEqual([0, expect.stringContaining("3 links are in shown.csv.")]);
  });
});

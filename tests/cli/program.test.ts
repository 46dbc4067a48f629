/** Which words run which command, what is said of any other word, and that no output acts on a terminal. */
import { describe, expect, test } from "bun:test";
import type { Command } from "commander";
import fc from "fast-check";
import type { AddCommand } from "../../lib/cli/command.ts";
import { runProgram } from "../../lib/cli/program.ts";
import { listCommands } from "../../lib/cli/run.ts";
import { JanusError } from "../../lib/errors.ts";
import packageJson from "../../package.json" with { type: "json" };
import { run, runInShell } from "../fixtures/command.ts";
import { useFolder } from "../harness/hooks.ts";

const folder = useFolder("commands");

const COMMANDS = listCommands(() => {
  throw new Error("No test here starts a server.");
});

/** Makes each command write down its path, its arguments and its options instead of doing its work. */
const recordTo =
  (calls: unknown[][]): AddCommand =>
  (program) => {
    const record = (command: Command, path: readonly string[]): void => {
      if (command.commands.length === 0)
        command.action((...given: unknown[]) => {
          calls.push([path.join(" "), ...given.slice(0, -2), command.optsWithGlobals()]);
        });
      for (const child of command.commands) record(child, [...path, child.name()]);
    };
    record(program, []);
  };

/** What the arguments lead to: the calls, and what is printed or refused. */
async function parse(args: readonly string[]) {
  const calls: unknown[][] = [];
  try {
    return { calls, printed: await runProgram(args, [...COMMANDS, recordTo(calls)]), refused: undefined };
  } catch (error) {
    if (!(error instanceof JanusError)) throw error;
    return { calls, printed: undefined, refused: error };
  }
}

const PATHS = [
  "",
  " serve",
  " migrate",
  " register",
  " metadata",
  " metadata show",
  " explain",
  " healthcheck",
  " audit",
  " config",
  " config check",
  " keys",
  " keys generate",
  " keys rotate",
  " keys status",
  " bans",
  " bans add",
  " bans remove",
  " bans list",
  " completions",
  " man",
] as const;

describe("runProgram()", () => {
  test.each([
    [[], ["serve"], {}],
    [["serve"], ["serve"], {}],
    [["--"], ["serve"], {}],
    [["serve", "--env-file", "a", "--env-file=b"], ["serve"], { envFile: ["a", "b"] }],
    [["--env-file", "a", "serve"], ["serve"], { envFile: ["a"] }],
    [["--env-file", "a", "--env-file", "b"], ["serve"], { envFile: ["a", "b"] }],
    [["--env-file", "a", "migrate", "--env-file", "b"], ["migrate", "up"], { envFile: ["a", "b"] }],
    [["migrate"], ["migrate", "up"], {}],
    [["migrate", "up", "--json"], ["migrate", "up"], { json: true }],
    [["--json", "--json", "migrate", "status"], ["migrate", "status"], { json: true }],
    [["--", "migrate", "status"], ["migrate", "status"], {}],
    [["-s"], ["migrate", "up"], { setup: true }],
    [["--setup", "--json"], ["migrate", "up"], { setup: true, json: true }],
    [["--env-file", "a", "-s"], ["migrate", "up"], { setup: true, envFile: ["a"] }],
    [["register"], ["register"], {}],
    [["-r"], ["register"], { register: true }],
    [["-r", "--json"], ["register"], { register: true, json: true }],
    [["register", "-y"], ["register"], { yes: true }],
    [["register", "--dry-run", "--json"], ["register"], { dryRun: true, json: true }],
    [["explain", "--claims", "-"], ["explain"], { claims: "-" }],
    [["explain", "--all", "--json"], ["explain"], { all: true, json: true }],
    [["explain", "--member", "anna"], ["explain"], { member: "anna" }],
    [["metadata", "show", "--json"], ["metadata show"], { json: true }],
    [["healthcheck"], ["healthcheck"], {}],
    [["audit", "--json"], ["audit"], { json: true }],
    [["audit", "--resolved", "80351110224678912"], ["audit"], { resolved: "80351110224678912" }],
    [["healthcheck", "--ready", "--json"], ["healthcheck"], { ready: true, json: true }],
    [["config", "check"], ["config check"], {}],
    [["keys", "generate", "--rotate"], ["keys generate"], { rotate: true }],
    [["keys", "generate", "--only", "COOKIE_SECRET"], ["keys generate"], { only: "COOKIE_SECRET" }],
    [
      ["keys", "generate", "--only=TOKEN_KEYS", "--rotate", "--json"],
      ["keys generate"],
      { only: "TOKEN_KEYS", rotate: true, json: true },
    ],
  ] as const)("runs %j", async (args, call, options) => {
    const { calls, refused } = await parse(args);

    expect(refused).toBeUndefined();
    expect(calls).toEqual([[...call, options]]);
  });

  test.each([
    [["migarte"], "unknown command 'migarte'\n(Did you mean migrate?)", "janus"],
    [["sevre"], "unknown command 'sevre'\n(Did you mean serve?)", "janus"],
    [["helthcheck", "--json"], "unknown command 'helthcheck'\n(Did you mean healthcheck?)", "janus"],
    [["xyzzy"], "unknown command 'xyzzy'", "janus"],
    [[""], "unknown command ''", "janus"],
    [["Serve"], "unknown command 'Serve'\n(Did you mean serve?)", "janus"],
    [["--jsn"], "unknown option '--jsn'\n(Did you mean --json?)", "janus"],
    [["migrate", "--jsn"], "unknown option '--jsn'\n(Did you mean --json?)", "janus migrate"],
    [["healthcheck", "--redy"], "unknown option '--redy'\n(Did you mean --ready?)", "janus healthcheck"],
    [["serve", "--rotate"], "unknown option '--rotate'", "janus serve"],
    [["--plugh"], "unknown option '--plugh'", "janus"],
    [["config", "chek"], "unknown command 'chek'\n(Did you mean check?)", "janus config"],
    [["keys", "genrate"], "unknown command 'genrate'\n(Did you mean generate?)", "janus keys"],
    [["help", "migarte"], "unknown command 'migarte'\n(Did you mean migrate?)", "janus"],
    [["help", "keys", "make"], "unknown command 'make'", "janus keys"],
    [["help", "migrate", "up"], "unknown command 'up'", "janus migrate"],
    [["--env-file"], "option '--env-file <path>' argument missing", "janus"],
    [
      ["migrate", "stauts"],
      "command-argument value 'stauts' is invalid for argument 'up|status'. Allowed choices are up, status.",
      "janus migrate",
    ],
    ...["TOKEN_KEY", "cookie_secret", "DATABASE_PASSWORD", ""].map(
      (name) =>
        [
          ["keys", "generate", "--only", name],
          `option '--only <name>' argument '${name}' is invalid. Allowed choices are TOKEN_KEYS, COOKIE_SECRET.`,
          "janus keys generate",
        ] as const,
    ),
  ] as const)("has a hint for %j", async (args, why, help) => {
    const { calls, refused } = await parse(args);

    expect(calls).toEqual([]);
    expect(refused?.message).toBe(`error: ${why}\nSee ${help} --help.`);
    expect(refused?.code).toBe("usage");
  });

  test.each([
    [["config"], "config needs a command: check.", "janus config"],
    [["keys", "--json"], "keys needs a command: generate, rotate, status.", "janus keys"],
    [["-rs"], "One command at a time, not --register and --setup.", "janus"],
    [["migrate", "-r"], "One command at a time, not --register and migrate.", "janus"],
    [["-s", "migrate", "status"], "One command at a time, not --setup and migrate.", "janus"],
    [["-s", "config", "check"], "One command at a time, not --setup and config.", "janus"],
  ] as const)("refuses %j, which is not one command", async (args, why, help) => {
    const { calls, refused } = await parse(args);

    expect(calls).toEqual([]);
    expect(refused?.message).toBe(`${why}\nSee ${help} --help.`);
    expect(refused?.code).toBe("usage");
  });

  test("refuses an id that is not a number for --resolved", async () => {
    const { calls, refused } = await parse(["audit", "--resolved", "anna"]);

    expect(calls).toEqual([]);
    expect(refused?.message).toBe("Not a Discord user id: anna.\nIt is a number, as janus audit lists it.");
    expect(refused?.code).toBe("usage");
  });

  test.each([...PATHS])("explains janus%s with an example, in 100 columns", async (path) => {
    const words = path.split(" ").slice(1);
    const asked = await Promise.all([parse([...words, "--help"]), parse([...words, "-h"])]);
    const helped = await parse(["help", ...words]);

    const { printed = "" } = helped;
    expect(asked.map((one) => one.printed)).toEqual([printed, printed]);
    expect(printed).toStartWith(`Usage: janus${path} [`);
    expect(printed).toMatch(/\nExamples:\n {2}\S/);
    expect(printed.split("\n").filter((line) => line.length > 100)).toEqual([]);
    expect([...asked, helped].flatMap(({ calls }) => calls)).toEqual([]);
  });

  test("returns the version for any command, and runs none", async () => {
    const given = await Promise.all([parse(["-v"]), parse(["--version"]), parse(["migrate", "-v"])]);

    expect(given.map(({ printed, calls }) => [printed, calls])).toEqual(
      given.map(() => [packageJson.version, []]),
    );
  });

  test("runs one command, returns a text or refuses, for any words", async () => {
    const word = fc.oneof(
      fc.constantFrom("serve", "migrate", "status", "config", "check", "keys", "generate", "help", "--"),
      fc.constantFrom("-r", "-s", "--json", "--env-file", "-h", "-v", "--ready", "-rs", "--json=", ""),
      fc.constantFrom("\u001b[2J", "\u0007", "\u202e", "--\u001b]0;x\u0007", "a\nb", "\u2028", "\u009b1m"),
      fc.string({ unit: "binary", maxLength: 40 }),
      fc.string({ unit: "binary", maxLength: 40 }).map((text) => `--${text}`),
      fc.constant("x".repeat(100_000)),
    );

    await fc.assert(
      fc.asyncProperty(fc.array(word, { maxLength: 5 }), async (args) => {
        const { calls, printed, refused } = await parse(args);

        const ended = [calls.length, printed === undefined ? 0 : 1, refused === undefined ? 0 : 1];
        expect(ended.toSorted()).toEqual([0, 0, 1]);
        if (refused === undefined) return;
        expect(refused.exitStatus).toBe(2);
        expect(refused.message).not.toMatch(/[^\P{C}\n]|[\p{Zl}\p{Zp}]/u);
        expect(refused.message).toMatch(/\nSee janus[a-z ]* --help\.$/);
        expect(refused.message.length).toBeLessThan(1_000);
      }),
      { numRuns: 500 },
    );
  });
});

describe("janus", () => {
  test.each([
    ["janus --help | true", 0],
    ["janus --hlp 2>&1 | true", 2],
    ["janus --help >&-", 0],
    ["janus --hlp 2>&-", 2],
  ])("keeps its exit code when nobody reads its output: %s", async (command, code) => {
    const { stderr, exitCode } = await runInShell(folder, command, {});

    expect({ stderr, exitCode }).toEqual({ stderr: "", exitCode: code });
  });

  test.if(process.platform === "linux")("fails when a result cannot be written", async () => {
    const { stderr, exitCode } = await runInShell(folder, "janus keys generate >/dev/full", {});

    expect({ stderr, exitCode }).toEqual({ stderr: "janus: the output cannot be written\n", exitCode: 1 });
  });

  test("echoes a word without control characters in any locale", async () => {
    const { stderr, exitCode } = await run(folder, "index.ts", ["mig\u001b[31mråte\u0007"], {
      LANG: "tr_TR",
      LC_ALL: "C",
    });

    expect(stderr).toBe("janus: error: unknown command 'mig\\u{1b}[31mråte\\u{7}'\nSee janus --help.\n");
    expect(exitCode).toBe(2);
  });
});

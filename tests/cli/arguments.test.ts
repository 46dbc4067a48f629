/** What may stand behind `janus`, what is said of anything else, and that no output does anything to a terminal. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { type Commands, runArguments } from "../../lib/cli/arguments.ts";
import { JanusError } from "../../lib/errors.ts";
import { printable } from "../../lib/text/printable.ts";
import packageJson from "../../package.json" with { type: "json" };
import { run, runInShell } from "../fixtures/command.ts";

setDefaultTimeout(60_000);

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "janus-commands-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** What a command was called with, by its name, in place of doing it. */
function record() {
  const calls: unknown[][] = [];
  const recorder =
    (name: keyof Commands) =>
    async (...given: unknown[]): Promise<string> => {
      calls.push([name, ...given]);
      return `did ${name}`;
    };
  const commands: Commands = {
    serve: recorder("serve"),
    migrate: recorder("migrate"),
    register: recorder("register"),
    healthcheck: recorder("healthcheck"),
    audit: recorder("audit"),
    checkConfig: recorder("checkConfig"),
    generateKeys: recorder("generateKeys"),
  };
  return { commands, calls };
}

/** What the arguments lead to: the calls, and what is printed or refused. */
async function parse(args: readonly string[]) {
  const { commands, calls } = record();
  try {
    return { calls, printed: await runArguments(args, commands), refused: undefined };
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
  " healthcheck",
  " config",
  " config check",
  " keys",
  " keys generate",
] as const;

describe("runArguments()", () => {
  test.each([
    [[], ["serve"], {}],
    [["serve"], ["serve"], {}],
    [["--"], ["serve"], {}],
    [["serve", "--env-file", "a", "--env-file=b"], ["serve"], { envFile: ["a", "b"] }],
    [["--env-file", "a", "serve"], ["serve"], { envFile: ["a"] }],
    [["--env-file", "a", "migrate", "--env-file", "b"], ["migrate", "up"], { envFile: ["a", "b"] }],
    [["migrate"], ["migrate", "up"], {}],
    [["migrate", "up", "--json"], ["migrate", "up"], { json: true }],
    [["--json", "--json", "migrate", "status"], ["migrate", "status"], { json: true }],
    [["--", "migrate", "status"], ["migrate", "status"], {}],
    [["-s"], ["migrate", "up"], { setup: true }],
    [["--setup", "--json"], ["migrate", "up"], { setup: true, json: true }],
    [["register"], ["register"], {}],
    [["-r"], ["register"], { register: true }],
    [["healthcheck"], ["healthcheck"], {}],
    [["audit", "--json"], ["audit"], { json: true }],
    [["healthcheck", "--ready", "--json"], ["healthcheck"], { ready: true, json: true }],
    [["config", "check"], ["checkConfig"], {}],
    [["keys", "generate", "--rotate"], ["generateKeys"], { rotate: true }],
    [["keys", "generate", "--only", "COOKIE_SECRET"], ["generateKeys"], { only: "COOKIE_SECRET" }],
    [
      ["keys", "generate", "--only=TOKEN_KEYS", "--rotate", "--json"],
      ["generateKeys"],
      { only: "TOKEN_KEYS", rotate: true, json: true },
    ],
  ] as const)("understands %j", async (args, call, options) => {
    const { calls, refused } = await parse(args);

    const unset = { json: false, ready: false, rotate: false, register: false, setup: false, envFile: [] };
    expect(refused).toBeUndefined();
    expect(calls).toEqual([[...call, { ...unset, ...options }]]);
  });

  test.each([
    [["migarte"], "No such command: migarte. Did you mean migrate?", "janus"],
    [["sevre"], "No such command: sevre. Did you mean serve?", "janus"],
    [["helthcheck", "--json"], "No such command: helthcheck. Did you mean healthcheck?", "janus"],
    [["xyzzy"], "No such command: xyzzy.", "janus"],
    [[""], "No such command: .", "janus"],
    [["Serve"], "No such command: Serve. Did you mean serve?", "janus"],
    [["--jsn"], "Unknown option '--jsn'. Did you mean --json?", "janus"],
    [["migrate", "--jsn"], "Unknown option '--jsn'. Did you mean --json?", "janus migrate"],
    [["healthcheck", "--redy"], "Unknown option '--redy'. Did you mean --ready?", "janus healthcheck"],
    [["serve", "--rotate"], "Unknown option '--rotate'.", "janus serve"],
    [["--plugh"], "Unknown option '--plugh'.", "janus"],
    [["config"], "janus config needs a command: check.", "janus config"],
    [["config", "chek"], "Unknown command 'chek'. Did you mean check?", "janus config"],
    [["keys", "genrate"], "Unknown command 'genrate'. Did you mean generate?", "janus keys"],
    [["help", "migarte"], "No such command: migarte. Did you mean migrate?", "janus"],
    [["help", "keys", "make"], "No such command: make.", "janus keys"],
    [["--env-file"], "Option '--env-file <path>' argument missing.", "janus"],
    [["-rs"], "One command at a time, not --register and --setup.", "janus"],
    [["migrate", "-r"], "One command at a time, not --register and migrate.", "janus"],
    [["-s", "config", "check"], "One command at a time, not --setup and check.", "janus"],
  ] as const)("refuses %j, and says what was meant where it can", async (args, why, help) => {
    const { calls, refused } = await parse(args);

    expect(calls).toEqual([]);
    expect(refused?.message).toBe(`${why}\nSee ${help} --help.`);
    expect(refused?.code).toBe("usage");
  });

  test("suggests status for a migration command that is nearly so, and none for any other", async () => {
    const near = await parse(["migrate", "stauts"]);
    const far = await parse(["migrate", "down"]);

    const use = "\nUse janus migrate up or janus migrate status.";
    expect(near.refused?.message).toBe(`No such migration command: stauts. Did you mean status?${use}`);
    expect(far.refused?.message).toBe(`No such migration command: down.${use}`);
  });

  test.each([
    ["TOKEN_KEY", " Did you mean TOKEN_KEYS?"],
    ["cookie_secret", " Did you mean COOKIE_SECRET?"],
    ["DATABASE_PASSWORD", ""],
    ["", ""],
  ])("refuses to make %j, and says what it makes", async (name, suggestion) => {
    const { calls, refused } = await parse(["keys", "generate", "--only", name]);

    expect(calls).toEqual([]);
    expect(refused?.code).toBe("usage");
    expect(refused?.message).toBe(
      `No such key: ${name}.${suggestion}\nUse janus keys generate --only TOKEN_KEYS or --only COOKIE_SECRET.`,
    );
  });

  test.each([...PATHS])("explains janus%s: with an example, for a terminal of 100 columns", async (path) => {
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

  test("prints the version wherever it is asked for, and nothing else is done", async () => {
    const given = await Promise.all([parse(["-v"]), parse(["--version"]), parse(["migrate", "-v"])]);

    expect(given.map(({ printed, calls }) => [printed, calls])).toEqual(
      given.map(() => [packageJson.version, []]),
    );
  });

  test("whatever is given: one call, a text or a refusal, in few and harmless characters", async () => {
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

        expect(calls.length).toBeLessThanOrEqual(1);
        expect(printed === undefined).toBe(refused !== undefined);
        if (refused === undefined) return;
        expect(refused.exitStatus).toBe(2);
        expect(refused.message).not.toMatch(/[^\P{C}\n]|[\p{Zl}\p{Zp}]/u);
        expect(refused.message.split("\n").length).toBe(2);
        expect(refused.message.length).toBeLessThan(1_000);
      }),
      { numRuns: 500 },
    );
  });
});

describe("printable()", () => {
  test("writes out what a terminal would act on, and leaves text alone", () => {
    expect(printable("åäö 漢字 👍\u001b[31m\u0000\u202e\u2028\r")).toBe(
      "åäö 漢字 👍\\u{1b}[31m\\u{0}\\u{202e}\\u{2028}\\u{d}",
    );
    expect(printable("abcdef", 3)).toBe("abc…");
  });

  test("never leaves a control character", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.nat(50), (text, most) => {
        expect(printable(text, most)).not.toMatch(/[\p{C}\p{Zl}\p{Zp}]/u);
      }),
    );
  });
});

describe("janus", () => {
  test.each([
    ["janus --help | true", 0],
    ["janus --hlp 2>&1 | true", 2],
    ["janus --help >&-", 0],
    ["janus --hlp 2>&-", 2],
  ])("%s: a reader who has gone changes no exit code, and brings no stack", async (command, code) => {
    const { stderr, exitCode } = await runInShell(folder, command, {});

    expect({ stderr, exitCode }).toEqual({ stderr: "", exitCode: code });
  });

  test.if(process.platform === "linux")("a result that cannot be written is a failure", async () => {
    const { stderr, exitCode } = await runInShell(folder, "janus keys generate >/dev/full", {});

    expect({ stderr, exitCode }).toEqual({ stderr: "janus: the output cannot be written\n", exitCode: 1 });
  });

  test("in whatever locale, a word is echoed harmlessly", async () => {
    const { stderr, exitCode } = await run(folder, "index.ts", ["mig\u001b[31mråte\u0007"], {
      LANG: "tr_TR",
      LC_ALL: "C",
    });

    expect(stderr).toBe("janus: No such command: mig\\u{1b}[31mråte\\u{7}.\nSee janus --help.\n");
    expect(exitCode).toBe(2);
  });
});

describe("janus keys generate", () => {
  const line = "[A-Za-z0-9_-]{43}";

  test("prints lines of a dotenv file that the configuration takes, new each time", async () => {
    const [first, second] = await Promise.all([
      run(folder, "index.ts", ["keys", "generate"], {}),
      run(folder, "index.ts", ["keys", "generate", "--json"], {}),
    ]);

    expect(first.stdout).toMatch(new RegExp(`^TOKEN_KEYS=k1:${line}\nCOOKIE_SECRET=${line}\n$`));
    const keys = JSON.parse(second.stdout);
    expect(Object.keys(keys)).toEqual(["TOKEN_KEYS", "COOKIE_SECRET"]);
    expect(keys.TOKEN_KEYS.slice(3)).not.toBe(keys.COOKIE_SECRET);
    expect(first.stdout).not.toContain(keys.COOKIE_SECRET);
    expect([first, second].map(({ exitCode, stderr }) => [exitCode, stderr])).toEqual([
      [0, ""],
      [0, ""],
    ]);
  });

  const ring = `k7:${"A".repeat(43)},old:${"B".repeat(42)}A`;

  test("with --rotate: one new key, with an id that no other has, and no old key", async () => {
    const environment = { TOKEN_KEYS: ring };
    const plain = await run(folder, "index.ts", ["keys", "generate", "--rotate"], environment);
    const json = await run(folder, "index.ts", ["keys", "generate", "--rotate", "--json"], environment);

    expect(plain.stdout).toMatch(new RegExp(`^k8:${line}\n$`));
    expect(plain.stderr).toStartWith("janus: Put it first in TOKEN_KEYS");
    expect(JSON.parse(json.stdout)).toEqual({ token_key: expect.stringMatching(new RegExp(`^k8:${line}$`)) });
    expect([plain.exitCode, json.exitCode, json.stderr]).toEqual([0, 0, ""]);
    expect(plain.stdout + plain.stderr + json.stdout).not.toMatch(/AAAA|BBBB/);
  });

  test("with --rotate and no ring in force: exit 2, and it is named", async () => {
    const { exitCode, stdout, stderr } = await run(folder, "index.ts", ["keys", "generate", "--rotate"], {});

    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: "" });
    expect(stderr).toContain("TOKEN_KEYS is missing");
  });

  test("where there is a ring already: warns, apart from the result", async () => {
    const { exitCode, stdout, stderr } = await run(folder, "index.ts", ["keys", "generate"], {
      TOKEN_KEYS: ring,
    });

    expect(exitCode).toBe(0);
    expect(stdout).toStartWith("TOKEN_KEYS=k1:");
    expect(stderr).toMatch(/^janus: TOKEN_KEYS is set already\. .*--rotate\.\n$/);
    expect(stdout + stderr).not.toMatch(/AAAA|BBBB/);
  });

  test.each([
    ["TOKEN_KEYS", `k1:${line}`],
    ["COOKIE_SECRET", line],
  ])("with --only %s: the value alone, as a file holds it", async (name, form) => {
    const args = ["keys", "generate", "--only", name];
    const plain = await run(folder, "index.ts", args, {});
    const json = await run(folder, "index.ts", [...args, "--json"], {});

    expect(plain).toEqual({
      exitCode: 0,
      stdout: expect.stringMatching(new RegExp(`^${form}\n$`)),
      stderr: "",
    });
    expect(JSON.parse(json.stdout)).toEqual({ [name]: expect.stringMatching(new RegExp(`^${form}$`)) });
  });

  test("with --only: warns of a ring in force where it makes one, and nowhere else", async () => {
    const ended = await Promise.all(
      ["TOKEN_KEYS", "COOKIE_SECRET"].map((name) =>
        run(folder, "index.ts", ["keys", "generate", "--only", name], { TOKEN_KEYS: ring }),
      ),
    );

    expect(ended.map(({ exitCode }) => exitCode)).toEqual([0, 0]);
    expect(ended.map(({ stderr }) => stderr)).toEqual([
      expect.stringMatching(/^janus: TOKEN_KEYS is set already\./),
      "",
    ]);
  });

  test("with --only and --rotate: one more key for the ring; a cookie secret needs no more than a new one", async () => {
    const rotate = ["keys", "generate", "--rotate", "--only"];
    const key = await run(folder, "index.ts", [...rotate, "TOKEN_KEYS"], { TOKEN_KEYS: ring });
    const secret = await run(folder, "index.ts", [...rotate, "COOKIE_SECRET"], { TOKEN_KEYS: ring });

    expect(key.stdout).toMatch(new RegExp(`^k8:${line}\n$`));
    expect(key.exitCode).toBe(0);
    expect(secret).toEqual({
      exitCode: 2,
      stdout: "",
      stderr:
        "janus: A cookie secret needs no --rotate, since it has no id to choose: put what\n" +
        "janus keys generate --only COOKIE_SECRET prints first in COOKIE_SECRET, a comma behind it.\n",
    });
  });
});

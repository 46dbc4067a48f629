/** `janus completions`: what bash, zsh and fish themselves offer for a line, and that it is what the help has. */
import { beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { runProgram } from "../../lib/cli/program.ts";
import { listCommands } from "../../lib/cli/run.ts";
import { ROOT } from "../fixtures/source.ts";
import { useFolder } from "../harness/hooks.ts";

const COMMANDS = listCommands(() => {
  throw new Error("no server is started here");
});
const SHELLS = ["bash", "zsh", "fish"] as const;
type Shell = (typeof SHELLS)[number];
const LIMIT_MS = 60_000;

const folder = useFolder("completions");

/** What a command prints. Only `completions`, `man` and help are asked for here. */
async function printed(...args: readonly string[]): Promise<string> {
  const { stdout, exitCode } = Bun.spawnSync([process.execPath, "run", join(ROOT, "index.ts"), ...args], {
    cwd: folder,
    env: {},
  });
  expect(exitCode).toBe(0);
  return stdout.toString();
}

beforeAll(async () => {
  for (const shell of SHELLS)
    await Bun.write(join(folder, `janus.${shell}`), await printed("completions", shell));
}, LIMIT_MS);

const BASH = `source janus.bash
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
_janus
printf '%s\\n' "\${COMPREPLY[@]}"`;

/** The words of the line, of which the last is what is completed. */
const ASKS: Readonly<Record<Shell, (words: readonly string[]) => readonly string[]>> = {
  bash: (words) => ["bash", "--norc", "-c", BASH, "bash", ...words],
  zsh: (words) => [
    "zsh",
    "-f",
    join(ROOT, "tests/fixtures/complete.zsh"),
    "janus.zsh",
    words.join(" "),
    "words",
  ],
  fish: (words) => ["fish", "--no-config", "-c", `source janus.fish; complete -C '${words.join(" ")}'`],
};

async function offered(shell: Shell, words: readonly string[]): Promise<readonly string[]> {
  const child = Bun.spawn([...ASKS[shell](words)], {
    cwd: folder,
    env: { PATH: process.env.PATH ?? "", HOME: folder, TERM: "dumb" },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
    timeout: LIMIT_MS,
    killSignal: "SIGKILL",
  });
  const [stdout, stderr] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  expect(stderr).toBe("");
  const text = shell === "zsh" ? await Bun.file(join(folder, "words")).text() : stdout;
  if (shell === "zsh") await Bun.file(join(folder, "words")).delete();
  return text
    .split("\n")
    .map((line) => line.split("\t")[0]?.trim() ?? "")
    .filter((word) => !["", "ready", "<end>"].includes(word))
    .sort();
}

/** The commands that the help lists: a new one needs a completion without a word about it here. */
const [, listed = ""] = ((await runProgram(["--help"], COMMANDS, false)) ?? "").split("\nCommands:\n");
const TOP = [...(listed.split("\n\n")[0] ?? "").matchAll(/^ {2}([a-z-]+) /gm)]
  .map(([, name = ""]) => name)
  .toSorted();

describe.each(SHELLS)("the completions of %s", (shell) => {
  test.skipIf(Bun.which(shell) === null && !process.env.CI).each([
    [["janus", ""], TOP],
    [
      ["janus", "b"],
      ["backup", "bans"],
    ],
    [
      ["janus", "keys", ""],
      ["generate", "rotate", "status"],
    ],
    [
      ["janus", "keys", "generate", "--only", ""],
      ["COOKIE_SECRET", "TOKEN_KEYS"],
    ],
    [["janus", "--env-file", "x", "mig"], ["migrate"]],
    [["janus", "--env-file", "janus.ba"], ["janus.bash"]],
    [["janus", "explain", "--claims", "janus.fi"], ["janus.fish"]],
    [
      ["janus", "help", "keys", ""],
      ["generate", "rotate", "status"],
    ],
    [
      ["janus", "migrate", ""],
      ["status", "up"],
    ],
    [["janus", "bans", "add", "--r"], ["--reason"]],
    [["janus", "bans", "add", "--member", ""], []],
    [["janus", "bans", "add", "--reason", "keys", "--mem"], ["--member"]],
    [["janus", "serve", "--js"], []],
  ] as const)("offer for %j what may follow", async (words, expected) => {
    expect(await offered(shell, words)).toEqual([...expected]);
  });
});

describe("janus completions", () => {
  test("are held to every command of the help", () => {
    expect(TOP).toContain("audit-log");
    expect(TOP).toContain("serve");
    expect(TOP.length).toBeGreaterThan(20);
  });

  test("offer every command and every option that the help has", async () => {
    const paths = [["serve"], ["sync"], ["bans", "add"], ["keys", "generate"], ["explain"], ["doctor"]];

    for (const path of paths) {
      const help = await runProgram([...path, "--help"], COMMANDS, false);
      const options = [...(help ?? "").matchAll(/^ {2}(?:-\w, )?(--[a-z-]+)/gm)].map(([, name = ""]) => name);

      expect(options.length).toBeGreaterThan(1);
      expect(await offered("bash", ["janus", ...path, "--"])).toEqual(options.toSorted());
    }
  });

  test("understands --name=value as bash takes it apart", async () => {
    expect(await offered("bash", ["janus", "keys", "generate", "--only", "=", "TOK"])).toEqual([
      "TOKEN_KEYS",
    ]);
    expect(await offered("bash", ["janus", "--env-file", "=", "x", "keys", "rot"])).toEqual(["rotate"]);
  });

  test("is JSON if asked for, and refuses another shell", async () => {
    const { script } = JSON.parse(await printed("completions", "bash", "--json"));
    const refused = await runProgram(["completions", "tcsh"], COMMANDS, false).catch((error) => error);

    expect(`${script}\n`).toBe(await Bun.file(join(folder, "janus.bash")).text());
    expect(refused).toMatchObject({
      code: "usage",
      message: expect.stringContaining("Allowed choices are bash"),
    });
  });
});

describe("janus man", () => {
  const hasMan = Bun.which("man") !== null && Bun.which("groff") !== null;

  test.skipIf(!hasMan && !process.env.CI)("is a page that man shows without a warning", async () => {
    await Bun.write(join(folder, "janus.1"), await printed("man"));

    const { stdout, stderr, exitCode } = Bun.spawnSync(["man", "--warnings", "-l", "janus.1"], {
      cwd: folder,
      env: { PATH: process.env.PATH ?? "", LC_ALL: "C.UTF-8", MANWIDTH: "90", MANPAGER: "cat" },
    });

    const text = stdout.toString();
    expect([stderr.toString(), exitCode]).toEqual(["", 0]);
    expect(text).toContain("janus - Discord linked roles from an OpenID Provider");
    for (const part of ["janus keys rotate [options]", "--until <end>", "janus bans add --discord"])
      expect(text).toContain(part);
  });

  test("has every command, every option and every example of the help", async () => {
    const page = (await printed("man"))
      .replaceAll("\\-", "-")
      .replaceAll("\\(dq", '"')
      .replaceAll("\\(rs", "\\");

    for (const path of TOP) {
      const help = (await runProgram(["help", path], COMMANDS, false)) ?? "";
      const examples = help.split("\nExamples:\n")[1]?.split("\n\n")[0]?.split("\n") ?? [];

      expect(page).toContain(`.SS janus ${path}`);
      for (const [, name = ""] of help.matchAll(/^ {2}(?:-\w, )?(--[a-z-]+)/gm)) expect(page).toContain(name);
      for (const example of examples) expect(page).toContain(example);
    }
  });
});

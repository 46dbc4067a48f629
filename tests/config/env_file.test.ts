/** Files that `--env-file` names: what is read of them, what wins, and what is refused. */
import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import fc from "fast-check";
import { readEnvFile } from "../../lib/config/env_file.ts";
import { mergeSources, readSources } from "../../lib/config/sources.ts";
import { JanusError } from "../../lib/errors.ts";
import { run, runInShell } from "../fixtures/command.ts";
import { useFolder } from "../harness/hooks.ts";

const folder = useFolder("env-file");

let files = 0;
/** A new file with this content. */
async function write(content: string | Uint8Array): Promise<string> {
  files += 1;
  const path = join(folder, `${files}.env`);
  await Bun.write(path, content);
  return path;
}

/** What reading it throws. */
async function refusalOf(path: string): Promise<JanusError> {
  try {
    await readEnvFile(path);
  } catch (error) {
    if (error instanceof JanusError) return error;
    throw error;
  }
  throw new Error("it was read");
}

describe("readEnvFile()", () => {
  test.each([
    ["PORT=80\nHOST=::1\n", { PORT: "80", HOST: "::1" }],
    ["# comment\n\nexport PORT=80\r\nHOST = 'a b'\r\n", { PORT: "80", HOST: "a b" }],
    ["\uFEFFPORT=80", { PORT: "80" }],
    ["PORT=80\nPORT=81", { PORT: "81" }],
    ['PLATFORM_NAME="Å # 漢"', { PLATFORM_NAME: "Å # 漢" }],
    ["HOST=$PATH", { HOST: "$PATH" }],
    ["OIDC_AUTHORIZE_PARAMS=a=b&c=d", { OIDC_AUTHORIZE_PARAMS: "a=b&c=d" }],
    ["a line without the sign\nPORT=80", { PORT: "80" }],
    ["DATABASE_URL=", { DATABASE_URL: "" }],
    ["__proto__=x\nPORT=80", { PORT: "80" }],
    ["", {}],
    ["\n  # only this\n", {}],
    ["HOST='a$PATH'\nDATA_DIR=a\\b", { HOST: "a$PATH", DATA_DIR: "a\\b" }],
    ["HOST=a#b", { HOST: "a" }],
  ])("reads %j", async (content, variables) => {
    const read = await readEnvFile(await write(content));

    expect(Object.entries(read.variables).sort()).toEqual(Object.entries(variables).sort());
  });

  test.each([
    ["bytes that are no text", new Uint8Array([0x50, 0x3d, 0xff, 0xfe]), "is not text"],
    ["a zero byte", "PORT=80\0", "is not text"],
    ["no assignment at all", "canary is not a line\n", "has no line such as NAME=value"],
    ["more than any configuration", `PORT=80\n${"#canary\n".repeat(200_000)}`, "is over 1048576 bytes"],
  ])("refuses %s, without repeating the content", async (_, content, why) => {
    const { code, exitStatus, message } = await refusalOf(await write(content));

    expect({ code, exitStatus }).toEqual({ code: "config_invalid", exitStatus: 2 });
    expect(message).toContain(why);
    expect(message).not.toContain("canary");
  });

  test("refuses a missing file, a folder, and a file that never ends", async () => {
    const messageOf = async (path: string) => (await refusalOf(path)).message;

    expect(await messageOf(join(folder, "nothing"))).toContain(
      'nothing" of --env-file cannot be read (ENOENT)',
    );
    expect(await messageOf(folder)).toContain("cannot be read (EISDIR)");
    expect(await messageOf("")).toContain('The file "" of --env-file cannot be read');
    if (process.platform === "linux") expect(await messageOf("/dev/zero")).toContain("is over 1048576 bytes");
  });

  test("reads any bytes as variables or refuses them, and repeats none", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(fc.uint8Array({ maxLength: 200 }), fc.string({ unit: "binary", maxLength: 200 })),
        async (content) => {
          const path = await write(content);
          try {
            const { variables, ambiguous } = await readEnvFile(path);
            for (const value of Object.values(variables)) expect(value).toBeString();
            for (const name of ambiguous) expect(variables[name]).toBeString();
          } catch (error) {
            expect(error).toBeInstanceOf(JanusError);
            expect((error as Error).message).toMatch(/ of --env-file (is not text|has no line such as)/);
          }
        },
      ),
      { numRuns: 200 },
    );
  });
});

describe("readEnvFile().ambiguous", () => {
  test("names variables with $, #, a backslash, spaces or quotes", async () => {
    const plain = ["A1=abc", "A2=k1:a-_,k2:b", "A3=postgres://a:b%23@c/d?e=f&g", "A4=", "A5 = å", "# A6='x'"];
    const written = ["B1=a$b", "B2=a#b", "B3=a\\b", "B4=a b", "B5='a'", 'B6="a"', "B7=a'b", "B8=`a`"];
    const late = ["B9=a", "export B9=a$b", "B10=\t#a", "A7=a$b", "A7=a"];

    const { ambiguous } = await readEnvFile(await write([...plain, ...written, ...late].join("\r\n")));

    expect(ambiguous).toEqual(["A5", "B1", "B2", "B3", "B4", "B5", "B6", "B7", "B8", "B9", "B10"]);
  });

  test("is needed: Bun replaces $NAME in quotes, and cuts at #", async () => {
    await Bun.write(join(folder, "bun", ".env"), "A=a$HOME\nB='a$HOME'\nC=a#b\nD='a#b'\nE=a\\b");
    const program = "const { A, B, C, D, E } = process.env; console.log(JSON.stringify([A, B, C, D, E]))";

    const { stdout } = Bun.spawnSync([process.execPath, "-e", program], {
      cwd: join(folder, "bun"),
      env: { HOME: "/home" },
    });

    expect(JSON.parse(stdout.toString())).toEqual(["a/home", "a/home", "a", "a#b", "a\\b"]);
  });
});

describe("mergeSources()", () => {
  test("prefers the environment to files, and later to earlier ones", async () => {
    const first = await write("A_TEST=first\nB_TEST=first\nC_TEST=first\nPATH=first");
    const second = await write("B_TEST=second\nC_TEST=second");
    const [own, ...rest] = await readSources([first, second]);

    const merged = mergeSources([{ file: undefined, variables: { C_TEST: "own" } }, ...rest]);

    expect(merged).toEqual({ A_TEST: "first", B_TEST: "second", C_TEST: "own", PATH: "first" });
    expect(own).toMatchObject({ file: undefined, variables: process.env });
    expect(mergeSources(await readSources([first])).PATH).toBe(process.env.PATH ?? "");
  });

  test("lets an empty variable of the environment unset one of a file", () => {
    const merged = mergeSources([
      { file: undefined, variables: { DATABASE_URL: "" } },
      { file: ".env", variables: { DATABASE_URL: "postgres://a/b" } },
    ]);

    expect(merged.DATABASE_URL).toBe("");
  });
});

describe("janus --env-file", () => {
  test("reads files before and after the command, and pipes", async () => {
    const first = await write("HOST=first.test\nPORT=1");
    const args = ["--env-file", first, "healthcheck", "--json", "--env-file", await write("PORT=2")];

    const both = await run(folder, "index.ts", args, {});
    const own = await run(folder, "index.ts", args, { HOST: "127.0.0.1", PORT: "3" });
    const piped = await runInShell(folder, "janus healthcheck --json --env-file <(echo PORT=4)", {});

    expect(JSON.parse(both.stdout).url).toBe("http://first.test:2/healthz");
    expect(JSON.parse(own.stdout).url).toBe("http://127.0.0.1:3/healthz");
    expect(JSON.parse(piped.stdout).url).toBe("http://127.0.0.1:4/healthz");
  });

  test.each([
    ["serve"],
    ["migrate"],
    ["register"],
    ["healthcheck"],
    ["audit"],
    ["config check"],
    ["keys generate"],
  ])("makes %s exit with 2 if the file does not exist", async (command) => {
    const args = [...command.split(" "), "--env-file", "no\u001b[2Jsuch"];

    const { exitCode, stdout, stderr } = await run(folder, "index.ts", args, {});

    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: "" });
    expect(stderr).toBe(
      'janus: The file "no\\u001b[2Jsuch" of --env-file cannot be read (ENOENT): name a dotenv file, such as .env.\n',
    );
  });

  test("gives migrate its database", async () => {
    const path = await write("DATABASE_URL=postgres://canary:canary@127.0.0.1:1/x\nDATABASE_WAIT_SECONDS=0");

    const ended = await run(folder, "sql/migrate.ts", ["status", "--env-file", path], {});

    expect(ended).toEqual({
      exitCode: 1,
      stdout: "",
      stderr: "janus: the database cannot be reached (ECONNREFUSED)\n",
    });
  });
});

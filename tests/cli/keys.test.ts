/** `janus keys generate`: what it prints, what it warns of, and that it never prints a key that exists. */
import { describe, expect, test } from "bun:test";
import { run } from "../fixtures/command.ts";
import { useCommandHost, useFolder } from "../harness/hooks.ts";

const folder = useFolder("keys");
/** For all but one command of a kind: a process of its own takes half a second. */
const host = useCommandHost(folder);

describe("janus keys generate", () => {
  const line = "[A-Za-z0-9_-]{43}";

  test("prints new keys each time, as lines of a dotenv file", async () => {
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

  test("prints with --rotate one key with a new id, and no old key", async () => {
    const environment = { TOKEN_KEYS: ring };
    const plain = await host.run("index.ts", ["keys", "generate", "--rotate"], environment);
    const json = await host.run("index.ts", ["keys", "generate", "--rotate", "--json"], environment);

    expect(plain.stdout).toMatch(new RegExp(`^k8:${line}\n$`));
    expect(plain.stderr).toStartWith("janus: Put it first in TOKEN_KEYS");
    expect(JSON.parse(json.stdout)).toEqual({ token_key: expect.stringMatching(new RegExp(`^k8:${line}$`)) });
    expect([plain.exitCode, json.exitCode, json.stderr]).toEqual([0, 0, ""]);
    expect(plain.stdout + plain.stderr + json.stdout).not.toMatch(/AAAA|BBBB/);
  });

  test("exits with 2 for --rotate without a ring", async () => {
    const { exitCode, stdout, stderr } = await host.run("index.ts", ["keys", "generate", "--rotate"], {});

    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: "" });
    expect(stderr).toContain("TOKEN_KEYS is missing");
  });

  test("warns on standard error if there is a ring already", async () => {
    const { exitCode, stdout, stderr } = await host.run("index.ts", ["keys", "generate"], {
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
  ])("prints with --only %s the value alone", async (name, form) => {
    const args = ["keys", "generate", "--only", name];
    const plain = await host.run("index.ts", args, {});
    const json = await host.run("index.ts", [...args, "--json"], {});

    expect(plain).toEqual({
      exitCode: 0,
      stdout: expect.stringMatching(new RegExp(`^${form}\n$`)),
      stderr: "",
    });
    expect(JSON.parse(json.stdout)).toEqual({ [name]: expect.stringMatching(new RegExp(`^${form}$`)) });
  });

  test("warns with --only of a ring only if it makes one", async () => {
    const ended = await Promise.all(
      ["TOKEN_KEYS", "COOKIE_SECRET"].map((name) =>
        host.run("index.ts", ["keys", "generate", "--only", name], { TOKEN_KEYS: ring }),
      ),
    );

    expect(ended.map(({ exitCode }) => exitCode)).toEqual([0, 0]);
    expect(ended.map(({ stderr }) => stderr)).toEqual([
      expect.stringMatching(/^janus: TOKEN_KEYS is set already\./),
      "",
    ]);
  });

  test("makes with --rotate --only a token key, and no cookie secret", async () => {
    const rotate = ["keys", "generate", "--rotate", "--only"];
    const key = await host.run("index.ts", [...rotate, "TOKEN_KEYS"], { TOKEN_KEYS: ring });
    const secret = await host.run("index.ts", [...rotate, "COOKIE_SECRET"], { TOKEN_KEYS: ring });

    expect(key.stdout).toMatch(new RegExp(`^k8:${line}\n$`));
    expect(key.exitCode).toBe(0);
    expect(secret).toEqual({
      exitCode: 2,
      stdout: "",
      stderr:
        "janus: A cookie secret has no id, so it needs no --rotate: run janus keys generate --only COOKIE_SECRET\n" +
        "and put the result first in COOKIE_SECRET, with a comma after it.\n",
    });
  });
});

/** What a Bun that is too old says of itself, before it meets anything that it cannot do. */
import { beforeAll, describe, expect, test } from "bun:test";
import { cp, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { engines, scripts } from "../../package.json" with { type: "json" };
import { run } from "../fixtures/command.ts";
import { ROOT, readText } from "../fixtures/source.ts";
import { useFolder } from "../harness/hooks.ts";

const NEEDED = /^>=(\d+\.\d+)\.0$/.exec(engines.bun)?.[1] ?? "unknown";
/** No Bun is as new. */
const FUTURE = "97.5";

/** What Bun prints in a checkout without packages that needs a newer one, and how it ends. */
const folder = useFolder("bun-version");
const runBun = (...args: readonly string[]) =>
  run(folder, [process.execPath], args, { PATH: process.env.PATH ?? "" });

beforeAll(async () => {
  const own = await Bun.file(join(ROOT, "package.json")).json();
  await Bun.write(
    join(folder, "package.json"),
    JSON.stringify({ ...own, engines: { bun: `>=${FUTURE}.0` } }),
  );
  for (const path of ["bunfig.toml", "index.ts", "sql/migrate.ts", "tests/demo.ts"])
    await Bun.write(join(folder, path), Bun.file(join(ROOT, path)));
  for (const path of [".ci", "tests/harness"])
    await cp(join(ROOT, path), join(folder, path), { recursive: true });
  await mkdir(join(folder, "tests/text"));
  await Bun.write(
    join(folder, "tests/text/any.test.ts"),
    'import { test } from "bun:test"; import "elysia"; test("any", () => {});',
  );
});

describe("a Bun that is too old", () => {
  const refusal =
    `Janus needs Bun ${FUTURE} or later; this is ${Bun.version}.\nUpgrade Bun, for example with "bun upgrade". Or use the ` +
    "commands in README.md for a machine with only Node.js, which bring their own Bun.\n";

  test.each(["index.ts", "sql/migrate.ts", "tests/demo.ts"])("says so when it runs %s", async (path) => {
    expect(await runBun("run", path)).toEqual({ exitCode: 1, stdout: "", stderr: refusal });
  });

  test("says so when it runs the demo by its name", async () => {
    const { exitCode, stderr } = await runBun("run", "demo");

    expect(scripts.demo).toBe("bun run tests/demo.ts");
    expect(exitCode).toBe(1);
    expect(stderr).toContain(refusal);
    expect(stderr).not.toContain("Cannot find");
  });

  test.each([[["test"]], [["test", "tests/text/any.test.ts"]]])(
    "says so when it is given %j",
    async (args) => {
      const { exitCode, stderr } = await runBun(...args);

      expect(exitCode).not.toBe(0);
      expect(stderr).toContain(refusal);
      expect(stderr).not.toContain("Cannot find");
    },
  );

  // It does not know this version of the lockfile, and its complaint quotes the line.
  test("is told so by bun.lock when it installs packages", async () => {
    const quoted = (await readText("bun.lock")).split("\n")[1];

    expect(quoted).toBe(`  "lockfileVersion": 2, // Janus needs Bun ${NEEDED} or later.`);
  });
});

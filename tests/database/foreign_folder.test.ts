/** A DATA_DIR that holds something else than a database of this Janus: refused by name, and left as it is. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import {
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { lstat, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { POSTGRES_MAJOR, refuseForeignFolder } from "../../lib/database/embedded/foreign_folder.ts";
import { hasDatabase, openEmbedded } from "../../lib/database/embedded/open.ts";
import { asJanusError } from "../../lib/errors.ts";
import { run } from "../fixtures/command.ts";
import { findInitdb } from "../harness/cluster.ts";

const ROOT = mkdtempSync(join(tmpdir(), "janus-foreign-"));
const FIRST = join(ROOT, "first");
let folders = 0;

beforeAll(async () => (await openEmbedded({ dataDir: FIRST })).close());
afterAll(() => rmSync(ROOT, { recursive: true, force: true }));

/** A copy of a database of this Janus, with something changed. */
function changed(change: (place: string) => void): string {
  folders += 1;
  const dataDir = join(ROOT, `folder-${folders}`);
  cpSync(FIRST, dataDir, { recursive: true });
  change(join(dataDir, "postgres"));
  return dataDir;
}

/** Everything there is in a folder, with its content and the time of its last change. */
async function snapshot(folder: string): Promise<readonly string[]> {
  const paths = [".", ...new Bun.Glob("**").scanSync({ cwd: folder, dot: true, onlyFiles: false })];
  const lines = paths.map(async (path) => {
    const status = await lstat(join(folder, path));
    const content = status.isFile() ? Bun.hash(await readFile(join(folder, path))) : "";
    return `${path} ${status.mtimeMs} ${content}`;
  });
  return (await Promise.all(lines)).toSorted();
}

/** What opening it ends with, and what that changed. */
async function refusalOf(dataDir: string) {
  const before = await snapshot(dataDir);
  const failed = await openEmbedded({ dataDir }).then(
    (embedded) => embedded.close().then(() => new Error("it was opened")),
    (error: unknown) => error,
  );
  return {
    ...asJanusError(failed),
    message: asJanusError(failed).message,
    before,
    after: await snapshot(dataDir),
  };
}

const version = (text: string) => (place: string) => writeFileSync(join(place, "PG_VERSION"), text);
const own = `this Janus has PostgreSQL ${POSTGRES_MAJOR}`;

describe("openEmbedded() refuses and leaves alone", () => {
  const cases: readonly (readonly [string, (place: string) => void, string])[] = [
    [
      "a database of an earlier version",
      version("17\n"),
      `is of PostgreSQL 17, and ${own}: start the Janus that made it`,
    ],
    [
      "a database of a later version",
      version("19\n"),
      `is of PostgreSQL 19, and ${own}: start the Janus that made it`,
    ],
    ["a database of long ago", version("9.6\n"), `is of PostgreSQL 9.6, and ${own}`],
    ["a PG_VERSION without a line end", version("15"), `is of PostgreSQL 15, and ${own}`],
    [
      "an empty PG_VERSION",
      version(""),
      "has no readable PG_VERSION (empty): restore the folder from a copy",
    ],
    ["a PG_VERSION that is no version", version("\u001b[2J"), "has no readable PG_VERSION (not a version)"],
    ["a PG_VERSION of zero bytes", version("\0\0\0\0"), "has no readable PG_VERSION (not a version)"],
    [
      "a PG_VERSION that cannot be read",
      (place) => {
        rmSync(join(place, "PG_VERSION"));
        mkdirSync(join(place, "PG_VERSION"));
      },
      "has no readable PG_VERSION (EISDIR)",
    ],
    [
      "a PG_VERSION that is missing",
      (place) => rmSync(join(place, "PG_VERSION")),
      "has no readable PG_VERSION (ENOENT)",
    ],
    [
      "a folder of a server of this version",
      (place) => writeFileSync(join(place, "postmaster.opts"), "/usr/bin/postgres"),
      "belongs to a PostgreSQL server: put its URL into DATABASE_URL",
    ],
    [
      "a DATA_DIR that is a server's own folder",
      (place) => writeFileSync(join(dirname(place), "PG_VERSION"), "17\n"),
      "belongs to a PostgreSQL server: put its URL into DATABASE_URL",
    ],
    [
      "a folder with something else in it",
      (place) => {
        rmSync(place, { recursive: true });
        mkdirSync(join(place, "lost+found"), { recursive: true });
      },
      "has no readable PG_VERSION (ENOENT)",
    ],
  ];

  test.each([...cases])("%s", async (_, change, why) => {
    const dataDir = changed(change);

    const { code, message, before, after } = await refusalOf(dataDir);

    expect(code).toBe("database_unavailable");
    expect(message).toContain(why);
    expect(message).toContain(dataDir);
    expect(message).toContain("DATA_DIR");
    expect(message).not.toMatch(/\p{Cc}/u);
    expect(after).toEqual(before);
  });

  test.skipIf(findInitdb() === undefined)("a folder of initdb, in either place", async () => {
    folders += 1;
    const dataDir = join(ROOT, `folder-${folders}`);
    mkdirSync(dataDir, { mode: 0o777 });
    const place = join(dataDir, "postgres");
    const asRoot = process.getuid?.() === 0;
    if (asRoot) Bun.spawnSync(["chmod", "-R", "a+rwx", ROOT]);
    const initdb = [findInitdb() ?? "", `--pgdata=${place}`, "--no-sync", "--auth=trust"];
    const made = Bun.spawnSync(asRoot ? ["runuser", "--user=postgres", "--", ...initdb] : initdb);
    expect(made.exitCode).toBe(0);
    const found = (await readFile(join(place, "PG_VERSION"), "utf8")).trim();

    const below = await refusalOf(dataDir);
    const itself = await refusalOf(place);

    if (found !== String(POSTGRES_MAJOR))
      expect(below.message).toContain(`is of PostgreSQL ${found}, and ${own}`);
    expect(itself.message).toContain("belongs to a PostgreSQL server");
    expect([below.after, itself.after]).toEqual([below.before, itself.before]);
    expect(existsSync(join(place, "janus.lock"))).toBe(false);
  });
});

test("refuseForeignFolder() keeps root away from the database of another user", () => {
  const [root, nobody] = [0, 65_534];
  const dataDir = join(ROOT, "of-another-user");
  const place = join(dataDir, "postgres");
  mkdirSync(place, { recursive: true });
  version(`${POSTGRES_MAJOR}\n`)(place);
  if (process.getuid?.() === root) chownSync(place, nobody, nobody);
  const owner = statSync(place).uid;

  expect(owner).not.toBe(root);
  expect(() => refuseForeignFolder(dataDir, place, root)).toThrow(
    `the embedded database in ${place} belongs to the user ${owner}, who could not open it any more if root wrote in it: run this as that user`,
  );
  expect(() => refuseForeignFolder(dataDir, place, owner)).not.toThrow();
});

test("openEmbedded() opens a folder again once its PG_VERSION is right", async () => {
  const dataDir = changed(version("17\n"));
  await refusalOf(dataDir);
  version(`${POSTGRES_MAJOR}\n`)(join(dataDir, "postgres"));

  const embedded = await openEmbedded({ dataDir });
  await embedded.close();

  expect((await readFile(join(FIRST, "postgres", "PG_VERSION"), "utf8")).trim()).toBe(String(POSTGRES_MAJOR));
});

test("hasDatabase() is true of a folder that opening refuses", () => {
  const dataDir = join(ROOT, "server");
  mkdirSync(dataDir);
  writeFileSync(join(dataDir, "PG_VERSION"), "15\n");

  expect(hasDatabase(dataDir)).toBe(true);
});

test("janus migrate says which versions differ, and exits with 1", async () => {
  const dataDir = changed(version("17\n"));

  const ended = await Promise.all(
    ["up", "status"].map((verb) => run(ROOT, "sql/migrate.ts", [verb], { DATA_DIR: dataDir })),
  );

  for (const { exitCode, stdout, stderr } of ended) {
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: "" });
    expect(stderr).toContain(`is of PostgreSQL 17, and ${own}`);
  }
});

/** The password of the database as a secret of its own, against a PostgreSQL that asks for one. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { readDatabaseConfig } from "../../lib/config/load.ts";
import { openDatabase } from "../../lib/database/open.ts";
import type { Environment } from "../fixtures/command.ts";
import { run } from "../fixtures/command.ts";
import type { Cluster } from "../harness/cluster.ts";
import { findInitdb, NO_INITDB, startCluster } from "../harness/cluster.ts";
import { useFolder } from "../harness/hooks.ts";

/** Without initdb the tests are skipped, but in CI they fail. */
const isSkipped = findInitdb() === undefined && !process.env.CI;
if (isSkipped) console.warn(`The tests of the database's password are skipped. ${NO_INITDB}`);

const folder = useFolder("password");

describe.skipIf(isSkipped)("DATABASE_PASSWORD", () => {
  // Characters that an address would have to escape, and one that SCRAM must not normalise away.
  const PASSWORD = "p@ss/w:rd? #%+=ö";
  let passwordFile: string;
  let cluster: Cluster;

  beforeAll(async () => {
    if (findInitdb() === undefined) throw new Error(NO_INITDB);
    passwordFile = join(folder, "password");
    // With the line break that `openssl rand` and editors leave.
    await Bun.write(passwordFile, `${PASSWORD}\n`);
    cluster = await startCluster(passwordFile);
  });
  afterAll(async () => {
    await cluster?.[Symbol.asyncDispose]();
  });

  const urlFor = (userinfo: string): string => `postgres://${userinfo}@127.0.0.1:${cluster.port}/postgres`;
  const ask = async (environment: Environment): Promise<unknown> => {
    const db = await openDatabase(readDatabaseConfig(environment).database);
    try {
      return await db.query("select current_user::text as who");
    } finally {
      await db.close();
    }
  };
  const JANUS = [{ who: "janus" }];
  const REFUSED = expect.objectContaining({
    code: "database_unavailable",
    message: expect.stringContaining("refuses the password of this role (28P01)"),
  });

  test("can be read from the file that PostgreSQL was given", async () => {
    const answer = await ask({ DATABASE_URL: urlFor("janus"), DATABASE_PASSWORD_FILE: passwordFile });

    expect(answer).toEqual(JANUS);
  });

  test("is preferred to the password in DATABASE_URL", async () => {
    const answers = await Promise.all([
      ask({ DATABASE_URL: urlFor("janus"), DATABASE_PASSWORD: PASSWORD }),
      ask({ DATABASE_URL: urlFor("janus:old"), DATABASE_PASSWORD: PASSWORD }),
      ask({ DATABASE_URL: urlFor(`janus:${encodeURIComponent(PASSWORD)}`) }),
    ]);

    expect(answers).toEqual([JANUS, JANUS, JANUS]);
  });

  test("makes openDatabase() fail when it is wrong or missing", async () => {
    const wrong = ask({ DATABASE_URL: urlFor("janus"), DATABASE_PASSWORD: "wrong" });
    const none = ask({ DATABASE_URL: urlFor("janus") });

    expect(await Promise.all([wrong, none].map((answer) => answer.catch((error: unknown) => error)))).toEqual(
      [REFUSED, REFUSED],
    );
  });

  test("is used by janus migrate", async () => {
    const environment = { DATABASE_URL: urlFor("janus"), DATABASE_PASSWORD_FILE: passwordFile };

    const ended = await run(folder, "index.ts", ["migrate"], environment);

    expect(ended).toMatchObject({ exitCode: 0, stderr: "" });
    expect(ended.stdout).toContain("The database is up to date.");
  });
});

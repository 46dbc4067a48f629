/** pg_dump as `janus backup` leads it: to the server of DATABASE_URL, with its password and its TLS; and what it writes. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { readDatabaseUrl } from "../../lib/config/database_address.ts";
import { runProgram, withProgramEnvironment } from "../../lib/database/pg_programs.ts";
import { readRow } from "../../lib/operator/backup/dump_file.ts";
import { run } from "../fixtures/command.ts";
import type { Authority } from "../harness/certificates.ts";
import { createAuthority } from "../harness/certificates.ts";
import type { Cluster } from "../harness/cluster.ts";
import { findInitdb, NO_INITDB, startCluster } from "../harness/cluster.ts";
import { useFolder } from "../harness/hooks.ts";

/** Without initdb the tests are skipped, but in CI they fail. */
const isSkipped = findInitdb() === undefined && !process.env.CI;
if (isSkipped) console.warn(`The tests of pg_dump over TLS are skipped. ${NO_INITDB}`);

const folder = useFolder("pg_programs");
const PATH = process.env.PATH ?? "";
const PASSWORD = "canary-password";

/** As PostgreSQL writes a value in the text format of `copy`. */
const SIGNS: Readonly<Record<string, string>> = {
  "\\": "\\\\",
  "\b": "\\b",
  "\f": "\\f",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\v": "\\v",
};
const written = (value: string | null): string =>
  value === null ? "\\N" : [...value].map((sign) => SIGNS[sign] ?? sign).join("");

test("readRow() reads every row as PostgreSQL writes it", () => {
  const odd = fc.string({ unit: fc.constantFrom(..."\\\b\f\n\r\t\vNnabx.å𝒶\"'") });
  const value = fc.option(fc.oneof(odd, fc.string({ unit: "binary" })), { nil: null });

  fc.assert(
    fc.property(fc.array(value, { minLength: 1 }), (values) => {
      expect(JSON.parse(readRow(values.map(written).join("\t")))).toEqual(values);
    }),
  );
});

describe.skipIf(isSkipped)("janus backup over TLS", () => {
  let authority: Authority;
  let [right, other]: (Cluster | undefined)[] = [];

  beforeAll(async () => {
    const passwordFile = join(folder, "password");
    await Bun.write(passwordFile, `${PASSWORD}\n`);
    authority = await createAuthority();
    right = await startCluster(passwordFile, await authority.sign("DNS:localhost,IP:127.0.0.1", false));
    other = await startCluster(passwordFile, await authority.sign("DNS:db.example.org", false));
  });
  afterAll(async () => {
    for (const cluster of [right, other]) await cluster?.[Symbol.asyncDispose]();
    await authority?.[Symbol.asyncDispose]();
  });

  const environmentOf = (cluster: Cluster | undefined, mode: string) => ({
    DATABASE_URL: `postgres://janus@localhost:${cluster?.port}/postgres?sslmode=${mode}&sslrootcert=${encodeURIComponent(authority.file)}`,
    DATABASE_PASSWORD: PASSWORD,
    PATH,
  });
  const keptFolders = () => readdirSync(tmpdir()).filter((name) => name.startsWith("janus-tls-"));

  test.each(["verify-full", "verify-ca"])(
    "reaches the server with sslmode=%s, and keeps no certificate",
    async (mode) => {
      const environment = environmentOf(right, mode);
      const migrated = await run(folder, "index.ts", ["migrate"], environment);
      const before = keptFolders();

      const made = await run(
        folder,
        "index.ts",
        ["backup", "--json", join(folder, `${mode}.dump`)],
        environment,
      );

      expect([migrated.exitCode, made.exitCode, made.stderr]).toEqual([0, 0, ""]);
      expect(JSON.parse(made.stdout).form).toBe("pg_dump");
      expect(keptFolders().filter((name) => !before.includes(name))).toEqual([]);
    },
  );

  test("goes to no server whose certificate has another name, by pg_dump as little as by itself", async () => {
    const [path, before] = [join(folder, "other.dump"), keptFolders()];
    const migrated = await run(folder, "index.ts", ["migrate"], environmentOf(other, "verify-ca"));
    const program = { path: Bun.which("pg_dump") ?? "", major: 15 };
    const read = readDatabaseUrl(environmentOf(other, "verify-full").DATABASE_URL);
    if ("fault" in read) throw new Error(read.fault);

    const said = withProgramEnvironment(
      { ...read.address, password: PASSWORD },
      program,
      async (environment) => {
        const stop = new AbortController().signal;
        for await (const _ of runProgram({ program, args: ["--no-password"], environment, stop }));
      },
    ).catch(String);
    const own = await run(folder, "index.ts", ["backup", path], {
      ...environmentOf(other, "verify-full"),
      DATABASE_WAIT_SECONDS: "0",
    });

    expect(migrated.exitCode).toBe(0);
    expect(await said).toMatch(/has failed: .*does not match host name/);
    expect(await said).not.toContain(PASSWORD);
    expect(own.exitCode).toBe(1);
    expect(keptFolders().filter((name) => !before.includes(name))).toEqual([]);
  });
});

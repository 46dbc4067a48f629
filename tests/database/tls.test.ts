/** TLS to the database by libpq's sslmode, against servers with right and wrong certificates. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { isRefusal } from "../../lib/database/failures.ts";
import { openDatabase } from "../../lib/database/open.ts";
import { asJanusError } from "../../lib/errors.ts";
import { run } from "../fixtures/command.ts";
import type { Authority } from "../harness/certificates.ts";
import { createAuthority } from "../harness/certificates.ts";
import type { Cluster } from "../harness/cluster.ts";
import { findInitdb, NO_INITDB, startCluster } from "../harness/cluster.ts";
import { useFolder } from "../harness/hooks.ts";

/** Without initdb the tests are skipped, but in CI they fail. */
const isSkipped = findInitdb() === undefined && !process.env.CI;
if (isSkipped) console.warn(`The tests of TLS to the database are skipped. ${NO_INITDB}`);

const SERVERS = {
  right: "DNS:localhost,IP:127.0.0.1",
  named: "DNS:db.example.org",
  expired: "DNS:localhost",
  plain: "",
};
type Server = keyof typeof SERVERS;

const folder = useFolder("tls");

describe.skipIf(isSkipped)("sslmode", () => {
  let authority: Authority;
  const clusters = new Map<Server, Cluster>();

  beforeAll(async () => {
    const passwordFile = join(folder, "password");
    await Bun.write(passwordFile, "secret\n");
    authority = await createAuthority();
    for (const server of ["right", "named", "expired", "plain"] as const) {
      const certificate =
        server === "plain" ? undefined : await authority.sign(SERVERS[server], server === "expired");
      clusters.set(server, await startCluster(passwordFile, certificate));
    }
  });
  afterAll(async () => {
    for (const cluster of clusters.values()) await cluster[Symbol.asyncDispose]();
    await authority?.[Symbol.asyncDispose]();
  });

  const urlOf = (server: Server, mode: string, host = "localhost"): string => {
    const root = mode.startsWith("verify") ? `&sslrootcert=${encodeURIComponent(authority.file)}` : "";
    return `postgres://janus:secret@${host}:${clusters.get(server)?.port}/postgres?sslmode=${mode}${root}`;
  };
  const ask = async (url: string): Promise<unknown> => {
    const db = await openDatabase({ url, prepare: true, dataDir: "unused" });
    try {
      const [row] = await db.query("select ssl from pg_stat_ssl where pid = pg_backend_pid()");
      return row;
    } catch (error) {
      const { code, message, cause } = asJanusError(error);
      return { code, message, isRefusal: isRefusal(cause) };
    } finally {
      await db.close();
    }
  };

  test.each([
    ["right", "require", "localhost", true],
    ["right", "verify-ca", "127.0.0.1", true],
    ["right", "verify-full", "localhost", true],
    ["right", "verify-full", "127.0.0.1", true],
    ["right", "prefer", "localhost", true],
    ["right", "allow", "localhost", true],
    ["right", "disable", "localhost", false],
    ["named", "require", "localhost", true],
    ["named", "verify-ca", "localhost", true],
    ["expired", "require", "localhost", true],
    ["plain", "prefer", "localhost", false],
  ] as const)("for the %s server with %s at %s encrypts: %s", async (server, mode, host, ssl) => {
    expect(await ask(urlOf(server, mode, host))).toEqual({ ssl });
  });

  test.each([
    ["named", "verify-full", "localhost", "ERR_TLS_CERT_ALTNAME_INVALID"],
    ["named", "verify-full", "127.0.0.1", "ERR_TLS_CERT_ALTNAME_INVALID"],
    ["expired", "verify-full", "localhost", "CERT_HAS_EXPIRED"],
    ["expired", "verify-ca", "localhost", "CERT_HAS_EXPIRED"],
  ] as const)("refuses the %s certificate with %s at %s", async (server, mode, host, code) => {
    expect(await ask(urlOf(server, mode, host))).toEqual({
      code: "database_unavailable",
      message: `the certificate of the database is not accepted (${code}): see sslmode and sslrootcert in DATABASE_URL`,
      isRefusal: true,
    });
  });

  test.concurrent.each(["require", "verify-full", "prefer"])(
    "%s lets a late statement be cancelled",
    async (mode) => {
      // Longer than the server's own limit, so that nothing else ends it.
      const url = `${urlOf("right", mode)}&statement_timeout=3600000`;
      const db = await openDatabase({ url, prepare: true, dataDir: "unused" });
      const asleep =
        "select pid from pg_stat_activity where query like 'select pg_sleep(%' and state = 'active'";

      const outcome = await db
        .query("select pg_sleep(3600)")
        .catch((error: unknown) => asJanusError(error).code);
      while ((await db.query(asleep)).length > 0) await Bun.sleep(20);
      await db.close();

      expect(outcome).toBe("database_unavailable");
    },
  );

  test.each([
    ["verify-full", true],
    ["verify-ca", true],
    ["require", false],
  ] as const)("%s tells when the certificate expires: %s", async (mode, isKnown) => {
    const db = await openDatabase({ url: urlOf("right", mode), prepare: true, dataDir: "unused" });
    const before = db.inspectConnections?.().certificateExpiresAt;
    await db.query("select 1");
    const after = db.inspectConnections?.();
    await db.close();

    const isAhead = (after?.certificateExpiresAt?.getTime() ?? 0) > Date.now();
    expect([before, isAhead]).toEqual([undefined, isKnown]);
    expect(after?.counts).toEqual({ idle: 1, used: 0, ending: 0, waiting: 0 });
  });

  test("verify-full refuses a certificate of an unknown authority", async () => {
    const url = urlOf("right", "require").replace("require", "verify-full");

    expect(await ask(url)).toMatchObject({
      code: "database_unavailable",
      message: expect.stringContaining(
        "the certificate of the database is not accepted (UNABLE_TO_VERIFY_LEAF_SIGNATURE)",
      ),
    });
  });

  test("require says that a server without TLS breaks off where TLS begins", async () => {
    expect(await ask(urlOf("plain", "require"))).toMatchObject({
      code: "database_unavailable",
      message: expect.stringContaining("the database breaks off where TLS begins"),
      isRefusal: false,
    });
  });

  test("is taken from PGSSLMODE when DATABASE_URL does not set it", async () => {
    const DATABASE_URL = urlOf("plain", "disable").replace("?sslmode=disable", "");
    const environment = { DATABASE_URL, DATABASE_WAIT_SECONDS: "0" };

    const clear = await run(folder, "index.ts", ["migrate", "status"], environment);
    const encrypted = await run(folder, "index.ts", ["migrate", "status"], {
      ...environment,
      PGSSLMODE: "require",
    });

    expect(clear.exitCode).toBe(0);
    expect(encrypted).toMatchObject({ exitCode: 1, stdout: "" });
    expect(encrypted.stderr).toContain("where TLS begins");
  });

  test("verify-full makes migrate end at once when it refuses the certificate", async () => {
    const environment = { DATABASE_URL: urlOf("expired", "verify-full"), DATABASE_WAIT_SECONDS: "600" };

    const { exitCode, stderr } = await run(folder, "index.ts", ["migrate"], environment);

    expect(exitCode).toBe(1);
    expect(stderr).toContain("(CERT_HAS_EXPIRED)");
    expect(stderr).not.toContain("secret");
  });
});

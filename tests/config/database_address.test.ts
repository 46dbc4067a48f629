/** What DATABASE_URL may say beside the server: libpq's parameters, each honoured or refused by its name. */
import { beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import fc from "fast-check";
import postgres from "postgres";
import type { DatabaseAddress } from "../../lib/config/database_address.ts";
import { isDatabaseUrl, readDatabaseUrl } from "../../lib/config/database_address.ts";
import { readDatabaseConfig } from "../../lib/config/load.ts";
import { useFolder } from "../harness/hooks.ts";

const PEM = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";
const SERVER = "postgres://janus@db.example.org/janus";

const folder = useFolder("address");
let file: string;

beforeAll(async () => {
  file = join(folder, "root.crt");
  await Bun.write(file, PEM);
});

function addressOf(query: string, defaults: Readonly<Record<string, string>> = {}): DatabaseAddress {
  const read = readDatabaseUrl(`${SERVER}?${query}`, defaults);
  if ("fault" in read) throw new Error(read.fault);
  return read.address;
}

function faultOf(query: string, environment: Readonly<Record<string, string>> = {}): string {
  try {
    readDatabaseConfig({ DATABASE_URL: `${SERVER}?${query}`, ...environment });
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  throw new Error("taken");
}

describe("readDatabaseUrl()", () => {
  test.each([
    [
      "postgres://u:p%40s%3As@a:5433,b/d%20b",
      [
        ["a", 5433],
        ["b", 5432],
      ],
      "u",
      "p@s:s",
      "d b",
    ],
    ["postgresql://u@a/", [["a", 5432]], "u", undefined, undefined],
    ["postgres:///d", [], undefined, undefined, "d"],
    ["postgres://u:@a", [["a", 5432]], "u", undefined, undefined],
  ] as const)("reads %s", (url, servers, user, password, database) => {
    const read = readDatabaseUrl(url);

    expect(read).toMatchObject({
      address: { servers: servers.map(([host, port]) => ({ host, port })), user, password, database },
    });
  });

  test("reads the server, user and password that the driver reads", () => {
    const text = fc.string({ unit: fc.constantFrom(..."aB1.,:;@/?#[]%&=+ 2C40é"), maxLength: 12 });

    fc.assert(
      fc.property(text, text, (user, password) => {
        const url = `postgres://${user}:${password}@db.test:5433/janus`;
        if (!isDatabaseUrl(url)) return;
        const read = readDatabaseUrl(url);
        if ("fault" in read) throw new Error(read.fault);

        const { servers } = read.address;
        const { options } = postgres(url, {});

        expect(options.host).toEqual(servers.map(({ host }) => host));
        expect(options.port).toEqual(servers.map(({ port }) => port));
        expect<unknown>(options.pass).toBe(read.address.password ?? "");
        if (read.address.user !== undefined) expect(options.user).toBe(read.address.user);
      }),
      { numRuns: 1_000 },
    );
  });

  test.each([
    ["", "disable"],
    ["sslmode=disable", "disable"],
    ["sslmode=allow", "prefer"],
    ["sslmode=prefer", "prefer"],
    ["sslmode=require", "require"],
    ["sslmode=verify-ca", "verify-ca"],
    ["sslmode=verify-full", "verify-full"],
    ["sslrootcert=system", "verify-full"],
    ["sslmode=require&channel_binding=prefer&gssencmode=disable&connect_timeout=10", "require"],
  ])("reads ?%s as sslmode %s", (query, mode) => {
    expect(addressOf(query).tls.mode).toBe(mode as DatabaseAddress["tls"]["mode"]);
  });

  test("makes sslmode=require check a root certificate, as libpq does", () => {
    const { tls } = addressOf(`sslmode=require&sslrootcert=${encodeURIComponent(file)}`);

    expect(tls).toEqual({ mode: "verify-ca", ca: PEM, cert: undefined, key: undefined });
  });

  test("prefers its own TLS parameters to those of libpq's environment", () => {
    const environment = { PGSSLMODE: "verify-full", PGSSLROOTCERT: file, PGHOST: "elsewhere" };

    const alone = readDatabaseConfig({ DATABASE_URL: SERVER, ...environment }).database;
    const own = addressOf("sslmode=verify-full&sslrootcert=system", alone.libpq);

    expect(alone.libpq).toEqual({ sslmode: "verify-full", sslrootcert: file });
    expect(addressOf("", alone.libpq).tls).toMatchObject({ mode: "verify-full", ca: PEM });
    expect(own.tls).toMatchObject({ mode: "verify-full", ca: undefined });
    expect(addressOf("sslmode=disable", alone.libpq).tls).toEqual({ mode: "disable" });
  });

  test.each([
    ["target_session_attrs=primary", { targetSessionAttrs: "primary" }],
    ["target_session_attrs=any", { targetSessionAttrs: undefined }],
    ["application_name=janus-1", { settings: { application_name: "janus-1" } }],
    ["options=-c%20search_path%3Djanus", { settings: { options: "-c search_path=janus" } }],
    ["search_path=janus&role=janus_app", { settings: { search_path: "janus", role: "janus_app" } }],
  ])("reads the parameters ?%s", (query, expected) => {
    expect(addressOf(query)).toMatchObject(expected);
  });
});

describe("readDatabaseConfig()", () => {
  test.each([
    ["channel_binding=require", "channel_binding", "use sslmode=verify-full"],
    ["pgbouncer=true", "pgbouncer", "DATABASE_PREPARE=false"],
    ["schema=public", "schema", "search_path"],
    ["connection_limit=5", "connection_limit", "Remove it."],
    ["sslmode=no-verify", "sslmode", "It is one of disable, allow"],
    ["ssl=true", "ssl", "sslmode=verify-full"],
    ["sslmode=require&gssencmode=require", "gssencmode", "Remove it."],
    ["require_auth=scram-sha-256", "require_auth", "Remove it."],
    ["sslcrl=/etc/crl.pem", "sslcrl", "Remove it."],
    ["sslrootcert=/nowhere/canary-secret.crt", "sslrootcert", "Write sslmode=verify-full."],
    ["sslmode=prefer&sslcert=/nowhere/canary.crt", "sslcert", "Write sslmode=verify-full."],
    ["sslmode=require&sslrootcert=system", "sslrootcert=system", "needs sslmode=verify-full"],
    ["sslmode=verify-ca&sslrootcert=system", "sslrootcert=system", "needs sslmode=verify-full"],
    ["target_session_attrs=standby", "target_session_attrs", "Janus writes"],
    ["client_encoding=LATIN1", "client_encoding", "Remove it."],
    ["dbname=other", "dbname", "in the URL itself"],
    ["user=other", "user", "in the URL itself"],
    ["password=canary-secret", "password", "DATABASE_PASSWORD"],
    ["max=50", "max", "Remove it."],
    ["sslmode=require&sslmode=disable", "sslmode", "twice"],
    ["sslmode=verify-full&sslrootcert=/nowhere/canary-secret.crt", "sslrootcert", "(ENOENT)"],
    ["sslmode=verify-full&sslcert=/nowhere/canary-secret.crt", "sslcert", "(ENOENT)"],
  ])("refuses ?%s", (query, name, remedy) => {
    const fault = faultOf(query);

    expect(fault).toStartWith("The configuration has 1 fault:\n  ");
    expect(fault).toContain(name);
    expect(fault).toContain(remedy);
    expect(fault).not.toContain("canary");
  });

  test("refuses what may be of a password without repeating it", () => {
    const fault = faultOf("p4ss%25w0rd=1");

    expect(fault).toContain("the parameter (unprintable)");
    expect(fault).not.toContain("p4ss");
  });

  test.each(["\n", " ", "\t", "\u200b", "\x7f", "\r\n"])("refuses an address that ends in %j", (end) => {
    expect(() => readDatabaseConfig({ DATABASE_URL: `${SERVER}${end}` })).toThrow("DATABASE_URL must be");
  });

  test("refuses a certificate without key, and a file without PEM", async () => {
    const empty = join(folder, "empty.crt");
    await Bun.write(empty, "nothing\n");

    const lonely = faultOf(`sslmode=require&sslcert=${encodeURIComponent(file)}`);
    const barren = faultOf(`sslmode=require&sslrootcert=${encodeURIComponent(empty)}`);

    expect(lonely).toContain("one of sslcert and sslkey without the other");
    expect(barren).toContain("contains no PEM");
  });

  test.each([
    ["PGSSLMODE", "no-verify", "sslmode from PGSSLMODE"],
    ["PGTARGETSESSIONATTRS", "any", "target_session_attrs from PGTARGETSESSIONATTRS"],
    ["PGCHANNELBINDING", "require", "channel_binding from PGCHANNELBINDING"],
  ])("refuses %s=%s, and says where it is from", (name, value, said) => {
    expect(faultOf("", { [name]: value })).toContain(said);
  });
});

/**
 * The meaning of DATABASE_URL: the servers, the database and the parameters. The parameters are libpq's. Each is honoured or
 * refused by its name; none is ignored. This file opens no connection.
 * https://www.postgresql.org/docs/current/libpq-connect.html
 */
import { readFileSync } from "node:fs";

/** Where the database is, and how to connect to it. */
export type DatabaseAddress = {
  /** In the order in which they are tried. Empty if the address names no server. */
  readonly servers: readonly { readonly host: string; readonly port: number }[];
  readonly database: string | undefined;
  readonly user: string | undefined;
  readonly password: string | undefined;
  readonly tls: Tls;
  /** Which of several servers to use; undefined for any. */
  readonly targetSessionAttrs: "primary" | "read-write" | undefined;
  /** Settings of each new connection, such as `search_path`. `options` is as for the command `postgres`. */
  readonly settings: Readonly<Record<string, string>>;
};

/** How the connection is encrypted, and what is checked. `prefer` accepts a server without TLS, and checks nothing. */
export type Tls =
  | { readonly mode: "disable" }
  | { readonly mode: "prefer" }
  | {
      readonly mode: "require" | "verify-ca" | "verify-full";
      /** Certificates to trust, in PEM. Undefined for the runtime's list. */
      readonly ca: string | undefined;
      /** The certificate of Janus itself, if the server wants one, and its key. In PEM. */
      readonly cert: string | undefined;
      readonly key: string | undefined;
    };

/** An address, or its fault in whole sentences for the operator. No sentence repeats a value. */
type ReadAddress = { readonly address: DatabaseAddress } | { readonly fault: string };

/** Parameters by their names. */
type Parameters = ReadonlyMap<string, string>;

const DEFAULT_PORT = 5432;

/** The variables that libpq reads for TLS. Ignoring them would send unencrypted what the operator wants encrypted. */
const ENVIRONMENT: Readonly<Record<string, string>> = {
  PGSSLMODE: "sslmode",
  PGSSLROOTCERT: "sslrootcert",
  PGSSLCERT: "sslcert",
  PGSSLKEY: "sslkey",
  PGCHANNELBINDING: "channel_binding",
  PGTARGETSESSIONATTRS: "target_session_attrs",
};

const SSL_MODES = ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"];

/** Settings of PostgreSQL that an operator may set for one client, beside libpq's parameters. */
const SERVER_SETTINGS = [
  "application_name",
  "idle_in_transaction_session_timeout",
  "idle_session_timeout",
  "jit",
  "lock_timeout",
  "options",
  "role",
  "search_path",
  "statement_timeout",
  "tcp_user_timeout",
  "work_mem",
];

/** Parameters that Janus honours, with the values that they may have. */
const HONOURED: Readonly<Record<string, RegExp>> = {
  sslmode: new RegExp(`^(${SSL_MODES.join("|")})$`),
  sslrootcert: /./,
  sslcert: /./,
  sslkey: /./,
  target_session_attrs: /^(any|primary|read-write)$/,
};

/** Parameters that change nothing while they have these values. */
const HARMLESS: Readonly<Record<string, RegExp>> = {
  channel_binding: /^(disable|prefer)$/,
  client_encoding: /^(auto|utf-?8)$/i,
  connect_timeout: /^\d{1,6}$/,
  fallback_application_name: /./,
  gssencmode: /^(disable|prefer)$/,
  keepalives: /^1$/,
  keepalives_idle: /^\d{1,6}$/,
  load_balance_hosts: /^disable$/,
  sslcompression: /^[01]$/,
  sslnegotiation: /^postgres$/,
  sslsni: /^1$/,
};

/** What to write instead of a parameter that is refused. */
const INSTEAD: Readonly<Record<string, string>> = {
  channel_binding: "Remove it, and use sslmode=verify-full, which proves the server by its certificate.",
  dbname: "Write it in the URL itself: postgres://user@host:5432/database.",
  host: "Write it in the URL itself: postgres://user@host:5432/database.",
  hostaddr: "Write it in the URL itself: postgres://user@host:5432/database.",
  options: 'Write settings as options=-c%20name%3Dvalue, with each space as "%20".',
  password: "Write it in DATABASE_PASSWORD.",
  pgbouncer: "Remove it. Behind PgBouncer in transaction mode set DATABASE_PREPARE=false.",
  port: "Write it in the URL itself: postgres://user@host:5432/database.",
  schema: "Remove it. For a schema of its own write options=-c%20search_path%3Dname.",
  ssl: "Write sslmode=verify-full, or sslmode=require for a certificate that nobody checks.",
  sslmode: `It is one of ${SSL_MODES.join(", ")}.`,
  target_session_attrs: "It is primary, read-write or any: Janus writes.",
  user: "Write it in the URL itself: postgres://user@host:5432/database.",
};

/**
 * Whether an address is one that the driver reads as it was meant. An IPv6 address, a socket, or a raw # ? / @ in a password
 * would lead the driver to another host: it reads `1/x@host` as port 1 of a host, and sends the text before an @ to the
 * host after it.
 */
export function isDatabaseUrl(text: string): boolean {
  // The driver would silently drop some of these, and send the others.
  if (/[\p{Cc}\p{Cf}]|^\s|\s$/u.test(text)) return false;
  const parts = splitUrl(text);
  if (parts === undefined || parts.hosts + parts.path + parts.query === "") return false;
  if (![parts.user ?? "", parts.path].every(isPercentEncoded)) return false;
  if (/(^|&)host(addr)?=/i.test(parts.query)) return false;
  const before = parts.user === undefined ? "postgres://" : `postgres://${parts.user}@`;
  return parts.hosts.split(",").every((host) => URL.parse(`${before}${host}${parts.path}`) !== null);
}

/** The TLS parameters that libpq would take from the environment, by the names of the parameters. */
export function readLibpqEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
): Readonly<Record<string, string>> {
  const named = Object.entries(ENVIRONMENT).map(([name, parameter]) => [parameter, environment[name]]);
  return Object.fromEntries(named.filter(([, value]) => value));
}

/**
 * Reads an address that `isDatabaseUrl` accepts, and the files that it names. `defaults` are values for parameters that the
 * address lacks.
 */
export function readDatabaseUrl(url: string, defaults: Readonly<Record<string, string>> = {}): ReadAddress {
  const { user = "", hosts = "", path = "", query = "" } = splitUrl(url) ?? {};
  const own = [...new URLSearchParams(query)];
  const parameters = new Map([...Object.entries(defaults), ...own]);
  const fault = findDoubled(own) ?? findFault(parameters, new Map(own));
  if (fault !== undefined) return { fault };
  const tls = readTls(parameters, new Map(own));
  if ("fault" in tls) return tls;
  const [name = "", password] = user.split(/:(.*)/s, 2).map(decodeURIComponent);
  const attrs = parameters.get("target_session_attrs");
  return {
    address: {
      servers: hosts === "" ? [] : hosts.split(",").map(readServer),
      database: decodeURIComponent(path.slice(1)) || undefined,
      user: name || undefined,
      password: password || undefined,
      tls,
      targetSessionAttrs: attrs === "primary" || attrs === "read-write" ? attrs : undefined,
      settings: Object.fromEntries([...parameters].filter(([name]) => SERVER_SETTINGS.includes(name))),
    },
  };
}

function splitUrl(text: string) {
  const match = /^postgres(?:ql)?:\/\/(?:([^@/?#]*)@)?([^@/?#%[\]\s]*)(\/[^@?#]*)?(?:\?([^@#]*))?$/.exec(
    text,
  );
  if (match === null) return undefined;
  const [, user, hosts = "", path = "", query = ""] = match;
  return { user, hosts, path, query };
}

function readServer(text: string) {
  const [host = "", port = ""] = text.split(":");
  return { host: host || "localhost", port: Number(port || DEFAULT_PORT) };
}

function findDoubled(own: readonly (readonly [string, string])[]): string | undefined {
  const names = own.map(([name]) => name);
  const doubled = names.find((name, index) => names.indexOf(name) !== index);
  return doubled === undefined
    ? undefined
    : `DATABASE_URL has the parameter ${shown(doubled)} twice. Write it once.`;
}

function findFault(parameters: Parameters, own: Parameters): string | undefined {
  for (const [name, value] of parameters) {
    const pattern = HONOURED[name] ?? HARMLESS[name] ?? (SERVER_SETTINGS.includes(name) ? /./ : undefined);
    const instead = INSTEAD[name] ?? "Remove it.";
    if (pattern === undefined)
      return `DATABASE_URL has the parameter ${shown(name)}, which Janus does not know. ${instead}`;
    // The driver also reads this variable of the environment, and does not know this value.
    const isUnknownToDriver = name === "target_session_attrs" && value === "any" && !own.has(name);
    if (pattern.test(value) && !isUnknownToDriver) continue;
    const where = own.has(name) ? "in DATABASE_URL" : `from ${variableOf(name)}`;
    return `The value of ${shown(name)} ${where} is one that Janus cannot honour. ${instead}`;
  }
  return undefined;
}

const variableOf = (parameter: string): string =>
  Object.entries(ENVIRONMENT).find(([, known]) => known === parameter)?.[0] ?? parameter;

/** The name, if it looks like the name of a parameter. Anything else might be a part of a password. */
const shown = (name: string): string => (/^[a-z][a-z_]{1,30}$/i.test(name) ? name : "(unprintable)");

function readTls(parameters: Parameters, own: Parameters): Tls | { readonly fault: string } {
  const rootCert = parameters.get("sslrootcert");
  const fault = findTlsFault(parameters, own);
  if (fault !== undefined) return { fault };
  // As in libpq, `require` checks the certificate if there is a file of certificates to trust.
  const verifiesByRoot = rootCert === undefined ? "require" : "verify-ca";
  const mode = parameters.get("sslmode") ?? (rootCert === "system" ? "verify-full" : "disable");
  if (mode === "disable") return { mode };
  if (mode === "allow" || mode === "prefer") return { mode: "prefer" };
  const ca = readPem("sslrootcert", rootCert === "system" ? undefined : rootCert);
  if ("fault" in ca) return ca;
  const cert = readPem("sslcert", parameters.get("sslcert"));
  if ("fault" in cert) return cert;
  const key = readPem("sslkey", parameters.get("sslkey"));
  if ("fault" in key) return key;
  if ((cert.pem === undefined) !== (key.pem === undefined))
    return { fault: "DATABASE_URL has one of sslcert and sslkey without the other. Name both files." };
  const verified = mode === "verify-full" || mode === "verify-ca" ? mode : verifiesByRoot;
  return { mode: verified, ca: ca.pem, cert: cert.pem, key: key.pem };
}

/** Finds files that nothing would use, and a check that anybody's certificate would pass. */
function findTlsFault(parameters: Parameters, own: Parameters): string | undefined {
  const mode = parameters.get("sslmode");
  const isSystem = parameters.get("sslrootcert") === "system";
  if (isSystem && mode !== undefined && mode !== "verify-full" && mode !== "disable")
    return "sslrootcert=system for the database needs sslmode=verify-full. Write that, or name a file.";
  const usesFiles = isSystem || ["require", "verify-ca", "verify-full"].includes(mode ?? "");
  const unused = ["sslrootcert", "sslcert", "sslkey"].find((name) => own.has(name));
  return usesFiles || unused === undefined
    ? undefined
    : `DATABASE_URL has ${unused} without an sslmode that uses it. Write sslmode=verify-full.`;
}

type Pem = { readonly pem: string | undefined } | { readonly fault: string };

function readPem(parameter: string, path: string | undefined): Pem {
  if (path === undefined) return { pem: undefined };
  try {
    const pem = readFileSync(path, "utf8");
    if (pem.includes("-----BEGIN ")) return { pem };
    return {
      fault: `The file that ${parameter} names for the database contains no PEM. Name one that does.`,
    };
  } catch (error) {
    const why = error instanceof Error && "code" in error ? String(error.code) : "unreadable";
    return { fault: `The file that ${parameter} names for the database cannot be read (${why}).` };
  }
}

function isPercentEncoded(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    // A % that begins no escape, or bytes that are not UTF-8.
    return false;
  }
}

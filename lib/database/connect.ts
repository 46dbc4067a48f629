/**
 * Owns how a connection to PostgreSQL begins: its driver, its encryption, and the settings that Janus depends on. Each
 * connection is a postgres.js of its own. It sends no statement.
 */
import postgres from "postgres";
import type { DatabaseAddress, Tls } from "./address.ts";

/** How connections are made. */
export type Connect = {
  /** Whether a connection begins with TLS or not at all. */
  readonly usesTls: boolean;
  /**
   * Makes a connection that begins with these settings, at the first server, the second, and so on around. Nothing is sent
   * before it is used.
   */
  readonly open: (settings: Settings, first: number) => postgres.Sql;
};

/** Settings of PostgreSQL, by their names. */
export type Settings = Readonly<Record<string, string>>;

const CONNECT_TIMEOUT_SECONDS = 5;
/** Longer than anybody waits for a statement. One whose caller has left ends by itself. */
const STATEMENT_TIMEOUT_MS = 6_000;

/** What poolers pass on: values have one form, whatever the role prefers. */
export const PLAIN_SETTINGS: Settings = { application_name: "janus", DateStyle: "ISO", TimeZone: "UTC" };

/** What Janus depends on, whatever the role and the database have: how statements meet, and that they end. */
export const SETTINGS: Settings = {
  ...PLAIN_SETTINGS,
  default_transaction_isolation: "read committed",
  statement_timeout: String(STATEMENT_TIMEOUT_MS),
  lock_timeout: "0",
  idle_session_timeout: "0",
};

const OPTIONS = {
  max: 1,
  connect_timeout: CONNECT_TIMEOUT_SECONDS,
  fetch_types: false,
  onnotice: () => undefined,
  transform: { column: { from: postgres.toCamel } },
  types: {
    // The driver serializes the parameters again where it sends a statement again: a text is serialized already.
    boolean: {
      to: 16,
      from: [16],
      serialize: (value: unknown) => (value === true || value === "t" ? "t" : "f"),
      parse: (text: string): boolean => text === "t",
    },
    json: {
      to: 3802,
      from: [114, 3802],
      serialize: (value: unknown) => (typeof value === "string" ? value : JSON.stringify(value)),
      parse: (text: string): unknown => JSON.parse(text),
    },
  },
};

/** Connects to a PostgreSQL; without `prepare`, nothing that the driver sends by itself is prepared either. */
export function connectTo(address: DatabaseAddress, prepare: boolean): Connect {
  const { servers, database, user, password, tls, targetSessionAttrs } = address;
  const options = {
    ...OPTIONS,
    prepare,
    ssl: tlsOptions(tls),
    ...(database === undefined ? {} : { database }),
    ...(user === undefined ? {} : { user }),
    ...(password === undefined ? {} : { password }),
    ...(targetSessionAttrs === undefined ? {} : { target_session_attrs: targetSessionAttrs }),
  };
  return {
    usesTls: tls.mode !== "disable" && tls.mode !== "prefer",
    open: (settings, first) => {
      const at = servers.length === 0 ? 0 : first % servers.length;
      const host = [...servers.slice(at), ...servers.slice(0, at)]
        .map((server) => `${server.host}:${server.port}`)
        .join();
      const connection = { ...settings, ...address.settings };
      return postgres({ ...options, ...(host === "" ? {} : { host }), connection });
    },
  };
}

/** Connects through sockets that are made in this process. */
export function connectThrough(socket: () => object): Connect {
  // The package's types do not know `socket`, which it documents.
  const options = { ...OPTIONS, connection: { application_name: "janus" }, socket };
  return { usesTls: false, open: () => postgres(options) };
}

function tlsOptions(tls: Tls) {
  if (tls.mode === "disable") return false;
  if (tls.mode === "prefer") return tls.mode;
  const { ca, cert, key, mode } = tls;
  return {
    rejectUnauthorized: mode !== "require",
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    // libpq does not compare the name here: a certificate that a trusted authority signed will do.
    ...(mode === "verify-ca" ? { checkServerIdentity: () => undefined } : {}),
  };
}

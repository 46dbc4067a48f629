/**
 * How a connection to PostgreSQL begins: its driver, its encryption, and the settings that Janus depends on. Each
 * connection is a postgres.js of its own, and goes to one server: with several, the driver would go on trying them for
 * ever. This file sends no statement.
 */
import type { ConnectionOptions } from "node:tls";
import { checkServerIdentity } from "node:tls";
import postgres from "postgres";
import type { DatabaseAddress, Tls } from "../config/database_address.ts";
import { databaseUnavailable } from "../errors.ts";
import type { CancelKey } from "./cancel.ts";
import { requestCancel } from "./cancel.ts";

/** What is written as jsonb: data that JSON can hold. */
export type JsonObject = { readonly [name: string]: unknown };

/** The driver of one connection, with the types that `connectTo` teaches it. */
export type Driver = postgres.Sql<{ boolean: boolean; json: unknown }>;

/** How connections are made. */
export type Connect = {
  /** Whether a connection begins with TLS or not at all. */
  readonly usesTls: boolean;
  /** How many servers there are to choose from. */
  readonly servers: number;
  /** Makes a connection to one of them that begins with these settings. Nothing is sent before it is used. */
  readonly open: (settings: Settings, server: number, events: Events) => Driver;
  /** When the first of the servers' certificates expires, as they were at the last connections; undefined if none was verified. */
  readonly certificateExpiresAt: () => Date | undefined;
  /** Asks a server to end a statement; false where nothing comes back. */
  readonly cancel: (server: number, key: CancelKey) => Promise<boolean>;
};

/** What becomes of a connection. */
type Events = {
  /** Called for each thing that the server says of itself: once it has taken the connection, before the first statement. */
  readonly onWord: () => void;
  readonly onClose: () => void;
};

/** Settings of PostgreSQL, by their names. */
export type Settings = Readonly<Record<string, string>>;

const CONNECT_TIMEOUT_SECONDS = 5;
/** With several servers, how much of a statement's time connecting may take in all. */
const CONNECT_SHARE_SECONDS = 4;
const LEAST_CONNECT_SECONDS = 0.5;
/** Longer than anybody waits for a statement. One whose caller has left ends by itself. */
export const STATEMENT_TIMEOUT_MS = 6_000;

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

/** Why no server is fit, although each works. */
export const NOT_WANTED = "no server in DATABASE_URL is what target_session_attrs asks for";

const OPTIONS = {
  max: 1,
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
  const certificates = new Map<string, number>();
  const options = {
    ...OPTIONS,
    prepare,
    connect_timeout: connectTimeout(servers.length),
    ssl: tlsOptions(tls, (host, expiresAt) => void certificates.set(host, expiresAt)),
    ...(database === undefined ? {} : { database }),
    ...(user === undefined ? {} : { user }),
    ...(password === undefined ? {} : { password }),
    ...(targetSessionAttrs === undefined ? {} : { target_session_attrs: targetSessionAttrs }),
  };
  return {
    usesTls: tls.mode !== "disable" && tls.mode !== "prefer",
    servers: Math.max(1, servers.length),
    certificateExpiresAt: () =>
      certificates.size === 0 ? undefined : new Date(Math.min(...certificates.values())),
    open: (settings, index, { onWord, onClose: onclose }) => {
      const server = servers[index];
      const host = server === undefined ? {} : { host: `${server.host}:${server.port}` };
      const connection = { ...settings, ...address.settings };
      const onparameter = (name: string, value: unknown): void => {
        onWord();
        // The driver takes a standby for one that can be written, which has no such setting of its own.
        if (targetSessionAttrs === "read-write") refuseStandby(name, value);
      };
      return postgres({ ...options, ...host, connection, onparameter, onclose });
    },
    cancel: (index, key) => {
      const server = servers[index];
      // With the driver's own defaults, we do not know which server to ask.
      if (server === undefined) return Promise.resolve(true);
      return requestCancel({ ...server, tls: options.ssl }, key);
    },
  };
}

/** With one server, as long as a statement may take. With several, so that each has its turn within that time. */
const connectTimeout = (servers: number): number =>
  servers > 1 ? Math.max(LEAST_CONNECT_SECONDS, CONNECT_SHARE_SECONDS / servers) : CONNECT_TIMEOUT_SECONDS;

/** What this throws becomes the failure of the statement that the connection was made for. */
function refuseStandby(name: string, value: unknown): void {
  if (name === "in_hot_standby" && value === "on") throw databaseUnavailable(NOT_WANTED);
}

/** `onCertificate` learns when a certificate expires that an authority has vouched for. */
function tlsOptions(
  tls: Tls,
  onCertificate: (host: string, expiresAt: number) => void,
): false | "prefer" | ConnectionOptions {
  if (tls.mode === "disable") return false;
  if (tls.mode === "prefer") return tls.mode;
  const { ca, cert, key, mode } = tls;
  return {
    rejectUnauthorized: mode !== "require",
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    checkServerIdentity: (host, certificate) => {
      const expiresAt = Date.parse(certificate.valid_to);
      if (!Number.isNaN(expiresAt)) onCertificate(host, expiresAt);
      // libpq does not compare the name with verify-ca: a certificate that a trusted authority signed will do.
      return mode === "verify-ca" ? undefined : checkServerIdentity(host, certificate);
    },
  };
}

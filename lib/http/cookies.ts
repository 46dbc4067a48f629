/**
 * Cookies, in and out. Each flow's record is a cookie of its own, and so is each result. On https their names begin with
 * `__Host-`, so no other site of the domain can plant one. They are HttpOnly, and SameSite=Lax, which the redirect back from
 * a provider needs.
 */
import { stringifySetCookie } from "cookie";
import type { FlowChange, FlowRecords } from "../flow/record.ts";
import { FLOW_COOKIE_SECONDS } from "../flow/record.ts";
import type { BegunSession, SessionSecrets } from "../session/secrets.ts";
import { pairSecrets } from "../session/secrets.ts";

const FLOW_PREFIX = "janus_flow_";
const HOST_PREFIX = "__Host-";
const RECORD_NAME = /^[A-Za-z0-9_-]{1,32}$/;
const NONE: ReadonlyMap<string, string> = new Map();

/** The flow records among a request's cookies. */
export function readFlowRecords(
  header: string | null,
  secure: boolean,
  isOurs?: (name: string, value: string) => boolean,
): FlowRecords {
  return readRecords(header, nameOf(FLOW_PREFIX, secure), isOurs);
}

/**
 * The cookies whose names begin with a prefix, by the rest of their names. Of two cookies with one name, it keeps the one
 * that `isOurs` accepts.
 */
export function readRecords(
  header: string | null,
  prefix: string,
  isOurs: (name: string, value: string) => boolean = () => true,
): ReadonlyMap<string, string> {
  if (header === null) return NONE;
  const records = new Map<string, string>();
  let doubts = 0;
  for (const { name, value } of readCookies(header, prefix)) {
    const record = name.slice(prefix.length);
    // Another form of name is not ours. It could not even be forgotten: a Set-Cookie must not contain it.
    if (!RECORD_NAME.test(record)) continue;
    const known = records.get(record);
    if (known === undefined) records.set(record, value);
    if (known === undefined || known === value || doubts === MAX_DOUBTS) continue;
    doubts += 1;
    if (!isOurs(record, known)) records.set(record, value);
  }
  return records;
}

/** `isOurs` costs time. Only an attacker sends more values of one name, so the rest is ignored. */
const MAX_DOUBTS = 8;

/**
 * The cookies of a header whose names begin with a prefix: in the header's order, undecoded. `parseCookie` keeps only the
 * first of each name, but a browser sends several if another application of the domain has set one, those of longer paths
 * first. Other cookies are not parsed, so thousands of them cost only a search. RFC 6265 5.4
 */
function* readCookies(
  header: string,
  prefix: string,
): Generator<{ readonly name: string; readonly value: string }> {
  for (let at = header.indexOf(prefix); at >= 0; at = header.indexOf(prefix, at + prefix.length)) {
    if (!beginsPair(header, at)) continue;
    const semicolon = header.indexOf(";", at);
    const pair = header.slice(at, semicolon < 0 ? undefined : semicolon);
    const equals = pair.indexOf("=");
    if (equals >= 0) yield { name: pair.slice(0, equals).trim(), value: pair.slice(equals + 1).trim() };
  }
}

/** Whether a cookie begins here: only blanks follow the pair before. */
function beginsPair(header: string, at: number): boolean {
  let before = at - 1;
  while (header[before] === " " || header[before] === "\t") before -= 1;
  return before < 0 || header[before] === ";";
}

/** The Set-Cookie headers that make a browser keep and forget flow records. RFC 6265 4.1 */
export function writeFlowChange({ set, forget }: FlowChange, secure: boolean): readonly string[] {
  const { keep, expire } = secure ? SECURE : PLAIN;
  const prefix = nameOf(FLOW_PREFIX, secure);
  const written = forget.map((name) => `${prefix}${name}=${expire}`);
  // Names and values are base64url and dots, so nothing has to be encoded.
  if (set !== undefined) written.push(`${prefix}${set.name}=${set.value}${keep}`);
  return written;
}

const SESSION_ID = "sessionId";
const SESSION_KEY = "sessionKey";

/** Possible secrets of a session among a request's cookies: usually one pair, or nothing. */
export function readSessionCookies(header: string | null): readonly SessionSecrets[] {
  return pairSecrets(readValues(header, SESSION_ID), readValues(header, SESSION_KEY));
}

/** Every value of the cookies with this name, in the header's order. */
export function readValues(header: string | null, wanted: string): readonly string[] {
  if (header === null) return [];
  return [...readCookies(header, wanted)].filter(({ name }) => name === wanted).map(({ value }) => value);
}

/** The Set-Cookie headers that make a browser keep a session until it ends. */
export function writeSession(
  { secrets, expiresAt }: BegunSession,
  now: Date,
  secure: boolean,
): readonly string[] {
  const maxAge = Math.max(0, Math.round((expiresAt.getTime() - now.getTime()) / 1_000));
  return [
    writeCookie(SESSION_ID, secrets.sessionId, maxAge, secure),
    writeCookie(SESSION_KEY, secrets.sessionKey, maxAge, secure),
  ];
}

const ADMIN = "janus_admin";

/** Possible secrets of an administrator's sign-in among a request's cookies. */
export const readAdminCookie = (header: string | null, secure: boolean): readonly SessionSecrets[] =>
  readValues(header, nameOf(ADMIN, secure)).flatMap((value) => {
    const [id = "", key = ""] = value.split(".");
    return pairSecrets([id], [key]);
  });

/** The Set-Cookie header that makes a browser keep an administrator's sign-in until it ends, or forget it without one. */
export function writeAdminCookie(session: BegunSession | undefined, now: Date, secure: boolean): string {
  if (session === undefined) return expireCookie(nameOf(ADMIN, secure), secure);
  const { secrets, expiresAt } = session;
  const maxAge = Math.max(0, Math.round((expiresAt.getTime() - now.getTime()) / 1_000));
  return writeCookie(nameOf(ADMIN, secure), `${secrets.sessionId}.${secrets.sessionKey}`, maxAge, secure);
}

/** The Set-Cookie headers that make a browser forget a session at once. */
export function forgetSession(secure: boolean): readonly string[] {
  return [SESSION_ID, SESSION_KEY].map((name) => expireCookie(name, secure));
}

/** The Set-Cookie header that makes a browser forget a cookie. */
export const expireCookie = (name: string, secure: boolean): string => writeCookie(name, "", 0, secure);

/** The Set-Cookie header of one cookie. */
export function writeCookie(name: string, value: string, maxAge: number, secure: boolean): string {
  const expires = maxAge === 0 ? { expires: new Date(0) } : {};
  return stringifySetCookie({
    name,
    value,
    maxAge,
    ...expires,
    path: "/",
    httpOnly: true,
    secure,
    sameSite: "lax",
  });
}

const SECURE = attributes(true);
const PLAIN = attributes(false);

/** The attributes after the value. */
function attributes(secure: boolean): { readonly keep: string; readonly expire: string } {
  const cookie = { name: "n", value: "", path: "/", httpOnly: true, secure, sameSite: "lax" } as const;
  const after = (maxAge: number) => stringifySetCookie({ ...cookie, maxAge }).slice("n=".length);
  return { keep: after(FLOW_COOKIE_SECONDS), expire: after(0) };
}

/** The name, or the beginning of the name, of a cookie that no other site of the domain may plant. */
export const nameOf = (name: string, secure: boolean): string => (secure ? `${HOST_PREFIX}${name}` : name);

/**
 * Cookies, in and out. Each flow's record is a cookie of its own. On https its name begins with `__Host-`, so no other site
 * of the domain can plant one. It is HttpOnly, and SameSite=Lax, which the redirect back from a provider needs.
 */
import { stringifySetCookie } from "cookie";
import type { FlowChange, FlowRecords } from "../flow/record.ts";
import { FLOW_COOKIE_SECONDS } from "../flow/record.ts";
import type { BegunSession, SessionSecrets } from "../session/secrets.ts";
import { pairSecrets } from "../session/secrets.ts";

const FLOW_PREFIX = "janus_flow_";
const RECORD_NAME = /^[A-Za-z0-9_-]{1,32}$/;
const NONE: FlowRecords = new Map();

/**
 * The flow records among a request's cookies. Of two cookies with one name, it keeps the one that `isOurs` accepts.
 */
export function readFlowRecords(
  header: string | null,
  secure: boolean,
  isOurs: (name: string, value: string) => boolean = () => true,
): FlowRecords {
  if (header === null) return NONE;
  const prefix = flowPrefix(secure);
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
  const prefix = flowPrefix(secure);
  const written = forget.map((name) => `${prefix}${name}=${expire}`);
  // Names and values are base64url and dots, so nothing has to be encoded.
  if (set !== undefined) written.push(`${prefix}${set.name}=${set.value}${keep}`);
  return written;
}

const SESSION_ID = "sessionId";
const SESSION_KEY = "sessionKey";

/** Possible secrets of a session among a request's cookies: usually one pair, or nothing. */
export function readSessionCookies(header: string | null): readonly SessionSecrets[] {
  if (header === null) return [];
  const valuesOf = (wanted: string) =>
    [...readCookies(header, wanted)].filter(({ name }) => name === wanted).map(({ value }) => value);
  return pairSecrets(valuesOf(SESSION_ID), valuesOf(SESSION_KEY));
}

/** The Set-Cookie headers that make a browser keep a session until it ends. */
export function writeSession(
  { secrets, expiresAt }: BegunSession,
  now: Date,
  secure: boolean,
): readonly string[] {
  const maxAge = Math.max(0, Math.round((expiresAt.getTime() - now.getTime()) / 1_000));
  return [
    writeSessionCookie(SESSION_ID, secrets.sessionId, maxAge, secure),
    writeSessionCookie(SESSION_KEY, secrets.sessionKey, maxAge, secure),
  ];
}

/** The Set-Cookie headers that make a browser forget a session at once. */
export function forgetSession(secure: boolean): readonly string[] {
  return [SESSION_ID, SESSION_KEY].map((name) => writeSessionCookie(name, "", 0, secure));
}

function writeSessionCookie(name: string, value: string, maxAge: number, secure: boolean): string {
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

function flowPrefix(secure: boolean): string {
  return secure ? `__Host-${FLOW_PREFIX}` : FLOW_PREFIX;
}

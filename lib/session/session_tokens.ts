/**
 * The two secrets of a session, and what is sealed with them. Called by `flow.ts`, `link.ts`, `session.ts` and
 * the edge. The id finds the row, which is keyed by its hash; the key opens the row's tokens and is stored nowhere but in the member's cookie. So
 * a stolen database opens no session, not even with every key of the operator's.
 */
import type { Sealer } from "../crypto.ts";
import { createSealer, decodeBase64url, randomToken, sha256Hex } from "../crypto.ts";

/** What the member's cookies hold, each 256 bits as base64url, and what the row is keyed by. */
export type SessionSecrets = {
  readonly sessionId: string;
  readonly sessionKey: string;
  /** SHA-256 of the id, hexadecimal. */
  readonly sessionIdHash: string;
};

/** What a session says of the browser that it is in, and the sessions that this one takes the place of. */
export type Browser = { readonly userAgent: string | null; readonly sessionIdHashes: readonly string[] };

/** A session that has begun: the browser is to keep its secrets until then. */
export type BegunSession = { readonly secrets: SessionSecrets; readonly expiresAt: Date };

/** A column of `session` that holds a sealed token. */
type SessionColumn = "access_token" | "refresh_token";

/** How long a session lasts at most. */
export const SESSION_TTL_SECONDS = 30 * 86_400;
/** How long a session lasts without use. */
export const SESSION_IDLE_SECONDS = 7 * 86_400;

const SECRET_BYTES = 32;
const HANDLE_BYTES = 9;
const SECRET = /^[A-Za-z0-9_-]{43}$/;
/** Another application of the domain may set cookies of our names. More of our form than this is nobody's accident. */
const MAX_CANDIDATES = 4;

/** What opens nothing: it takes the place of a row that is not there, so that both take the same time. */
const NOTHING = createSealer([{ id: "s", key: new Uint8Array(SECRET_BYTES) }], "no session");
const NOTHING_SEALED = NOTHING.seal("n".repeat(30), "no session");

/** Secrets of a new session. */
export function createSessionSecrets(): SessionSecrets {
  return withHash(randomToken(SECRET_BYTES), randomToken(SECRET_BYTES));
}

/** Two secrets with what follows from them. */
export function withHash(sessionId: string, sessionKey: string): SessionSecrets {
  return { sessionId, sessionKey, sessionIdHash: sha256Hex(sessionId) };
}

/** Every pair of the first few ids and keys that have the right form; those of one id stand together. */
export function pairSecrets(
  sessionIds: readonly string[],
  sessionKeys: readonly string[],
): readonly SessionSecrets[] {
  const keys = candidates(sessionKeys);
  return candidates(sessionIds).flatMap((id) => keys.map((key) => withHash(id, key)));
}

const candidates = (values: readonly string[]): readonly string[] =>
  [...new Set(values.filter((value) => SECRET.test(value)))].slice(0, MAX_CANDIDATES);

/** How a session's row begins; its handle is what it is called in lists. */
export function newSession({ sessionIdHash }: SessionSecrets, browser: Browser, now: Date) {
  return {
    sessionIdHash,
    sessionHandle: randomToken(HANDLE_BYTES),
    userAgent: browser.userAgent,
    sessionExpiresAt: new Date(now.getTime() + SESSION_TTL_SECONDS * 1_000),
    // As the statements take them.
    replacedSessionIdHashes: browser.sessionIdHashes.length === 0 ? null : browser.sessionIdHashes.join(),
  };
}

/** Seals a token with the member's key, for its row and column. */
export function sealSessionToken(secrets: SessionSecrets, column: SessionColumn, token: string): string {
  return sealerOf(secrets).seal(token, contextOf(secrets, column));
}

/**
 * Opens a token with the member's key; undefined where key, row or column is another, or there is no row at all, in the
 * same time.
 */
export function openSessionToken(
  secrets: SessionSecrets,
  column: SessionColumn,
  sealed: string | undefined,
): string | undefined {
  return sealerOf(secrets).open(sealed ?? NOTHING_SEALED, contextOf(secrets, column));
}

function sealerOf({ sessionKey }: SessionSecrets): Sealer {
  const key = decodeBase64url(sessionKey);
  // Not canonical, so nothing was ever sealed with it: no reason to take another time.
  if (key === undefined) return NOTHING;
  return createSealer([{ id: "s", key }], "session tokens");
}

const contextOf = ({ sessionIdHash }: SessionSecrets, column: SessionColumn): string =>
  `session.${column}:${sessionIdHash}`;

/**
 * The two secrets of a session, and what is sealed with them. The id finds the row, which is keyed by its hash; the key
 * opens the row's tokens and is stored nowhere but in the member's cookie. So a stolen database opens no session, not
 * even with every key of the operator's. The row also has a hash of the key, so that a statement can ask for id and key
 * together. The hash opens nothing: a session is proved only when its token opens.
 */
import type { Sealer } from "../crypto.ts";
import { createSealer, decodeBase64url, randomToken, sha256Hex } from "../crypto.ts";
import { secondsAfter } from "../time.ts";

/** What the member's cookies hold, each 256 bits as base64url, and what the row is keyed by. */
export type SessionSecrets = {
  readonly sessionId: string;
  readonly sessionKey: string;
  /** SHA-256 of the id, hexadecimal. */
  readonly sessionIdHash: string;
  /** SHA-256 of a purpose, the id's hash and the key, hexadecimal: different in each row. */
  readonly sessionKeyHash: string;
};

/** What Janus notes of a session's browser, and the earlier sessions of that browser, which the new one replaces. */
export type Browser = { readonly userAgent: string | null; readonly candidates: readonly SessionSecrets[] };

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
/** Another application of the domain may set cookies with our names, but not many that have our form. */
const MAX_CANDIDATES = 4;

/** Stands in for a row that does not exist, so that both cases take the same time. It opens nothing. */
const NOTHING = createSealer([{ id: "s", key: new Uint8Array(SECRET_BYTES) }], "no session");
const NOTHING_SEALED = NOTHING.seal("n".repeat(30), "no session");

/** Secrets of a new session. */
export function createSessionSecrets(): SessionSecrets {
  return withHash(randomToken(SECRET_BYTES), randomToken(SECRET_BYTES));
}

/** Two secrets with what follows from them. */
export function withHash(sessionId: string, sessionKey: string): SessionSecrets {
  const sessionIdHash = sha256Hex(sessionId);
  const sessionKeyHash = sha256Hex(`janus session key v1 ${sessionIdHash} ${sessionKey}`);
  return { sessionId, sessionKey, sessionIdHash, sessionKeyHash };
}

/** Every pair of the first few ids and keys that have the right form. Pairs of one id stand together. */
export function pairSecrets(
  sessionIds: readonly string[],
  sessionKeys: readonly string[],
): readonly SessionSecrets[] {
  const keys = firstOf(sessionKeys);
  return firstOf(sessionIds).flatMap((id) => keys.map((key) => withHash(id, key)));
}

const firstOf = (values: readonly string[]): readonly string[] =>
  [...new Set(values.filter((value) => SECRET.test(value)))].slice(0, MAX_CANDIDATES);

/** How a session's row begins; its handle is what it is called in lists. */
export function newSession(secrets: SessionSecrets, { userAgent, candidates }: Browser, now: Date) {
  const { sessionIdHash, sessionKeyHash } = secrets;
  return {
    sessionIdHash,
    sessionKeyHash,
    sessionHandle: randomToken(HANDLE_BYTES),
    userAgent,
    sessionExpiresAt: secondsAfter(now, SESSION_TTL_SECONDS),
    // A key's hash includes its id, so of all ids and hashes only matching pairs are found.
    replacedSessionIdHashes: joinHashes(candidates.map((candidate) => candidate.sessionIdHash)),
    replacedSessionKeyHashes: joinHashes(candidates.map((candidate) => candidate.sessionKeyHash)),
  };
}

/** Hashes as the statements take them, joined by commas; null if there are none. */
function joinHashes(hashes: readonly string[]): string | null {
  return hashes.length === 0 ? null : [...new Set(hashes)].join();
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
  // A key that is not canonical has sealed nothing. It must take as long as any other.
  if (key === undefined) return NOTHING;
  return createSealer([{ id: "s", key }], "session tokens");
}

const contextOf = ({ sessionIdHash }: SessionSecrets, column: SessionColumn): string =>
  `session.${column}:${sessionIdHash}`;

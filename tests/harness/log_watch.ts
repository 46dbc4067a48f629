/**
 * Every line that the suite has Janus log, at the most talkative level, against every secret that passed through it.
 * Loaded before any test file (bunfig.toml); at the end of a file, or of a run of several in one process, a line with a
 * secret in it fails the run.
 */
import { afterAll } from "bun:test";

/** Part of each secret that tests make up themselves. */
const CANARY = /canary/i;
/** Shorter texts are words. */
const LEAST_LENGTH = 16;
const PIECE = new RegExp(`[A-Za-z0-9_-]{${LEAST_LENGTH},}`, "g");

/** What secrets are called on the wire, in forms, addresses, answers and cookies. RFC 6749, RFC 7636 */
const SECRET_NAME =
  /(^|_)(code|state|token|secret|verifier|nonce|password|id_token_hint)$|sessionId|sessionKey|janus_flow/;
/** Has such a name, and is a word. */
const PUBLIC_NAME = /token_type|_hint$/;

/** Collects lines and secrets, and says which lines hold one. */
export function createLogWatch() {
  const lines: string[] = [];
  const secrets = new Set<string>();

  const addSecret = (value: string): void => {
    // As it may stand in a line: whatever is around it, and its longest unbroken parts.
    for (const piece of value.match(PIECE) ?? []) secrets.add(piece);
  };
  const addPairs = (pairs: Iterable<readonly [string, string]>): void => {
    for (const [name, value] of pairs) {
      if (SECRET_NAME.test(name) && !PUBLIC_NAME.test(name)) addSecret(value);
    }
  };

  return {
    addSecret,
    /** A line, or several. */
    addLines: (text: string): void => void lines.push(...text.split("\n").filter((line) => line !== "")),
    /** What a request to Janus, or one of its own, carries. */
    addRequest: (url: string, headers: Headers, body: unknown): void => {
      // A Host that is none makes an address that nobody can parse.
      addPairs(URL.parse(url)?.searchParams ?? []);
      for (const cookie of (headers.get("cookie") ?? "").split("; ")) {
        const [name = "", value = ""] = cookie.split("=");
        addPairs([[name, value]]);
      }
      addSecret(headers.get("authorization") ?? "");
      if (typeof body === "string" || body instanceof URLSearchParams)
        addPairs(new URLSearchParams(String(body)));
    },
    /** What an answer gives: cookies, an address to go to, and tokens. */
    addAnswer: (headers: Headers, text: string): void => {
      for (const cookie of headers.getSetCookie()) {
        const [, name = "", value = ""] = /^([^=]*)=([^;]*)/.exec(cookie) ?? [];
        addPairs([[name, value]]);
      }
      const location = URL.parse(headers.get("location") ?? "", "http://127.0.0.1");
      if (location !== null) addPairs(location.searchParams);
      for (const [, value = ""] of text.matchAll(/"(?:access_token|refresh_token|id_token)":\s*"([^"]+)"/g))
        addSecret(value);
    },
    /** Lines that hold a secret. */
    leaks: (): readonly string[] =>
      lines.filter(
        (line) => CANARY.test(line) || (line.match(PIECE) ?? []).some((piece) => secrets.has(piece)),
      ),
    /** Keeps the secrets: a later line may hold one. */
    forgetLines: (): void => void lines.splice(0),
    counts: () => ({ lines: lines.length, secrets: secrets.size }),
  };
}

/** The one of this run. */
export const logWatch = createLogWatch();

afterAll(() => {
  const leaks = logWatch.leaks();
  logWatch.forgetLines();
  if (leaks.length > 0)
    throw new Error(`${leaks.length} lines of the log hold a secret:\n${leaks.slice(0, 5).join("\n")}`);
});

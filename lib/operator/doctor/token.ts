/**
 * What proves to a running server that somebody knows its COOKIE_SECRET: a nonce and a time under a key that is derived for
 * this alone. The server proves itself in the same way with what it answers. A token is for one purpose and a short time.
 */
import type { Config } from "../../config/load.ts";
import type { Mac } from "../../crypto.ts";
import { createMacs, equalInConstantTime, randomToken } from "../../crypto.ts";

/** What a token lets its bearer do. `database`: as `reach`, and ask what the server sees of its database. */
export type Purpose = "reach" | "database" | "login";

type Secrets = Pick<Config, "cookieSecrets">;

/** A token that one of the secrets has made. */
export type OpenedToken = { readonly nonce: string; readonly issuedAt: Date; readonly mac: Mac };

const NONCE_BYTES = 32;
/** `<milliseconds in base 36>.<nonce>.<code>` */
const FORM = /^([0-9a-z]{1,11})\.([A-Za-z0-9_-]{43})\.([A-Za-z0-9_-]{43})$/;

/** Makes a token under the first secret. */
export function issueToken(secrets: Secrets, purpose: Purpose, now: Date): { text: string; nonce: string } {
  const [mac] = macsOf(secrets);
  if (mac === undefined) throw new TypeError("A token needs a secret");
  const nonce = randomToken(NONCE_BYTES);
  const claim = `${now.getTime().toString(36)}.${nonce}`;
  return { text: `${claim}.${mac(`${purpose} ${claim}`)}`, nonce };
}

/** Opens a token of ours, however old it is. Undefined for any other text. */
export function openToken(secrets: Secrets, purpose: Purpose, text: string): OpenedToken | undefined {
  const [, at = "", nonce = "", code = ""] = FORM.exec(text) ?? [];
  // Anybody may ask, and a key costs more than a look.
  if (nonce === "") return undefined;
  const mac = macsOf(secrets).find((one) => equalInConstantTime(one(`${purpose} ${at}.${nonce}`), code));
  return mac === undefined ? undefined : { nonce, issuedAt: new Date(Number.parseInt(at, 36)), mac };
}

/** The code of what a server answers to the token with this nonce. */
export const codeOfAnswer = (mac: Mac, nonce: string, answer: string): string =>
  mac(`answer ${nonce} ${answer}`);

/** Whether one of the secrets has made the code of an answer. */
export const isAnswerOf = (secrets: Secrets, nonce: string, answer: string, code: string): boolean =>
  macsOf(secrets).some((mac) => equalInConstantTime(codeOfAnswer(mac, nonce, answer), code));

const macsOf = ({ cookieSecrets }: Secrets): readonly Mac[] => createMacs(cookieSecrets, "doctor");

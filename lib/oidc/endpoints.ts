/**
 * Which addresses a discovery document may name. Janus sends its client secret, codes, tokens and members' browsers
 * there, so the endpoints of an https issuer must be https, unless the operator allows others. `discovery.ts` knows
 * where the document comes from and which of its fields are needed.
 */
import * as v from "valibot";
import type { Config } from "../config/load.ts";
import { isLoopback } from "../config/secure_address.ts";

/** The settings that decide which addresses are allowed. */
export type EndpointRules = Pick<Config["oidc"], "issuer" | "allowHttpEndpoints">;

/** Who calls an endpoint. A browser does so over networks that the operator does not control. */
type EndpointUser = "browser" | "janus";

const MAX_LENGTH = 2_048;
/** The message of an issue that https, or a setting, would resolve. Any other issue is a malformed URL. */
export const NOT_HTTPS = "not https";

/** The schema of an endpoint: an absolute https URL, or http where that is allowed. RFC 6749 3.1, 3.2 */
export function createEndpointSchema(rules: EndpointRules, user: EndpointUser) {
  const isAllowed = createHttpCheck(rules, user);
  return v.pipe(
    v.string(),
    v.maxLength(MAX_LENGTH),
    v.check(isPlainUrl),
    v.check((text) => {
      const url = URL.parse(text);
      return url === null || url.protocol !== "http:" || isAllowed(url);
    }, NOT_HTTPS),
  );
}

/** Whether every parser reads a URL in the same way: it has no spaces, credentials or fragment. */
function isPlainUrl(text: string): boolean {
  const url = URL.parse(text);
  if (url === null || /[\s\p{Cc}#\\]/u.test(text)) return false;
  return /^https?:$/.test(url.protocol) && url.username === "" && url.password === "";
}

function createHttpCheck({ issuer, allowHttpEndpoints }: EndpointRules, user: EndpointUser) {
  const isForDevelopment = URL.parse(issuer)?.protocol === "http:";
  return (url: URL): boolean =>
    (isForDevelopment && isLoopback(url)) || (allowHttpEndpoints && user === "janus");
}

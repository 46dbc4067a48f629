/** What a SCIM client needs to provision Janus: its token, and how its users and the members are matched. */
import * as v from "valibot";

/** What the SCIM endpoints need. */
export type ScimSettings = {
  /** Bearer tokens that are accepted, the newest first. */
  readonly tokens: readonly string[];
  /** The attribute of a user that names a member, and the claim that has the same. */
  readonly attribute: "externalId" | "userName";
  readonly claim: string;
};

const LEAST_TOKEN_LENGTH = 32;
const MOST_TOKEN_LENGTH = 1_024;
/** Bearer tokens, the newest first. RFC 6750 2.1 */
const bearerTokens = v.pipe(
  v.string(),
  v.transform((text) => text.split(",").map((part) => part.trim())),
  v.check(
    (tokens) =>
      tokens.every(
        (token) =>
          token.length >= LEAST_TOKEN_LENGTH &&
          token.length <= MOST_TOKEN_LENGTH &&
          /^[A-Za-z0-9\-._~+/]+=*$/.test(token),
      ),
    `must be ${LEAST_TOKEN_LENGTH} characters or more of A-Z, a-z, 0-9 and - . _ ~ + / =, or two such with a comma between`,
  ),
);

/** The schemas of the variables. Without a token no client provisions Janus. */
export const SCIM_SCHEMAS = {
  SCIM_TOKEN: v.optional(bearerTokens),
  SCIM_SUBJECT: v.optional(
    v.picklist(["externalId", "userName"], "must be externalId or userName"),
    "externalId",
  ),
  SCIM_CLAIM: v.optional(
    v.pipe(v.string(), v.regex(/^[\x21-\x7e]{1,100}$/, "must be the name of a claim")),
    "sub",
  ),
};

/** The settings; undefined where no client provisions Janus. */
export function scimOf(values: {
  readonly SCIM_TOKEN?: readonly string[] | undefined;
  readonly SCIM_SUBJECT: ScimSettings["attribute"];
  readonly SCIM_CLAIM: string;
}): ScimSettings | undefined {
  const { SCIM_TOKEN: tokens, SCIM_SUBJECT: attribute, SCIM_CLAIM: claim } = values;
  return tokens === undefined ? undefined : { tokens, attribute, claim };
}

/**
 * Accounts at the provider that are known by their username alone, as an earlier service stored them. Such an account stands
 * under an issuer of its own, which no provider can have: an issuer has no fragment (OpenID Connect Core 1.0, 2). So it is
 * never mistaken for an account whose subject is known. docs/decisions/0053
 */

/** Statements that look for these accounts have it too. */
const FRAGMENT = "#preferred_username";

/** The issuer under which usernames of a provider stand. */
export const usernameIssuerOf = (issuer: string): string => `${issuer}${FRAGMENT}`;

/** Whether an account is known by its username alone. */
export const isUsernameIssuer = (issuer: string): boolean => issuer.endsWith(FRAGMENT);

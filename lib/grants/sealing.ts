/**
 * Tokens as the database has them: sealed with the operator's keys, each for one row and one column. Moved to another row
 * or column, a ciphertext does not open. Tokens of sessions are sealed with the member's key, in `session/secrets.ts`.
 */
import type { WorkDeps } from "../deps.ts";
import type { DiscordTokens } from "../discord/client.ts";
import { tokenUnreadable } from "../errors.ts";
import type { SignIn } from "../oidc/client.ts";

type Needs = Pick<WorkDeps, "tokenSealer">;

/** A column that holds sealed tokens; part of what a ciphertext is bound to. */
type TokenColumn =
  `${"discord_token" | "organisation_token" | "stray_token"}.${"access_token" | "refresh_token"}`;

/** Seals a token for one row and column. */
export function sealToken({ tokenSealer }: Needs, token: string, column: TokenColumn, row: string): string {
  return tokenSealer.seal(token, `${column}:${row}`);
}

/** Both tokens of a Discord grant, sealed for their row. */
export function sealDiscordTokens(
  needs: Needs,
  discordUserId: string,
  { accessToken, refreshToken }: Pick<DiscordTokens, "accessToken" | "refreshToken">,
) {
  return {
    accessTokenSealed: sealToken(needs, accessToken, "discord_token.access_token", discordUserId),
    refreshTokenSealed: sealToken(needs, refreshToken, "discord_token.refresh_token", discordUserId),
  };
}

/** A token of a Discord grant; undefined where no key of TOKEN_KEYS opens it. */
export function findDiscordToken(
  { tokenSealer }: Needs,
  column: "access_token" | "refresh_token",
  sealed: string,
  discordUserId: string,
): string | undefined {
  return tokenSealer.open(sealed, `discord_token.${column}:${discordUserId}`);
}

/** The same. Throws token_unreadable where no key opens it. */
export function openDiscordToken(
  ...[needs, column, sealed, owner]: Parameters<typeof findDiscordToken>
): string {
  const token = findDiscordToken(needs, column, sealed, owner);
  if (token === undefined)
    throw tokenUnreadable(`discord_token.${column} does not open with any key of TOKEN_KEYS`);
  return token;
}

/** A row of `organisation_token`, as a ciphertext is bound to it. */
const organisationRow = ({ issuer, subject }: { readonly issuer: string; readonly subject: string }) =>
  JSON.stringify([issuer, subject]);

/** Both tokens of a provider's grant, sealed for their row. */
export function sealOrganisationTokens(
  needs: Needs,
  account: Pick<SignIn, "issuer" | "subject" | "accessToken" | "refreshToken">,
) {
  const { accessToken, refreshToken } = account;
  const row = organisationRow(account);
  return {
    accessTokenSealed: sealToken(needs, accessToken, "organisation_token.access_token", row),
    refreshTokenSealed:
      refreshToken === undefined
        ? null
        : sealToken(needs, refreshToken, "organisation_token.refresh_token", row),
  };
}

/** A provider's token; undefined where no key of TOKEN_KEYS opens it. */
export function openOrganisationToken(
  { tokenSealer }: Needs,
  column: "access_token" | "refresh_token",
  account: { readonly issuer: string; readonly subject: string },
  sealed: string,
): string | undefined {
  return tokenSealer.open(sealed, `organisation_token.${column}:${organisationRow(account)}`);
}

/** A sealed token as it is stored. `kind` is its column; `subject` is null except for an account at a provider. */
export type StoredToken = {
  readonly kind: string;
  readonly owner: string;
  readonly subject: string | null;
  readonly sealed: string;
};

const contextOf = ({ kind, owner, subject }: Omit<StoredToken, "sealed">): string =>
  `${kind}:${subject === null ? owner : organisationRow({ issuer: owner, subject })}`;

/** Whether a key of TOKEN_KEYS opens a stored token. */
export const isReadable = ({ tokenSealer }: Needs, token: StoredToken): boolean =>
  tokenSealer.open(token.sealed, contextOf(token)) !== undefined;

/** A stored token, sealed again for the same row with the first key of TOKEN_KEYS; undefined if no key opens it. */
export function resealToken({ tokenSealer }: Needs, stored: StoredToken): string | undefined {
  const token = tokenSealer.open(stored.sealed, contextOf(stored));
  return token === undefined ? undefined : tokenSealer.seal(token, contextOf(stored));
}

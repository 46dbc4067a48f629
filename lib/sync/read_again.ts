/**
 * Reads a member's claims again at the provider, while the member is away: a refresh token brings new tokens, and with
 * those the claims are read as at a sign-in. A mark says that the refresh was sent, should this process die before it stores
 * the answer. The new tokens are stored before they are used. docs/decisions/0043
 */
import type { WorkDeps } from "../deps.ts";
import { databaseUnavailable, tokenUnreadable } from "../errors.ts";
import { requireRefreshTime } from "../grants/refresh_wait.ts";
import { openOrganisationToken, sealOrganisationTokens } from "../grants/sealing.ts";
import { keepUnlinkedTokens } from "../grants/stray_tokens.ts";
import type { StoredClaims } from "../rules/claims.ts";
import { keepSources, renewClaims } from "../rules/claims.ts";
import { SCIM_SOURCE } from "../rules/rule_set.ts";
import { markSent } from "./sent_marks.ts";
import { createTogether } from "./together.ts";

/** What reading works with. */
export type ReadDeps = Pick<
  WorkDeps,
  "config" | "oidc" | "queries" | "tokenSealer" | "rules" | "now" | "sleep" | "log" | "unstored"
>;

/** A member whose claims are to be read, as a claim gives them. */
export type ReadMember = {
  readonly issuer: string;
  readonly subject: string;
  readonly claims: StoredClaims;
  readonly sources: StoredClaims;
  readonly organisationAccessTokenSealed: string | null;
  readonly organisationRefreshTokenSealed: string | null;
  readonly organisationExpiresAt: Date | null;
  readonly organisationEndedAt: Date | null;
  readonly refreshUnansweredSince: Date | null;
  readonly refreshRefusals: number;
  /** Until when the refresh token is not to be sent for this work; null if it may be. */
  readonly refreshPutOffUntil: Date | null;
  /** Whether nobody has read the claims since the database was restored: Discord may know better. */
  readonly isOfBackup: boolean;
};

type ReadKeys = Pick<ReadMember, "subject" | "claims" | "sources">;
type LivingMember = Pick<
  ReadMember,
  "issuer" | "subject" | "organisationAccessTokenSealed" | "organisationExpiresAt" | "organisationEndedAt"
>;

/** What came of it. */
export type Reading =
  | { readonly outcome: "read"; readonly claims: StoredClaims; readonly sources: StoredClaims }
  /** No token can read them: the provider gave no refresh token, or it is dead. The claims keep their age. */
  | { readonly outcome: "kept" };

/** A 401 for an access token that is older than this may mean that it has expired early. */
const LIVES_LONG_ENOUGH_MS = 60_000;

/** Reads them without spending a refresh token, so only while the access token lives. Throws what the provider throws. */
export async function readWithoutRefresh(deps: ReadDeps, member: LivingMember & ReadKeys): Promise<Reading> {
  const tokens = member.issuer === deps.config.oidc.issuer ? findLivingToken(deps, member) : undefined;
  return tokens === undefined ? { outcome: "kept" } : readWith(deps, member, tokens);
}

/**
 * Reads the claims of one member under a lease of the link. Throws what the provider throws; token_unreadable; and
 * provider_unavailable as long as the refresh token waits after a failure.
 */
export async function readAgain(deps: ReadDeps, member: ReadMember): Promise<Reading> {
  const { organisationRefreshTokenSealed: refreshToken, organisationEndedAt } = member;
  // OIDC_ISSUER was changed: no other provider gets the tokens of this one.
  if (member.issuer !== deps.config.oidc.issuer) return { outcome: "kept" };
  const tokens =
    refreshToken === null || organisationEndedAt !== null
      ? findLivingToken(deps, member)
      : await refresh(deps, member, refreshToken);
  return tokens === undefined ? { outcome: "kept" } : readWith(deps, member, tokens);
}

async function readWith(
  deps: ReadDeps,
  member: ReadKeys,
  tokens: Parameters<ReadDeps["oidc"]["readClaims"]>[0],
): Promise<Reading> {
  const { claims, sources, isWhole } = await deps.oidc.readClaims(tokens, member.subject);
  return {
    outcome: "read",
    claims: renewClaims(deps.rules, member.claims, { claims, isWhole }),
    sources: { ...pickScim(member.sources), ...keepSources(deps.rules, sources) },
  };
}

/** What a SCIM client has told is no answer of the provider, so it stays. */
const pickScim = (sources: StoredClaims): StoredClaims =>
  Object.fromEntries(Object.entries(sources).filter(([name]) => name === SCIM_SOURCE));

/** The access token, if it still lives. Without a refresh token it is all that there is. */
function findLivingToken(deps: ReadDeps, member: LivingMember): { readonly accessToken: string } | undefined {
  const {
    organisationAccessTokenSealed: sealed,
    organisationExpiresAt: expiresAt,
    organisationEndedAt,
  } = member;
  if (sealed === null || expiresAt === null || organisationEndedAt !== null) return undefined;
  if (expiresAt.getTime() - deps.now().getTime() < LIVES_LONG_ENOUGH_MS) return undefined;
  const accessToken = openOrganisationToken(deps, "access_token", member, sealed);
  return accessToken === undefined ? undefined : { accessToken };
}

/** Spends the refresh token, and stores what comes before it is used. */
async function refresh(deps: ReadDeps, member: ReadMember, refreshTokenSealed: string) {
  const { issuer, subject } = member;
  requireRefreshTime(deps.oidc, member.refreshPutOffUntil, deps.now());
  const refreshToken = openOrganisationToken(deps, "refresh_token", member, refreshTokenSealed);
  if (refreshToken === undefined)
    throw tokenUnreadable("organisation_token.refresh_token does not open with any key of TOKEN_KEYS");
  const tokens = await deps.oidc.refreshTokens(refreshToken, () =>
    markSent(deps, { subject, refreshTokenSealed }),
  );
  const sealed = {
    ...sealOrganisationTokens(deps, { issuer, subject, ...tokens }),
    expiresAt: tokens.expiresAt ?? null,
  };
  const refreshed = {
    subject,
    spentRefreshTokenSealed: refreshTokenSealed,
    ...sealed,
    obtainedAt: deps.now(),
  };
  const store = async (): Promise<void> => {
    // The member has signed in or undone the link meanwhile: these tokens end together with those, or by themselves.
    if (!(await storeRefreshed(deps, refreshed))) keepUnlinkedTokens(deps, { issuer, subject, ...sealed });
  };
  if (!(await deps.unstored.store("provider_tokens", store)))
    throw databaseUnavailable("the tokens of a refresh could not be stored yet");
  return tokens;
}

/** What a refresh has brought. */
type Refreshed = {
  readonly subject: string;
  readonly spentRefreshTokenSealed: string;
  readonly accessTokenSealed: string;
  readonly refreshTokenSealed: string | null;
  readonly expiresAt: Date | null;
  readonly obtainedAt: Date;
};

/** Whether the row still had the token that was spent. */
const storeRefreshed = createTogether<ReadDeps, Refreshed>({
  keyOf: ({ subject }) => subject,
  store: async ({ queries, config }, items) => {
    const tokens = items.map((item) => ({
      subject: item.subject,
      spent_refresh_token: item.spentRefreshTokenSealed,
      access_token: item.accessTokenSealed,
      refresh_token: item.refreshTokenSealed,
      expires_at: item.expiresAt,
      obtained_at: item.obtainedAt,
    }));
    const stored = await queries.setProviderRefreshed({ issuer: config.oidc.issuer, tokens });
    return stored.map(({ subject }) => subject);
  },
});

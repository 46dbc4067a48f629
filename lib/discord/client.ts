/**
 * Discord's side. This room owns everything that Janus asks of Discord:
 *
 *     the authorization page                   authorization_request.ts
 *     POST /oauth2/token, …/revoke             tokens.ts
 *     GET /oauth2/@me                          user.ts
 *     PUT, GET, DELETE …/role-connection       role_connection.ts
 *     GET and PUT …/role-connections/metadata  metadata_records.ts
 *
 * `retries.ts` repeats what may be repeated, `answers.ts` tells Discord's own answers from those of a proxy, `limits.ts`
 * says which limit an answer speaks of, `member_waits.ts` how long a member's calls have to wait. The room leaves to `oauth/` how a request is sent, to `rules/` what is pushed, and
 * to `grants/` where tokens are stored and when they are refreshed. It stores and decides nothing. https://discord.com/developers/docs/topics/oauth2
 */

import { requireWholeDeadline } from "../oauth/budget.ts";
import type { ClientCheck } from "../oauth/client_check.ts";
import { checkClient } from "../oauth/client_check.ts";
import { REFRESH } from "../oauth/refresh.ts";
import type { Fetch, Meter, Upstream, Work } from "../oauth/upstream.ts";
import type { RoleConnection } from "../rules/role_connection.ts";
import type { Instruments } from "../telemetry/instruments.ts";
import type { Log } from "../telemetry/log.ts";
import type { StoredRecord } from "./answers.ts";
import { linkFlow, loginFlow } from "./authorization_request.ts";
import type { MemberWaits } from "./member_waits.ts";
import { respectWaits } from "./member_waits.ts";
import { readMetadataRecords } from "./metadata_records.ts";
import { createCaller } from "./retries.ts";
import { deleteRoleConnection, findRoleConnection, putRoleConnection } from "./role_connection.ts";
import { createTokenClient, exchangeCode, refreshTokens, revokeGrant } from "./tokens.ts";
import { createUpstream } from "./upstream.ts";
import { findUser } from "./user.ts";

/** Discord, as the use cases see it. Any call may throw discord_unavailable; those of the API, discord_rate_limited. */
export type Discord = {
  /** The name and the errors of the server, for what a callback says. */
  readonly upstream: Upstream;

  /** Exchanges a link's code. Throws code_rejected, authorization_rejected, discord_client_rejected. RFC 6749 4.1.3 */
  readonly exchangeCode: (code: string) => Promise<DiscordTokens>;
  /** Exchanges a sign-in's code. Throws as the call above. RFC 7636 4.5 */
  readonly exchangeLoginCode: (code: string, codeVerifier: string) => Promise<DiscordTokens>;
  /** Asks whether Discord accepts the client id and the secret; makes no token. Throws discord_client_rejected. */
  readonly checkClient: () => Promise<ClientCheck>;
  /** Throws discord_unavailable where a refresh could be cut off, which would spend the token and lose the new pair. */
  readonly requireTimeToRefresh: () => void;
  /**
   * Refreshes a grant; the token is spent in any case. Throws grant_ended; refresh_refused for invalid_request, which may
   * mean the same; discord_client_rejected. RFC 6749 6
   */
  readonly refreshTokens: (refreshToken: string) => Promise<DiscordTokens>;
  /**
   * Ends every token of the member's authorization, not only this one; false if Discord refuses for good. The token
   * must be alive: Discord gives the same answer for one that it does not know. Throws discord_client_rejected. RFC
   * 7009 2.1
   */
  readonly revokeGrant: (token: string) => Promise<boolean>;

  /** Whose token it is, checked to be ours and able to push. Throws scope_missing, grant_ended, discord_refused. */
  readonly findCurrentUser: (accessToken: string) => Promise<DiscordUser>;
  /** The same for a token that need not be able to push. */
  readonly findSignedInUser: (accessToken: string) => Promise<DiscordUser>;

  /** Replaces the role connection. The role comes when the member clicks Link. Throws grant_ended, discord_refused. */
  readonly putRoleConnection: (accessToken: string, roleConnection: RoleConnection) => Promise<void>;
  /** The values that Discord has of the member, by their keys; none without a role connection. Throws as the call above. */
  readonly findRoleConnection: (accessToken: string) => Promise<Readonly<Record<string, string>>>;
  /** The metadata records that Discord has. Throws grant_ended for a wrong bot token, discord_refused. */
  readonly listMetadataRecords: (botToken: string) => Promise<readonly StoredRecord[]>;
  /** Clears the role connection, and so the role; nothing to clear counts as done. Throws as the call above. */
  readonly deleteRoleConnection: (accessToken: string) => Promise<void>;
};

/** The Discord account that a grant speaks for. */
export type DiscordUser = {
  readonly discordUserId: string;
  readonly username: string;
  readonly globalName: string | null;
  /** Of the picture, at Discord's CDN. */
  readonly avatarUrl: string;
};

/** A grant's tokens. `expiresAt` is absolute UTC, `scope` a list with blanks. */
export type DiscordTokens = {
  readonly accessToken: string;
  readonly refreshToken: string;
  readonly scope: string;
  readonly expiresAt: Date;
};

/** What the client is made of. */
export type DiscordOptions = {
  readonly clientId: string;
  readonly clientSecret: string;
  /** Without a slash at the end, such as https://discord.com/api/v10. */
  readonly apiUrl: string;
  readonly authorizeUrl: string;
  /** Where avatars are, such as https://cdn.discordapp.com. */
  readonly cdnUrl: string;
  /** Where members reach this Janus: redirects lead here, and Discord learns whom to write to. */
  readonly publicUrl: string;
  readonly version: string;
  readonly fetch: Fetch;
  readonly log: Log;
  readonly instruments?: Instruments | undefined;
  readonly now: () => Date;
  readonly sleep: (ms: number) => Promise<void>;
  readonly deadlineMs?: number;
  /** Follows every call. */
  readonly meter?: Meter;
};

const CLIENT_REMEDY =
  "compare DISCORD_CLIENT_ID with the Application ID in the developer portal, and copy DISCORD_CLIENT_SECRET again";

/** Makes the function that gives a client for each piece of work. Nothing is sent before the first call. */
export function createDiscord(options: DiscordOptions): (work: Work) => Discord {
  const server = createUpstream(options);
  const link = linkFlow(options.publicUrl);
  const login = loginFlow(options.publicUrl);
  const memberWaits: MemberWaits = new Map();
  return (work) => {
    const upstream: Upstream = { ...server, ...work };
    const tokens = createTokenClient(options, upstream);
    const call = respectWaits(createCaller(upstream, options), memberWaits, options.now);
    return {
      upstream,
      exchangeCode: (code) => exchangeCode(tokens, link, { code }),
      exchangeLoginCode: (code, codeVerifier) =>
        exchangeCode(tokens, login, { code, code_verifier: codeVerifier }),
      checkClient: () => checkClient(upstream, tokens.endpoint, link.redirectUri, CLIENT_REMEDY),
      requireTimeToRefresh: () => requireWholeDeadline(upstream, REFRESH),
      refreshTokens: (refreshToken) => refreshTokens(tokens, refreshToken),
      revokeGrant: (token) => revokeGrant(tokens, token),
      findCurrentUser: (accessToken) => findUser(call, options, accessToken, link.scopes),
      findSignedInUser: (accessToken) => findUser(call, options, accessToken, login.scopes),
      putRoleConnection: (accessToken, roleConnection) =>
        putRoleConnection(call, options.clientId, accessToken, roleConnection),
      findRoleConnection: (accessToken) => findRoleConnection(call, options.clientId, accessToken),
      listMetadataRecords: (botToken) => readMetadataRecords(call, options.clientId, botToken),
      deleteRoleConnection: (accessToken) => deleteRoleConnection(call, options.clientId, accessToken),
    };
  };
}

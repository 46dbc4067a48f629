/**
 * Discord's side: the authorization request, tokens, and the few calls that a link needs. Called by the use cases
 * and by `register`. What may be repeated is repeated, a token request never is; it stores and decides nothing.
 * https://discord.com/developers/docs/topics/oauth2
 */
import type { RESTPutAPICurrentUserApplicationRoleConnectionJSONBody } from "discord-api-types/v10";
import * as v from "valibot";
import { encodeBase64url, sha256 } from "../crypto.ts";
import {
  asJanusError,
  discordClientRejected,
  discordRefused,
  discordUnavailable,
  grantEnded,
  scopeMissing,
} from "../errors.ts";
import { prepareAuthorizationRequest } from "../oauth/authorization.ts";
import { revokeToken } from "../oauth/revocation.ts";
import type { TokenEndpoint, TokenResponse } from "../oauth/token_endpoint.ts";
import { requestTokens } from "../oauth/token_endpoint.ts";
import type { Fetch, Upstream, Work } from "../oauth/upstream.ts";
import { parseJson, requireWholeDeadline } from "../oauth/upstream.ts";
import type { MetadataRecord } from "../rules/records.ts";
import type { RoleConnection } from "../rules/role_connection.ts";
import type { Log } from "../telemetry/log.ts";
import { cleanName, readName } from "../text/shown_name.ts";
import { secondsAfter } from "../time.ts";
import { hasRecords, isRevoked, isRoleConnectionOf } from "./answers.ts";
import { createCaller } from "./retries.ts";

/** The Discord account that a grant speaks for. */
export type DiscordUser = {
  readonly discordUserId: string;
  readonly username: string;
  readonly globalName: string | null;
  /** Where the picture is, at Discord's CDN. */
  readonly avatarUrl: string;
};

/** A grant's tokens. `expiresAt` is absolute UTC. */
export type DiscordTokens = {
  readonly accessToken: string;
  readonly refreshToken: string;
  readonly scope: string;
  readonly expiresAt: Date;
};

/** Discord, as the use cases see it. */
export type Discord = ReturnType<ReturnType<typeof createDiscord>>;

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
  readonly now: () => Date;
  readonly sleep: (ms: number) => Promise<void>;
  readonly deadlineMs?: number;
};

const LINK_SCOPES = ["identify", "role_connections.write"];
const LOGIN_SCOPES = ["identify"];
/** Pictures for those who have chosen none. https://discord.com/developers/docs/reference#image-formatting */
const DEFAULT_AVATARS = 6n;
const DEADLINE_MS = 5_000;
/** So many deadlines a refresh may take where nobody waits for it: half a minute, well within its lease. */
const PATIENCE = 6;

const snowflake = v.pipe(v.string(), v.regex(/^[0-9]{1,20}$/));
/** Discord's own limits on names, with room. */
const displayName = v.pipe(v.string(), v.maxLength(200), v.transform(cleanName));

/** GET /oauth2/@me, the part that Janus reads. */
const currentAuthorization = v.object({
  application: v.object({ id: snowflake }),
  scopes: v.array(v.string()),
  // Absent where the grant lacks the scope `identify`.
  user: v.optional(
    v.object({
      id: snowflake,
      username: displayName,
      global_name: v.nullish(displayName),
      avatar: v.nullish(v.pipe(v.string(), v.regex(/^[A-Za-z0-9_]{1,64}$/))),
    }),
  ),
});

/** Makes the client. Nothing is sent before the first call. */
export function createDiscord(options: DiscordOptions) {
  const { clientId, clientSecret } = options;
  const tokenEndpoint: TokenEndpoint = {
    url: `${options.apiUrl}/oauth2/token`,
    clientId,
    clientSecret,
    authMethod: "client_secret_basic",
  };
  const redirectUri = `${options.publicUrl}/discord-oauth-callback`;
  const loginRedirectUri = `${options.publicUrl}/login`;
  const roleConnectionPath = `/users/@me/applications/${clientId}/role-connection`;
  const request = prepareAuthorizationRequest(options.authorizeUrl, { clientId, redirectUri }, LINK_SCOPES, [
    ["prompt", "consent"],
  ]);
  // Who has approved before need not do so again. https://discord.com/developers/docs/topics/oauth2
  const loginRequest = prepareAuthorizationRequest(
    options.authorizeUrl,
    { clientId, redirectUri: loginRedirectUri },
    LOGIN_SCOPES,
    [
      ["prompt", "none"],
      ["code_challenge_method", "S256"],
    ],
  );

  const shared = createUpstream(options);

  return (work: Work) => {
    const upstream = { ...shared, ...work };
    const call = createCaller(upstream, options);

    const exchange = async (grant: Readonly<Record<string, string>>, scopes: readonly string[]) => {
      const form = { grant_type: "authorization_code", ...grant };
      return readTokens(
        await requestTokens(upstream, "token_code", tokenEndpoint, form),
        scopes,
        options.now(),
      );
    };

    const findUser = async (accessToken: string, scopesNeeded: readonly string[]): Promise<DiscordUser> => {
      const bearer = `Bearer ${accessToken}`;
      const answer = await call({
        operation: "get_current_authorization",
        method: "GET",
        path: "/oauth2/@me",
        authorization: bearer,
        status: 200,
        isRight: (body) => v.is(currentAuthorization, body),
      });
      const { application, scopes, user } = v.parse(currentAuthorization, parseJson(answer.text));
      if (application.id !== clientId) throw discordRefused("the token is of another application");
      const missing = scopesNeeded.filter((scope) => !scopes.includes(scope));
      if (missing.length > 0) throw scopeMissing(`the grant lacks ${missing.join(" ")}`);
      if (user === undefined)
        throw discordUnavailable("get_current_authorization: an answer without the user");
      const { id, username, global_name, avatar } = user;
      return {
        discordUserId: id,
        username,
        globalName: readName(global_name) ?? null,
        avatarUrl: avatarUrl(options.cdnUrl, id, avatar ?? null),
      };
    };

    return {
      /** What a callback's errors are named after. */
      upstream,

      /**
       * The authorization request of the link flow, for a state. No PKCE: Discord answers `invalid_scope` to it
       * together with `role_connections.write`. RFC 6749 4.1.1
       */
      authorizationUrl: (state: string): string => request({ state }),

      /** The authorization request of a sign-in alone: scope `identify`, with PKCE S256. RFC 7636 4.3 */
      loginUrl: (state: string, codeVerifier: string): string =>
        loginRequest({ state, code_challenge: encodeBase64url(sha256(codeVerifier)) }),

      /** Exchanges the code of the link flow. Throws code_rejected, discord_unavailable. RFC 6749 4.1.3 */
      exchangeCode: (code: string): Promise<DiscordTokens> =>
        exchange({ code, redirect_uri: redirectUri }, LINK_SCOPES),

      /** Exchanges the code of a sign-in alone. Throws as `exchangeCode`. RFC 7636 4.5 */
      exchangeLoginCode: (code: string, codeVerifier: string): Promise<DiscordTokens> =>
        exchange({ code, redirect_uri: loginRedirectUri, code_verifier: codeVerifier }, LOGIN_SCOPES),

      /** Throws discord_unavailable if a refresh could be cut off, which would spend the token and lose the new pair. */
      requireTimeToRefresh: (): void => requireWholeDeadline(upstream, "token_refresh"),

      /**
       * Refreshes a grant; the refresh token is spent whatever comes back. Throws grant_ended, discord_unavailable.
       * RFC 6749 6
       */
      refreshTokens: async (refreshToken: string): Promise<DiscordTokens> => {
        const grant = { grant_type: "refresh_token", refresh_token: refreshToken };
        // Cut off, it could have spent the refresh token for a pair that nobody got.
        requireWholeDeadline(upstream, "token_refresh");
        try {
          const response = await requestTokens(patient(upstream), "token_refresh", tokenEndpoint, grant);
          return readTokens(response, LINK_SCOPES, options.now());
        } catch (error) {
          if (asJanusError(error).code === "code_rejected")
            throw grantEnded("token_refresh: the token is no good", error);
          throw error;
        }
      },

      /**
       * Ends every token of the member's authorization, not only this one. The token must be alive: to a token that it
       * does not know, Discord gives the same answer. False if Discord refuses for good. Throws
       * discord_client_rejected, discord_unavailable. RFC 7009 2.1
       */
      revokeGrant: async (token: string): Promise<boolean> => {
        const url = `${tokenEndpoint.url}/revoke`;
        return (await revokeToken(upstream, tokenEndpoint, url, { token }, isRevoked)) === "revoked";
      },

      /** Whose token it is; that it is ours and may push. Throws scope_missing, grant_ended. GET /oauth2/@me */
      findCurrentUser: (accessToken: string): Promise<DiscordUser> => findUser(accessToken, LINK_SCOPES),

      /** Whose token it is, where it need not push. Throws as `findCurrentUser`. */
      findSignedInUser: (accessToken: string): Promise<DiscordUser> => findUser(accessToken, LOGIN_SCOPES),

      /** Replaces the member's role connection. Grants no role by itself: the member must press Link. */
      putRoleConnection: async (accessToken: string, roleConnection: RoleConnection): Promise<void> => {
        const body: RESTPutAPICurrentUserApplicationRoleConnectionJSONBody = { ...roleConnection };
        await call({
          operation: "put_role_connection",
          method: "PUT",
          path: roleConnectionPath,
          authorization: `Bearer ${accessToken}`,
          body,
          status: 200,
          isRight: (answered) => isRoleConnectionOf(roleConnection, answered),
        });
      },

      /** Clears the member's role connection, and with it the role. One that is gone already is as good. */
      deleteRoleConnection: async (accessToken: string): Promise<void> => {
        await call({
          operation: "delete_role_connection",
          method: "DELETE",
          path: roleConnectionPath,
          authorization: `Bearer ${accessToken}`,
          status: 204,
          isRight: () => true,
        });
      },
    };
  };
}

/** Replaces the application's metadata records, all of them. Needs the bot's token. */
export async function putMetadataRecords(
  options: Omit<DiscordOptions, "clientSecret" | "authorizeUrl" | "cdnUrl">,
  botToken: string,
  records: readonly MetadataRecord[],
): Promise<void> {
  const call = createCaller(createUpstream(options), options);
  const path = `/applications/${options.clientId}/role-connections/metadata`;
  await call({
    operation: "put_metadata",
    method: "PUT",
    path,
    authorization: `Bot ${botToken}`,
    body: records,
    status: 200,
    isRight: (body) => hasRecords(body, records),
  });
}

/** Where nobody waits, an answer that comes late is better than a refresh token that is spent for nothing. */
const patient = (upstream: Upstream): Upstream =>
  upstream.budget === undefined ? { ...upstream, deadlineMs: upstream.deadlineMs * PATIENCE } : upstream;

type UpstreamOptions = Pick<DiscordOptions, "fetch" | "log" | "deadlineMs" | "publicUrl" | "version">;

function createUpstream({ fetch, log, deadlineMs, publicUrl, version }: UpstreamOptions): Upstream {
  return {
    name: "discord",
    fetch,
    log,
    deadlineMs: deadlineMs ?? DEADLINE_MS,
    userAgent: `DiscordBot (${publicUrl}, ${version})`,
    unavailable: discordUnavailable,
    clientRejected: discordClientRejected,
  };
}

/** RFC 6749 5.1: a response without `scope` grants what was asked for. */
function readTokens(response: TokenResponse, scopesAsked: readonly string[], now: Date): DiscordTokens {
  const { accessToken, refreshToken, scope, expiresIn } = response;
  if (refreshToken === undefined) throw discordUnavailable('token response: "refresh_token" is missing');
  if (expiresIn === undefined) throw discordUnavailable('token response: "expires_in" is missing');
  const expiresAt = secondsAfter(now, expiresIn);
  return { accessToken, refreshToken, scope: scope ?? scopesAsked.join(" "), expiresAt };
}

function avatarUrl(cdnUrl: string, discordUserId: string, hash: string | null): string {
  if (hash !== null) return `${cdnUrl}/avatars/${discordUserId}/${hash}.png?size=128`;
  return `${cdnUrl}/embed/avatars/${(BigInt(discordUserId) >> 22n) % DEFAULT_AVATARS}.png`;
}

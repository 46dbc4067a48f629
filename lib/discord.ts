/**
 * Discord's side: the authorization request, tokens, and the few calls that a link needs. Called by the use cases
 * and by `register`. What may be repeated is repeated, a token request never is; it stores and decides nothing.
 * https://discord.com/developers/docs/topics/oauth2
 */
import type { RESTPutAPICurrentUserApplicationRoleConnectionJSONBody } from "discord-api-types/v10";
import * as v from "valibot";
import type { JanusError } from "./errors.ts";
import {
  asJanusError,
  discordClientRejected,
  discordRateLimited,
  discordRefused,
  discordUnavailable,
  grantEnded,
  scopeMissing,
} from "./errors.ts";
import type { Log } from "./log.ts";
import type { MetadataRecord, RoleConnection } from "./metadata.ts";
import { prepareAuthorizationRequest } from "./oauth/authorization.ts";
import type { TokenEndpoint, TokenResponse } from "./oauth/token_endpoint.ts";
import { postForm, requestTokens } from "./oauth/token_endpoint.ts";
import type { Answer, Fetch, Upstream, UpstreamRequest } from "./oauth/upstream.ts";
import { capRetryAfter, parseJson, retryAfterSeconds, send } from "./oauth/upstream.ts";

/** The Discord account that a grant speaks for. */
export type DiscordUser = {
  readonly discordUserId: string;
  readonly username: string;
  readonly globalName: string | null;
};

/** A grant's tokens. `expiresAt` is absolute UTC. */
export type DiscordTokens = {
  readonly accessToken: string;
  readonly refreshToken: string;
  readonly scope: string;
  readonly expiresAt: Date;
};

/** Discord, as the use cases see it. */
export type Discord = ReturnType<typeof createDiscord>;

/** What the client is made of. */
export type DiscordOptions = {
  readonly clientId: string;
  readonly clientSecret: string;
  /** Without a slash at the end, such as https://discord.com/api/v10. */
  readonly apiUrl: string;
  readonly authorizeUrl: string;
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
const DEADLINE_MS = 5_000;
const MAX_ATTEMPTS = 3;
const RETRY_BASE_MS = 250;
const MAX_WAIT_SECONDS = 5;
const CLOUDFLARE_WAIT_SECONDS = 60;

const snowflake = v.pipe(v.string(), v.regex(/^[0-9]{1,20}$/));
/** Discord's own limits on names, with room; no NUL, which PostgreSQL does not take. */
const displayName = v.pipe(
  v.string(),
  v.maxLength(200),
  v.transform((name) => name.toWellFormed().replaceAll("\0", "")),
);

/** GET /oauth2/@me, the part that Janus reads. */
const currentAuthorization = v.object({
  application: v.object({ id: snowflake }),
  scopes: v.array(v.string()),
  // Absent where the grant lacks the scope `identify`.
  user: v.optional(v.object({ id: snowflake, username: displayName, global_name: v.nullish(displayName) })),
});
const rateLimited = v.object({ retry_after: v.pipe(v.number(), v.minValue(0)) });

/** Makes the client. Nothing is sent before the first call. */
export function createDiscord(options: DiscordOptions) {
  const upstream = createUpstream(options);
  const { clientId, clientSecret } = options;
  const tokenEndpoint: TokenEndpoint = {
    url: `${options.apiUrl}/oauth2/token`,
    clientId,
    clientSecret,
    authMethod: "client_secret_basic",
  };
  const redirectUri = `${options.publicUrl}/discord-oauth-callback`;
  const roleConnectionPath = `/users/@me/applications/${clientId}/role-connection`;
  const request = prepareAuthorizationRequest(options.authorizeUrl, { clientId, redirectUri }, LINK_SCOPES, [
    ["prompt", "consent"],
  ]);
  const call = createCaller(upstream, options);

  return {
    /** What a callback's errors are named after. */
    upstream,

    /**
     * The authorization request of the link flow, for a state. No PKCE: Discord answers `invalid_scope` to it
     * together with `role_connections.write`. RFC 6749 4.1.1
     */
    authorizationUrl: (state: string): string => request({ state }),

    /** Exchanges an authorization code. Throws code_rejected, discord_unavailable. RFC 6749 4.1.3 */
    exchangeCode: async (code: string): Promise<DiscordTokens> => {
      const grant = { grant_type: "authorization_code", code, redirect_uri: redirectUri };
      return readTokens(await requestTokens(upstream, "token_code", tokenEndpoint, grant), options.now());
    },

    /**
     * Refreshes a grant; the refresh token is spent whatever comes back. Throws grant_ended, discord_unavailable.
     * RFC 6749 6
     */
    refreshTokens: async (refreshToken: string): Promise<DiscordTokens> => {
      const grant = { grant_type: "refresh_token", refresh_token: refreshToken };
      try {
        return readTokens(
          await requestTokens(upstream, "token_refresh", tokenEndpoint, grant),
          options.now(),
        );
      } catch (error) {
        if (asJanusError(error).code === "code_rejected")
          throw grantEnded("token_refresh: the token is no good");
        throw error;
      }
    },

    /** Ends every token of the member's authorization, not only this one. RFC 7009 2.1 */
    revokeGrant: async (refreshToken: string): Promise<void> => {
      const form = { token: refreshToken, token_type_hint: "refresh_token" };
      const answer = await postForm(upstream, "revoke", tokenEndpoint, `${tokenEndpoint.url}/revoke`, form);
      if (answer.status === 401) throw discordClientRejected("revoke: answered 401");
      if (answer.status !== 200) throw discordUnavailable(`revoke: answered ${answer.status}`);
    },

    /** Whose token it is; that it is ours and may push. Throws scope_missing, grant_ended. GET /oauth2/@me */
    findCurrentUser: async (accessToken: string): Promise<DiscordUser> => {
      const bearer = `Bearer ${accessToken}`;
      const answer = await call("get_current_authorization", "GET", "/oauth2/@me", bearer);
      const parsed = v.safeParse(currentAuthorization, parseJson(answer.text));
      if (!parsed.success) throw discordUnavailable("get_current_authorization: an answer of another shape");
      const { application, scopes, user } = parsed.output;
      if (application.id !== clientId) throw discordRefused("the token is of another application");
      const missing = LINK_SCOPES.filter((scope) => !scopes.includes(scope));
      if (missing.length > 0) throw scopeMissing(`the grant lacks ${missing.join(" ")}`);
      if (user === undefined)
        throw discordUnavailable("get_current_authorization: an answer without the user");
      return { discordUserId: user.id, username: user.username, globalName: user.global_name ?? null };
    },

    /** Replaces the member's role connection. Grants no role by itself: the member must press Link. */
    putRoleConnection: async (accessToken: string, roleConnection: RoleConnection): Promise<void> => {
      const body: RESTPutAPICurrentUserApplicationRoleConnectionJSONBody = { ...roleConnection };
      await call("put_role_connection", "PUT", roleConnectionPath, `Bearer ${accessToken}`, body);
    },

    /** Clears the member's role connection, and with it the role. One that is gone already is as good. */
    deleteRoleConnection: async (accessToken: string): Promise<void> => {
      await call("delete_role_connection", "DELETE", roleConnectionPath, `Bearer ${accessToken}`);
    },
  };
}

/** Replaces the application's metadata records, all of them. Needs the bot's token. */
export async function putMetadataRecords(
  options: Omit<DiscordOptions, "clientSecret" | "authorizeUrl">,
  botToken: string,
  records: readonly MetadataRecord[],
): Promise<void> {
  const call = createCaller(createUpstream(options), options);
  const path = `/applications/${options.clientId}/role-connections/metadata`;
  await call("put_metadata", "PUT", path, `Bot ${botToken}`, records);
}

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

function readTokens(response: TokenResponse, now: Date): DiscordTokens {
  const { accessToken, refreshToken, scope, expiresIn } = response;
  if (refreshToken === undefined || expiresIn === undefined) {
    throw discordUnavailable("a token response without refresh_token or expires_in");
  }
  const expiresAt = new Date(now.getTime() + expiresIn * 1_000);
  return { accessToken, refreshToken, scope: scope ?? LINK_SCOPES.join(" "), expiresAt };
}

type Caller = (
  operation: string,
  method: "GET" | "PUT" | "DELETE",
  path: string,
  authorization: string,
  body?: object,
) => Promise<Answer>;

/** Calls that may be repeated: after a 5xx or no answer with jitter, after a 429 as long as it says, up to a cap. */
function createCaller(
  upstream: Upstream,
  { apiUrl, sleep }: Pick<DiscordOptions, "apiUrl" | "sleep">,
): Caller {
  return async (operation, method, path, authorization, body) => {
    const headers: Record<string, string> = { authorization, accept: "application/json" };
    if (body !== undefined) headers["content-type"] = "application/json";
    const init: UpstreamRequest = {
      method,
      headers,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    };
    for (let attempt = 1; ; attempt++) {
      const result = await tryOnce(upstream, operation, apiUrl + path, init);
      if ("answer" in result) return result.answer;
      if (attempt === MAX_ATTEMPTS) throw result.error;
      const wait = result.waitSeconds * 1_000 || RETRY_BASE_MS * 2 ** (attempt - 1);
      await sleep(wait + Math.random() * RETRY_BASE_MS);
    }
  };
}

type Try = { readonly answer: Answer } | { readonly error: JanusError; readonly waitSeconds: number };

/** One attempt: an answer, or an error after which another attempt makes sense. Throws where it makes none. */
async function tryOnce(
  upstream: Upstream,
  operation: string,
  url: string,
  init: UpstreamRequest,
): Promise<Try> {
  let answer: Answer;
  try {
    answer = await send(upstream, operation, url, init);
  } catch (error) {
    return { error: asJanusError(error), waitSeconds: 0 };
  }
  const { status } = answer;
  if (status >= 200 && status < 300) return { answer };
  if (status === 404 && init.method === "DELETE") return { answer };
  if (status === 429) {
    const waitSeconds = readRateLimit(answer);
    if (waitSeconds > MAX_WAIT_SECONDS) throw discordRateLimited(waitSeconds);
    return { error: discordRateLimited(waitSeconds), waitSeconds };
  }
  if (status >= 500)
    return retryAfterFault(`${operation}: answered ${status}`, retryAfterSeconds(answer) ?? 0);
  if (status === 401) throw grantEnded(`${operation}: answered 401`);
  throw discordRefused(`${operation}: answered ${status}`);
}

function retryAfterFault(reason: string, waitSeconds: number): Try {
  const error =
    waitSeconds === 0
      ? discordUnavailable(reason)
      : discordUnavailable(reason, { retryAfterSeconds: waitSeconds });
  if (waitSeconds > MAX_WAIT_SECONDS) throw error;
  return { error, waitSeconds };
}

/** Seconds to wait after a 429. Cloudflare's own page has no number: a block lasts, so the wait is over the cap. */
function readRateLimit(answer: Answer): number {
  const parsed = v.safeParse(rateLimited, parseJson(answer.text));
  const fromBody = parsed.success ? capRetryAfter(parsed.output.retry_after) : undefined;
  return retryAfterSeconds(answer) ?? fromBody ?? CLOUDFLARE_WAIT_SECONDS;
}

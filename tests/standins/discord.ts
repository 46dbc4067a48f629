/**
 * A local stand-in for Discord, for the tests, the demo and the benchmark: the server page where a member starts
 * and ends, the authorization page, the token endpoint, the few API routes that Janus calls and the avatars that its
 * pages show. It refuses what Discord refuses, so that a mistake shows here first, and it counts every call.
 */
import type { DiscordOperation, DiscordState, DiscordUser } from "./discord_api.ts";
import { discordError, matchCall, matchesMemberRole } from "./discord_api.ts";
import { appPage, hasMemberRole, pressLink } from "./discord_app.ts";
import { authorize } from "./discord_authorize.ts";
import { answerPicture } from "./discord_cdn.ts";
import type { KeptCommand } from "./discord_commands.ts";
import type { IssuedToken } from "./discord_grants.ts";
import { createGrants } from "./discord_grants.ts";
import type { MetadataRecord, RoleConnection } from "./discord_limits.ts";
import type { FaultControl, Faults } from "./faults.ts";
import { createFaults } from "./faults.ts";

export type { DiscordOperation, DiscordUser } from "./discord_api.ts";
export type { IssuedToken } from "./discord_grants.ts";
export type { MetadataRecord, RoleConnection } from "./discord_limits.ts";

/** What the stand-in is told at its start. `redirectUris` are compared exactly. */
type DiscordOptions = {
  readonly port?: number;
  /** The application id, a snowflake. */
  readonly clientId: string;
  readonly clientSecret: string;
  readonly botToken: string;
  readonly redirectUris: readonly string[];
  readonly users: readonly DiscordUser[];
  readonly now?: () => Date;
  /** Life of an access token; a week unless given, as at Discord. */
  readonly accessTokenSeconds?: number;
  /** How much longer it lives than Discord says; for a clock so fast that an answer takes seconds to arrive. */
  readonly leewaySeconds?: number;
  /** The record that the role “Member” asks for; `dsek_member` unless given. */
  readonly memberKey?: string;
  /** Where commands are sent; nowhere unless given. */
  readonly interactionsUrl?: string;
  /** The servers that have the application. */
  readonly guildIds?: readonly string[];
  /** For load: a POST to the authorize page may name any user id, which is then made. */
  readonly acceptAnyUser?: boolean;
};

/** A call that arrived. `userId` is missing where the call showed no token or code of a member. */
type DiscordCall = {
  readonly operation: DiscordOperation;
  readonly at: Date;
  readonly userId?: string;
};

/** The stand-in in the hands of a test. */
export type DiscordStandin = FaultControl<DiscordOperation> & {
  readonly url: string;
  readonly apiUrl: string;
  readonly authorizeUrl: string;
  /** Where avatars are: an origin, as `https://cdn.discordapp.com` is. */
  readonly cdnUrl: string;
  /** Asks without a socket, as `fetch` would: for tests with many calls. The address counts for its path alone. */
  readonly fetch: (url: string, init?: RequestInit) => Promise<Response>;
  /** Calls in the order of their arrival, those that met a fault included. */
  readonly calls: DiscordCall[];
  /** Method and path of calls to routes and pictures that do not exist. Tests assert that it is empty. */
  readonly unexpected: string[];
  readonly roleConnection: (userId: string) => RoleConnection | undefined;
  /** Every role connection, by user. */
  readonly roleConnections: () => ReadonlyMap<string, RoleConnection>;
  readonly records: () => readonly MetadataRecord[];
  /** The commands of a server, or of all. */
  readonly commands: (guildId?: string) => readonly KeptCommand[];
  /** Whether the role “Member” would be given once the member presses Link. */
  readonly matches: (userId: string) => boolean;
  /** Whether the member has the role “Member”: Link was pressed on `/app`, and it still matches. */
  readonly hasRole: (userId: string) => boolean;
  /** How many access and refresh tokens of the member are live: 2 after one exchanged code. */
  readonly grants: (userId: string) => number;
  /** The member's live tokens: access tokens, then refresh tokens, the oldest first. */
  readonly tokens: (userId: string) => readonly IssuedToken[];
  /** Gives a user tokens, as a link flow would. */
  readonly giveTokens: (userId: string) => GivenTokens;
  /** Every access token of the member runs out; refresh tokens live on. */
  readonly expireAccessTokens: (userId: string) => void;
  /** One access token runs out. */
  readonly expireAccessToken: (accessToken: string) => void;
  /** Every code and token of the member ends, as when the application is deauthorized. */
  readonly endGrant: (userId: string) => void;
  /** Stops at once, hanging calls included. */
  readonly stop: () => Promise<void>;
};

type GivenTokens = { readonly accessToken: string; readonly refreshToken: string };

/** Starts Discord on 127.0.0.1. */
export function startDiscord(options: DiscordOptions): DiscordStandin {
  const now = options.now ?? (() => new Date());
  const state: DiscordState = {
    clientId: options.clientId,
    clientSecret: options.clientSecret,
    botToken: options.botToken,
    redirectUris: options.redirectUris,
    users: new Map(options.users.map((user) => [user.id, user])),
    grants: createGrants(now, options.accessTokenSeconds ?? WEEK_SECONDS, options.leewaySeconds),
    roleConnections: new Map(),
    roleHolders: new Set(),
    memberKey: options.memberKey ?? "dsek_member",
    now,
    records: [],
    commands: new Map(["all", ...(options.guildIds ?? [])].map((place) => [place, []])),
    interactionsUrl: options.interactionsUrl,
  };
  const faults = createFaults<DiscordOperation>();
  const calls: DiscordCall[] = [];
  const unexpected: string[] = [];
  const acceptAnyUser = options.acceptAnyUser ?? false;

  async function answer(request: Request): Promise<Response> {
    const url = new URL(request.url);
    if (url.pathname.startsWith("/api/"))
      return await answerApi(state, faults, calls, unexpected, request, url);
    const picture = request.method === "GET" ? answerPicture(state, url) : undefined;
    if (picture) return picture;
    switch (`${request.method} ${url.pathname}`) {
      case "GET /oauth2/authorize":
        return authorize(state, url.searchParams, undefined, acceptAnyUser);
      case "POST /oauth2/authorize":
        return authorize(state, url.searchParams, new URLSearchParams(await request.text()), acceptAnyUser);
      case "GET /app":
      case "GET /channels/@me":
        return appPage(state);
      case "POST /app/link":
        return pressLink(state, new URLSearchParams(await request.text()));
      case "GET /favicon.ico":
        return new Response(null, { status: 204 });
      default:
        unexpected.push(`${request.method} ${url.pathname}`);
        return new Response("Not found", { status: 404 });
    }
  }

  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: options.port ?? 0,
    idleTimeout: 0,
    fetch: answer,
  });
  const url = server.url.origin;

  return {
    url,
    apiUrl: `${url}/api/v10`,
    authorizeUrl: `${url}/oauth2/authorize`,
    cdnUrl: url,
    fetch: (address, init) => answer(new Request(address, init)),
    calls,
    unexpected,
    roleConnection: (userId) => state.roleConnections.get(userId),
    roleConnections: () => state.roleConnections,
    records: () => state.records,
    commands: (guildId = "all") => state.commands.get(guildId) ?? [],
    matches: (userId) => matchesMemberRole(state, userId),
    hasRole: (userId) => hasMemberRole(state, userId),
    grants: (userId) => state.grants.countLive(userId),
    tokens: (userId) => state.grants.listLive(userId),
    giveTokens(userId) {
      const tokens = state.grants.issueTokens(userId, ["identify", "role_connections.write"]);
      return { accessToken: tokens.access_token, refreshToken: tokens.refresh_token };
    },
    expireAccessTokens: (userId) => state.grants.expireAccessTokens(userId),
    expireAccessToken: (accessToken) => state.grants.expireAccessToken(accessToken),
    endGrant: (userId) => state.grants.endGrant(userId),
    failNext: faults.failNext,
    gate: faults.gate,
    direct: faults.direct,
    async stop() {
      faults.stop();
      await server.stop(true);
    },
  };
}

const WEEK_SECONDS = 604_800;
const API_PREFIX = "/api/v10";
const USER_AGENT = /^DiscordBot \(.+, .+\)/;

async function answerApi(
  state: DiscordState,
  faults: Faults<DiscordOperation>,
  calls: DiscordCall[],
  unexpected: string[],
  request: Request,
  url: URL,
): Promise<Response> {
  const { method, headers } = request;
  if (!USER_AGENT.test(headers.get("user-agent") ?? "")) return blockedByCloudflare();

  const isVersioned = url.pathname.startsWith(`${API_PREFIX}/`);
  const path = url.pathname.slice(API_PREFIX.length) + url.search;
  const call = isVersioned
    ? matchCall(state, { method, path, headers, body: await request.text() })
    : undefined;
  if (!call) {
    unexpected.push(`${method} ${url.pathname}`);
    return discordError(404, "404: Not Found", 0);
  }

  const { operation, userId, answer } = call;
  calls.push({ operation, at: state.now(), ...(userId === undefined ? {} : { userId }) });
  const rightAnswer = () => withRateLimit(answer(), operation, state.now());
  return await faults.meet(operation, url, rightAnswer, { headers, userId });
}

/** The headers of a bucket that is never empty. */
function withRateLimit(response: Response, operation: DiscordOperation, now: Date): Response {
  response.headers.set("x-ratelimit-limit", "10");
  response.headers.set("x-ratelimit-remaining", "9");
  response.headers.set("x-ratelimit-reset", String(now.getTime() / 1000 + 1));
  response.headers.set("x-ratelimit-reset-after", "1.000");
  response.headers.set("x-ratelimit-bucket", Bun.hash(operation).toString(16).padStart(16, "0"));
  return response;
}

function blockedByCloudflare(): Response {
  const body =
    "<!doctype html><html><head><title>Access denied</title></head><body>error code: 1010</body></html>";
  return new Response(body, {
    status: 403,
    headers: { "content-type": "text/html; charset=UTF-8", server: "cloudflare" },
  });
}

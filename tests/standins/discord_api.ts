/**
 * Discord's API as far as Janus uses it: the token endpoint, the current authorization, the user, role
 * connections and metadata records. Each route has the name under which tests find its calls.
 */
import type { KeptCommands } from "./discord_commands.ts";
import { answerCommands } from "./discord_commands.ts";
import type { Grants, LiveToken } from "./discord_grants.ts";
import type { MetadataRecord, RoleConnection } from "./discord_limits.ts";
import { BOOLEAN_EQUAL, checkRecords, checkRoleConnection } from "./discord_limits.ts";
import { matchTokenCall } from "./discord_tokens.ts";
import { schemeToken } from "./oauth_rules.ts";

/** The operations by name. */
export type DiscordOperation =
  | "token_code"
  | "token_refresh"
  | "revoke"
  | "get_current_authorization"
  | "get_user"
  | "put_role_connection"
  | "get_role_connection"
  | "delete_role_connection"
  | "get_application"
  | "put_metadata"
  | "get_metadata"
  | "get_commands"
  | "put_command";

/** A Discord account that can sign in here. */
export type DiscordUser = {
  readonly id: string;
  readonly username: string;
  readonly globalName: string | null;
  /** The hash of the avatar, 32 hexadecimal digits; null, or not given, where the account has none. */
  readonly avatar?: string | null;
};

/** All that this Discord knows. */
export type DiscordState = {
  readonly clientId: string;
  readonly clientSecret: string;
  readonly botToken: string;
  readonly redirectUris: readonly string[];
  readonly users: Map<string, DiscordUser>;
  readonly grants: Grants;
  readonly roleConnections: Map<string, RoleConnection>;
  /** Members who pressed Link while the role “Member” matched, until it no longer does. */
  readonly roleHolders: Set<string>;
  /** The record that the role “Member” asks for. */
  readonly memberKey: string;
  readonly now: () => Date;
  records: readonly MetadataRecord[];
  /** A server without an entry does not have the application. */
  readonly commands: KeptCommands;
  /** Where commands are sent. */
  readonly interactionsUrl: string | undefined;
};

/** A request whose body has been read. */
export type ReadRequest = {
  readonly method: string;
  readonly path: string;
  readonly headers: Headers;
  readonly body: string;
};

/** A route that exists: what the call is named, whose it is, and the right answer to it. */
export type MatchedCall = {
  readonly operation: DiscordOperation;
  readonly userId: string | undefined;
  readonly answer: () => Response;
};

/** Finds the operation of a request below `/api/v10`; undefined where Discord has none that Janus may call. */
export function matchCall(state: DiscordState, request: ReadRequest): MatchedCall | undefined {
  const { method, path, headers } = request;
  const route = `${method} ${path.replace(/^(\/users\/@me)?\/applications\/[^/]+\//, "$1/applications/:id/")}`;
  const applicationId = /\/applications\/([^/]+)\//.exec(path)?.[1] ?? "";
  const token = schemeToken(headers.get("authorization"), "Bearer");
  const owner = token === undefined ? undefined : state.grants.findOwner(token);
  const call = (operation: DiscordOperation, answer: () => Response) => ({
    operation,
    userId: owner,
    answer,
  });

  switch (route) {
    case "POST /oauth2/token":
    case "POST /oauth2/token/revoke":
      return matchTokenCall(state, request);
    case "GET /oauth2/@me":
      return call("get_current_authorization", () => asBearer(state, token, undefined, currentAuthorization));
    case "GET /users/@me":
      return call("get_user", () => asBearer(state, token, "identify", currentUser));
    case "PUT /users/@me/applications/:id/role-connection":
      return call("put_role_connection", () =>
        asLinker(state, token, applicationId, (userId) => putRoleConnection(state, userId, request)),
      );
    case "GET /users/@me/applications/:id/role-connection":
      return call("get_role_connection", () =>
        asLinker(state, token, applicationId, (userId) =>
          Response.json(state.roleConnections.get(userId) ?? { platform_username: null, metadata: {} }),
        ),
      );
    case "DELETE /users/@me/applications/:id/role-connection":
      return call("delete_role_connection", () =>
        asLinker(state, token, applicationId, (userId) => {
          state.roleConnections.delete(userId);
          dropLostRole(state, userId);
          return new Response(null, { status: 204 });
        }),
      );
    case "GET /applications/@me":
      return call("get_application", () =>
        asBot(state, headers, state.clientId, () => Response.json(describeApplication(state))),
      );
    case "PUT /applications/:id/role-connections/metadata":
      return call("put_metadata", () =>
        asBot(state, headers, applicationId, () => putRecords(state, request)),
      );
    case "GET /applications/:id/role-connections/metadata":
      return call("get_metadata", () =>
        asBot(state, headers, applicationId, () => Response.json(state.records)),
      );
    default:
      return matchCommandsCall(state, request, applicationId, call);
  }
}

function matchCommandsCall(
  state: DiscordState,
  { method, path, headers, body }: ReadRequest,
  applicationId: string,
  call: (operation: DiscordOperation, answer: () => Response) => MatchedCall,
): MatchedCall | undefined {
  if (!/^\/applications\/[^/]+\/(guilds\/[0-9]+\/)?commands(\?|$)/.test(path)) return undefined;
  const operation = { GET: "get_commands", POST: "put_command" } as const;
  if (method !== "GET" && method !== "POST") return undefined;
  return call(operation[method], () =>
    asBot(state, headers, applicationId, () => answerCommands(state.commands, { method, path, body })),
  );
}

/** An error in Discord's shape. */
export function discordError(status: number, message: string, code: number): Response {
  return Response.json({ message, code }, { status });
}

/** Whether the role “Member” would be given once the member presses Link. */
export function matchesMemberRole(
  { records, memberKey, roleConnections }: DiscordState,
  userId: string,
): boolean {
  const isRegistered = records.some((record) => record.key === memberKey && record.type === BOOLEAN_EQUAL);
  return isRegistered && roleConnections.get(userId)?.metadata[memberKey] === "1";
}

/** The name that pages show. */
export function displayName(user: DiscordUser): string {
  return user.globalName ?? user.username;
}

const unauthorized = () => discordError(401, "401: Unauthorized", 0);

function asBearer(
  state: DiscordState,
  token: string | undefined,
  scope: string | undefined,
  answer: (state: DiscordState, live: LiveToken) => Response,
): Response {
  const live = token === undefined ? undefined : state.grants.findAccessToken(token);
  if (!live) return unauthorized();
  if (scope && !live.scopes.includes(scope)) return discordError(403, "Missing required OAuth2 scope", 50026);
  return answer(state, live);
}

function asLinker(
  state: DiscordState,
  token: string | undefined,
  applicationId: string,
  answer: (userId: string) => Response,
): Response {
  return asBearer(
    state,
    token,
    "role_connections.write",
    (_, live) => refuseApplication(state, applicationId) ?? answer(live.userId),
  );
}

function asBot(
  state: DiscordState,
  headers: Headers,
  applicationId: string,
  answer: () => Response,
): Response {
  if (schemeToken(headers.get("authorization"), "Bot") !== state.botToken) return unauthorized();
  return refuseApplication(state, applicationId) ?? answer();
}

function refuseApplication(state: DiscordState, applicationId: string): Response | undefined {
  if (applicationId === state.clientId) return undefined;
  if (/^(0|[1-9][0-9]*)$/.test(applicationId)) return discordError(404, "Unknown Application", 10002);
  const invalid = { code: "NUMBER_TYPE_COERCE", message: `Value "${applicationId}" is not snowflake.` };
  const errors = { application_id: { _errors: [invalid] } };
  return Response.json({ message: "Invalid Form Body", code: 50035, errors }, { status: 400 });
}

/** An application sets one address for its Linked Roles; here it is beside the first redirect address. */
export function verificationUrl({ redirectUris: [first = ""] }: DiscordState): string {
  return URL.parse("/linked-role", first)?.href ?? "";
}

function describeApplication(state: DiscordState) {
  return {
    id: state.clientId,
    name: "Janus",
    redirect_uris: state.redirectUris,
    role_connections_verification_url: verificationUrl(state),
    event_webhooks_url: null,
    interactions_endpoint_url: state.interactionsUrl ?? null,
  };
}

function currentAuthorization(state: DiscordState, live: LiveToken): Response {
  const user = state.users.get(live.userId);
  return Response.json({
    application: {
      id: state.clientId,
      name: "Janus",
      icon: null,
      description: "",
      type: null,
      bot_public: true,
      bot_require_code_grant: false,
      verify_key: "0".repeat(64),
      flags: 0,
      flags_new: "0",
    },
    scopes: live.scopes,
    expires: new Date(live.expiresAt).toISOString().replace("Z", "000+00:00"),
    ...(user && live.scopes.includes("identify") ? { user: userResponse(user) } : {}),
  });
}

function currentUser(state: DiscordState, live: LiveToken): Response {
  const user = state.users.get(live.userId);
  if (!user) return unauthorized();
  return Response.json({ ...userResponse(user), mfa_enabled: false, locale: "en-GB", premium_type: 0 });
}

function userResponse(user: DiscordUser) {
  return {
    id: user.id,
    username: user.username,
    avatar: user.avatar ?? null,
    discriminator: "0",
    public_flags: 0,
    flags: 0,
    banner: null,
    accent_color: null,
    global_name: user.globalName,
    avatar_decoration_data: null,
    collectibles: null,
    primary_guild: null,
  };
}

function putRoleConnection(state: DiscordState, userId: string, request: ReadRequest): Response {
  const body = parseJson(request);
  if (body instanceof Response) return body;
  const checked = checkRoleConnection(body.value);
  if (checked instanceof Response) return checked;
  state.roleConnections.set(userId, checked);
  dropLostRole(state, userId);
  return Response.json(checked);
}

function dropLostRole(state: DiscordState, userId: string): void {
  if (!matchesMemberRole(state, userId)) state.roleHolders.delete(userId);
}

function putRecords(state: DiscordState, request: ReadRequest): Response {
  const body = parseJson(request);
  if (body instanceof Response) return body;
  const checked = checkRecords(body.value);
  if (checked instanceof Response) return checked;
  state.records = checked;
  return Response.json(checked);
}

function parseJson(request: ReadRequest): { readonly value: unknown } | Response {
  const mediaType = request.headers.get("content-type")?.split(";", 1)[0]?.trim().toLowerCase();
  if (mediaType !== "application/json") return discordError(400, "400: Bad Request", 0);
  try {
    const value: unknown = JSON.parse(request.body);
    return { value };
  } catch {
    return discordError(400, "The request body contains invalid JSON.", 50109);
  }
}

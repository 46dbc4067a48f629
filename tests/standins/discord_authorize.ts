/**
 * Discord's authorization endpoint and its pages: it refuses what Discord refuses, asks for consent, and
 * sends the member back with a code. No `iss` is ever sent.
 */
import type { DiscordState } from "./discord_api.ts";
import { displayName } from "./discord_api.ts";
import { html, page } from "./html.ts";
import { redirectBack } from "./oauth_rules.ts";

/** Answers `GET` and `POST /oauth2/authorize`; `form` is the consent page's, on `POST`. RFC 6749 4.1.1 */
export function authorize(
  state: DiscordState,
  query: URLSearchParams,
  form: URLSearchParams | undefined,
  acceptAnyUser: boolean,
): Response {
  const params = new Map(query);
  const redirectUri = params.get("redirect_uri");
  if (params.size !== query.size) return refusalPage("A parameter is repeated.");
  if (params.get("client_id") !== state.clientId) return refusalPage("Unknown Application");
  if (!redirectUri || !state.redirectUris.includes(redirectUri))
    return refusalPage("Invalid OAuth2 redirect_uri");

  const scopes = [...new Set((params.get("scope") ?? "").split(/[ +]/).filter(Boolean))];
  const back = (answer: Readonly<Record<string, string>>) =>
    redirectBack(redirectUri, { ...answer, state: params.get("state") });
  const error = refuse(params, scopes);
  if (error) return back(error);
  if (!form) return consentPage(state, scopes);

  const userId = form.get("user_id");
  if (userId === null) return back({ error: "access_denied", error_description: DENIED });
  if (!state.users.has(userId) && !acceptAnyUser) return refusalPage("Unknown User");
  if (!state.users.has(userId))
    state.users.set(userId, { id: userId, username: `user_${userId}`, globalName: null });
  return back({
    code: state.grants.issueCode({
      userId,
      scopes,
      redirectUri,
      codeChallenge: params.get("code_challenge"),
    }),
  });
}

const DENIED = "The resource owner or authorization server denied the request";
const SCOPES = new Set(
  (
    "activities.invites.write activities.read activities.write applications.builds.read applications.builds.upload " +
    "applications.commands applications.commands.permissions.update applications.commands.update " +
    "applications.entitlements applications.store.update bot connections dm_channels.read email gdm.join guilds " +
    "guilds.join guilds.members.read identify messages.read openid relationships.read role_connections.write rpc " +
    "rpc.activities.write rpc.notifications.read rpc.screenshare.read rpc.screenshare.write rpc.video.read " +
    "rpc.video.write rpc.voice.read rpc.voice.write voice webhook.incoming"
  ).split(" "),
);

/** What the member is told about a scope; the rest go by their names. */
const SCOPE_MEANINGS = new Map([
  ["identify", "Read your username, avatar and banner"],
  ["role_connections.write", "Update your connection and metadata for this application"],
]);

type Refusal = { readonly error: string; readonly error_description: string };

function refuse(params: ReadonlyMap<string, string>, scopes: readonly string[]): Refusal | undefined {
  const refusal = (error: string, error_description: string): Refusal => ({ error, error_description });
  if (params.get("response_type") !== "code") {
    return refusal(
      "unsupported_response_type",
      "The authorization server does not support this response type",
    );
  }
  if (scopes.length === 0 || scopes.some((scope) => !SCOPES.has(scope))) {
    return refusal("invalid_scope", "The requested scope is invalid, unknown, or malformed.");
  }
  // `none` skips the page for a member who is signed in and has consented before. Here nobody is signed in: it is shown.
  if (!["consent", "none", undefined].includes(params.get("prompt"))) {
    return refusal("invalid_request", "The prompt is unknown");
  }

  const [challenge, method] = [params.get("code_challenge"), params.get("code_challenge_method")];
  if (challenge === undefined && method === undefined) return undefined;
  if (scopes.includes("role_connections.write")) {
    return refusal("invalid_scope", "role_connections.write cannot be used with PKCE.");
  }
  const isSha256 = method === "S256" && /^[A-Za-z0-9_-]{43}$/.test(challenge ?? "");
  return isSha256 ? undefined : refusal("invalid_request", "code_challenge must be of the method S256");
}

function consentPage(state: DiscordState, scopes: readonly string[]): Response {
  const asked = scopes.map((scope) => html`<li>${SCOPE_MEANINGS.get(scope) ?? scope}</li>`);
  const choices = [...state.users.values()].map(
    (user) => html`<button name="user_id" value="${user.id}">Authorize as ${displayName(user)}</button>`,
  );
  const content = html`
<p>The application <strong>Janus</strong> wants to access a Discord account. It will be able to:</p>
<ul>${asked}</ul>
<form method="post">
${choices}
<button class="quiet" name="cancel" value="1">Cancel</button>
</form>`;
  return page({ title: "Authorize Janus", standsFor: "Discord" }, content);
}

function refusalPage(reason: string): Response {
  return page(
    { title: "Discord refuses", standsFor: "Discord", status: 400 },
    html`<p class="error">${reason}</p>`,
  );
}

/** The forger's authorization endpoint. It asks nobody: a request is answered at once. OpenID Connect Core 3.1.2 */
import type { ForgerState } from "./forger_state.ts";
import { randomToken, redirectBack } from "./oauth_rules.ts";

/** Answers an authorization request with a code or an error, by a redirect back to the client. */
export function authorize(state: ForgerState, query: URLSearchParams): Response {
  const params = new Map(query);
  const redirectUri = params.get("redirect_uri");
  const isKnown = params.get("client_id") === state.options.clientId && params.size === query.size;
  if (!isKnown || !redirectUri || !state.options.redirectUris.includes(redirectUri)) {
    return new Response("Unknown client_id or redirect_uri, or a repeated parameter", { status: 400 });
  }

  const iss = { right: state.issuer, wrong: "https://attacker.example", absent: undefined }[
    state.overrides.iss ?? "right"
  ];
  const back = (answer: Readonly<Record<string, string>>) =>
    redirectBack(redirectUri, { ...answer, state: params.get("state"), iss });
  const error = refuse(state, params);
  if (error) return back(error);

  const code = randomToken();
  state.codes.set(code, {
    id: code,
    sub: nextSubject(state),
    scope: params.get("scope") ?? "",
    nonce: params.get("nonce"),
    redirectUri,
    codeChallenge: params.get("code_challenge"),
  });
  return back({ code });
}

function refuse(
  { options, identity, disabled, overrides }: ForgerState,
  params: ReadonlyMap<string, string>,
): Readonly<Record<string, string>> | undefined {
  if (params.get("response_type") !== "code") return { error: "unsupported_response_type" };
  const scopes = params.get("scope")?.split(" ") ?? [];
  if (!scopes.includes("openid") || scopes.some((scope) => overrides.refusedScopes?.includes(scope)))
    return { error: "invalid_scope" };
  const isSha256 =
    params.get("code_challenge_method") === "S256" && params.get("code_challenge")?.length === 43;
  if (!isSha256) return { error: "invalid_request", error_description: "PKCE S256 is required" };
  return !options.freshSubjects && disabled.has(identity.sub) ? { error: "access_denied" } : undefined;
}

function nextSubject(state: ForgerState): string {
  if (!state.options.freshSubjects) return state.identity.sub;
  state.subjectCount += 1;
  const sub = `subject-${state.subjectCount}`;
  state.identities.set(sub, { ...state.identity, sub, preferred_username: `member-${state.subjectCount}` });
  return sub;
}

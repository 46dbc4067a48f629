/**
 * The sign-in page of the stand-in provider: a login form that is consent as well, and a consent form where
 * the browser has a session. Plain HTML, no script. It ends in a code or in `access_denied`.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { InteractionDetails, Provider } from "oidc-provider";
import { html, page } from "./html.ts";
import type { ArtifactStore, ProviderUser } from "./provider_accounts.ts";

/** The password of every account, printed on the page. */
const DEMO_PASSWORD = "demo";

/** Where the sign-in pages live, by interaction. */
export const INTERACTION_PATH = "/interaction/";

/** Answers `GET` and `POST` of a sign-in page. */
export async function interact(
  provider: Provider,
  store: ArtifactStore,
  users: ReadonlyMap<string, ProviderUser>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const details = await provider.interactionDetails(request, response);
  const signedIn = [...users.values()].find(({ sub }) => sub === details.session?.accountId);
  const known = details.prompt.name === "consent" ? signedIn : undefined;
  if (request.method !== "POST") return await show(response, known ? consentForm(known) : loginForm(users));

  const form = new URLSearchParams(await readBody(request));
  if (form.has("cancel")) {
    const denied = { error: "access_denied", error_description: "End-User aborted interaction" };
    return await provider.interactionFinished(request, response, denied, { mergeWithLastSubmission: false });
  }
  if (form.has("switch")) {
    store.endSession(details.session?.cookie ?? "");
    return restart(response, details);
  }

  const user = known ?? users.get(form.get("login") ?? "");
  if (!user) return await show(response, loginForm(users, "There is no such account."), 400);
  if (!known && form.get("password") !== DEMO_PASSWORD) {
    return await show(response, loginForm(users, "The password is wrong."), 400);
  }
  await leaveOtherSession(store, request, details, user.sub);
  await finish(provider, request, response, details, user.sub);
}

/** Ends another account's session in this browser. A sign-in that began in it, by `prompt=login`, goes on without it. */
async function leaveOtherSession(
  store: ArtifactStore,
  request: IncomingMessage,
  details: InteractionDetails,
  accountId: string,
): Promise<void> {
  store.endOtherSession(sessionCookie(request), accountId);
  if (details.session === undefined || details.session.accountId === accountId) return;
  delete details.session.uid;
  await details.save(details.exp - Math.floor(Date.now() / 1000));
}

/** The browser's session as it is now: another tab may have signed in since this page was shown. */
function sessionCookie({ headers }: IncomingMessage): string {
  return /(?:^|;\s*)_session=([^;]*)/.exec(headers.cookie ?? "")?.[1] ?? "";
}

/** A page of the provider, written to Node's response. */
export async function show(
  response: ServerResponse,
  content: ReturnType<typeof html>,
  status = 200,
): Promise<void> {
  const answer = page({ title: "Sign in to the organisation", standsFor: STANDS_FOR, status }, content);
  response.writeHead(status, Object.fromEntries(answer.headers)).end(await answer.text());
}

const STANDS_FOR = "an OpenID Provider";

async function finish(
  provider: Provider,
  request: IncomingMessage,
  response: ServerResponse,
  details: InteractionDetails,
  accountId: string,
): Promise<void> {
  const grant = new provider.Grant({ accountId, clientId: details.params.client_id ?? "" });
  grant.addOIDCScope(details.params.scope ?? "openid");
  const consent = { grantId: await grant.save() };
  const result = details.prompt.name === "login" ? { login: { accountId }, consent } : { consent };
  await provider.interactionFinished(request, response, result, { mergeWithLastSubmission: true });
}

/** Begins the same authorization request again, for another account. */
function restart(response: ServerResponse, details: InteractionDetails): void {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(details.params))
    if (value !== undefined) params.set(name, value);
  response.writeHead(303, { location: `/auth?${params}` }).end();
}

function loginForm(users: ReadonlyMap<string, ProviderUser>, error?: string) {
  const suggestions = [...users.values()].map(
    (user) => html`<option value="${user.login}">${user.name}</option>`,
  );
  const accounts = [...users.values()].map(
    (user) =>
      html`<tr><td><code>${user.login}</code></td><td>${user.name}</td><td>${groupsOf(user)}</td></tr>`,
  );
  return html`
${error === undefined ? undefined : html`<p class="error" role="alert">${error}</p>`}
<form method="post">
<label for="login">Username</label>
<input id="login" name="login" list="logins" autocomplete="username" required>
<datalist id="logins">${suggestions}</datalist>
<label for="password">Password (it is <code>${DEMO_PASSWORD}</code>)</label>
<input id="password" name="password" type="password" autocomplete="current-password" required>
<button>Sign in</button>
<button class="quiet" name="cancel" value="1" formnovalidate>Cancel</button>
</form>
<h2>Accounts</h2>
<table><thead><tr><th scope="col">Username</th><th scope="col">Name</th><th scope="col">Groups</th></tr></thead><tbody>${accounts}</tbody></table>`;
}

function groupsOf({ claims, groups }: ProviderUser): string {
  const own = claims === undefined ? groups : claims.groups;
  return Array.isArray(own) ? own.join(", ") : "(not known)";
}

function consentForm(user: ProviderUser) {
  return html`
<p>You are signed in as <strong>${user.name}</strong>. The application wants to know who you are and which groups you are in.</p>
<form method="post">
<button>Continue as ${user.name}</button>
<button class="quiet" name="switch" value="1">Use another account</button>
<button class="quiet" name="cancel" value="1">Cancel</button>
</form>`;
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

/**
 * The server as its members see it in Discord: the linked role, the link that leads to the application, and the
 * Link button that alone gives the role. Below stands what this Discord believes about each of its accounts.
 */
import type { DiscordState, DiscordUser } from "./discord_api.ts";
import { displayName, matchesMemberRole, verificationUrl } from "./discord_api.ts";
import { picturePath } from "./discord_cdn.ts";
import type { Markup } from "./html.ts";
import { html, page } from "./html.ts";

/** `GET /app`, and where links into Discord lead: `GET /channels/@me` */
export function appPage(state: DiscordState): Response {
  const users = [...state.users.values()];
  const content = html`
<p>On this server <span class="role">Member</span> is a linked role: an application tells Discord who can get it.</p>
<ol>
<li><p>Follow the role’s link. Sign in at Discord, then at the organisation.</p>
<p><a class="button" href="${verificationUrl(state)}">Linked Roles: verify</a></p></li>
<li><p>Come back to this page and press <strong>Link</strong>. Only then does Discord give the role.</p>
${linkForms(state, users)}</li>
</ol>
<h2 id="believes">What Discord believes</h2>
<p>The real Discord shows members only their own account. This stand-in shows all of them. <a href="/app#believes">Look again</a></p>
${users.map((user) => memberSection(state, user))}
<h2>What the role asks for</h2>
${recordsTable(state)}`;
  return page({ title: "A server on Discord", standsFor: "Discord" }, content);
}

/** `POST /app/link`: Discord's own button. It gives the role where what Discord has been told matches. */
export function pressLink(state: DiscordState, form: URLSearchParams): Response {
  const userId = form.get("user_id") ?? "";
  if (!matchesMemberRole(state, userId)) {
    const reason = html`<p class="error">The role asks for something that Discord has not been told.</p>`;
    return page({ title: "Discord gives no role", standsFor: "Discord", status: 400 }, reason);
  }
  state.roleHolders.add(userId);
  return new Response(null, { status: 303, headers: { location: "/app" } });
}

/** Whether the member has the role: Link was pressed, and what Discord has been told still matches. */
export function hasMemberRole(state: DiscordState, userId: string): boolean {
  return state.roleHolders.has(userId) && matchesMemberRole(state, userId);
}

/** Discord's button, for every account that can get the role and has not pressed it. */
function linkForms(state: DiscordState, users: readonly DiscordUser[]): readonly Markup[] {
  const waiting = users.filter(({ id }) => matchesMemberRole(state, id) && !hasMemberRole(state, id));
  const holders = users.filter(({ id }) => hasMemberRole(state, id));
  if (waiting.length + holders.length === 0)
    return [html`<p><small>Nobody can get the role yet.</small></p>`];
  return [
    ...holders.map((user) => html`<p class="yes">${displayName(user)} has the role.</p>`),
    ...waiting.map(
      (user) => html`<form method="post" action="/app/link">
<p>${displayName(user)} can get the role:</p>
<button name="user_id" value="${user.id}" aria-label="Link ${displayName(user)}">Link</button>
</form>`,
    ),
  ];
}

function memberSection(state: DiscordState, user: DiscordUser): Markup {
  return html`<section class="card">
<h3><img class="avatar" src="${picturePath(user)}" width="32" height="32" alt=""> ${displayName(user)} <small>@${user.username}</small></h3>
<p>${roleOf(state, user)}</p>
${connectionTable(state, user)}
</section>`;
}

function roleOf(state: DiscordState, { id }: DiscordUser): Markup {
  if (hasMemberRole(state, id))
    return html`<span class="yes">Has the role</span> <span class="role">Member</span>`;
  if (matchesMemberRole(state, id))
    return html`Does not have the role, and gets it by pressing <strong>Link</strong>`;
  return html`Does not have the role`;
}

function connectionTable(state: DiscordState, user: DiscordUser): Markup {
  const roleConnection = state.roleConnections.get(user.id);
  if (!roleConnection) return html`<p><small>The application has told Discord nothing.</small></p>`;
  const metadata = Object.entries(roleConnection.metadata).map(
    ([key, value]) =>
      html`<tr><th scope="row"><code>${key}</code></th><td><code>${String(value)}</code></td></tr>`,
  );
  return html`<table><tbody>
<tr><th scope="row">Platform</th><td>${roleConnection.platform_name ?? "(none)"}</td></tr>
<tr><th scope="row">Username</th><td>${roleConnection.platform_username ?? "(none)"}</td></tr>
${metadata}
</tbody></table>`;
}

function recordsTable({ records, memberKey }: DiscordState): Markup {
  if (records.length === 0) {
    return html`<p class="error">No metadata record is registered, so no role can ask for anything. Register them first.</p>`;
  }
  const rows = records.map(
    (record) =>
      html`<tr><td><code>${record.key}</code></td><td>${record.name}</td><td>${TYPES[record.type]}</td><td>${record.description}</td></tr>`,
  );
  return html`<p>The role <span class="role">Member</span> asks for <code>${memberKey}</code>. The application has registered:</p>
<table><thead><tr><th scope="col">Key</th><th scope="col">Name</th><th scope="col">Value</th><th scope="col">Description</th></tr></thead><tbody>${rows}</tbody></table>`;
}

/** What a role compares, by the record's type. */
const TYPES: Readonly<Record<number, string>> = {
  1: "a number, at most",
  2: "a number, at least",
  3: "a number, equal",
  4: "a number, not equal",
  5: "a date, at least so many days ago",
  6: "a date, at most so many days ago",
  7: "yes",
  8: "not yes",
};

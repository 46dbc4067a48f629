import { Elysia } from "elysia";
import { showOpenApi } from "./lib/api/handlers.ts";
import { runCommand } from "./lib/cli/run.ts";
import type { Shared } from "./lib/deps.ts";
import type { Listener, Route } from "./lib/http/edge.ts";
import { createEdge } from "./lib/http/edge.ts";
import { receiveCommand } from "./lib/interactions/handlers.ts";
import {
  beginLink,
  beginLinkOfAnother,
  keepLink,
  moveLink,
  receiveDiscordCallback,
  receiveProviderCallback,
  showHome,
} from "./lib/link/handlers.ts";
import {
  askUnlink,
  deleteLink,
  exportData,
  receiveSync,
  receiveUnlink,
  showAccount,
  showAnotherAccount,
  showUserinfo,
} from "./lib/member/handlers.ts";
import { askLift, listAdminBans, receiveLift } from "./lib/operator/admin/bans/handlers.ts";
import {
  askAdminChange,
  askRelease,
  receiveAdminChange,
  receiveRelease,
} from "./lib/operator/admin/change/handlers.ts";
import {
  beginAdminSignIn,
  listAdminLinks,
  receiveAdminSignOut,
  showAdmin,
  showAdminMember,
} from "./lib/operator/admin/handlers.ts";
import { answerReach, beginExamination } from "./lib/operator/doctor/handlers.ts";
import { showAbout, showAsset } from "./lib/pages/handlers.ts";
import { showResult } from "./lib/result/handlers.ts";
import {
  createScimGroup,
  createScimUser,
  deleteScimGroup,
  deleteScimUser,
  findScimGroup,
  findScimResourceType,
  findScimSchema,
  findScimUser,
  listScimGroups,
  listScimResourceTypes,
  listScimSchemas,
  listScimUsers,
  patchScimGroup,
  patchScimUser,
  refuseScim,
  replaceScimGroup,
  replaceScimUser,
  showScimConfig,
} from "./lib/scim/handlers.ts";
import { showHealth, showReadiness } from "./lib/server/handlers.ts";
import {
  endSessions,
  logIn,
  receiveLogout,
  receiveSessionsEnd,
  showSessions,
} from "./lib/session/handlers.ts";
import { receiveBackChannelLogout, receiveDiscord, receiveHook } from "./lib/sync/handlers.ts";

/** Every route of Janus. */
export const ROUTES: readonly Route[] = [
  ["GET", "/", showHome],
  ["GET", "/about", showAbout],
  ["GET", "/assets/:name", showAsset],
  ["GET", "/linked-role", beginLink],
  ["GET", "/linked-role/another", beginLinkOfAnother],
  ["GET", "/discord-oauth-callback", receiveDiscordCallback],
  ["GET", "/dsek-oauth-callback", receiveProviderCallback],
  ["POST", "/link/move", moveLink],
  ["POST", "/link/keep", keepLink],
  ["GET", "/result/:name", showResult],
  ["GET", "/login", logIn],
  ["GET", "/account", showAccount],
  ["GET", "/account/another", showAnotherAccount],
  ["GET", "/account/unlink", askUnlink],
  ["POST", "/account/unlink", receiveUnlink],
  ["POST", "/account/sessions", receiveSessionsEnd],
  ["GET", "/api/userinfo", showUserinfo],
  ["POST", "/api/auth/logout", receiveLogout],
  ["GET", "/api/sessions", showSessions],
  ["DELETE", "/api/sessions/:handle", endSessions],
  ["DELETE", "/api/link", deleteLink],
  ["POST", "/api/link/sync", receiveSync],
  ["GET", "/api/me/export", exportData],
  ["POST", "/discord/events", receiveDiscord],
  ["POST", "/discord/interactions", receiveCommand],
  ["POST", "/hooks/recheck", receiveHook],
  ["GET", "/openapi.json", showOpenApi],
  ["POST", "/oidc/backchannel-logout", receiveBackChannelLogout],
  ["GET", "/admin", showAdmin],
  ["GET", "/admin/sign-in", beginAdminSignIn],
  ["POST", "/admin/sign-out", receiveAdminSignOut],
  ["GET", "/admin/links", listAdminLinks],
  ["GET", "/admin/links/:id", showAdminMember],
  ["GET", "/admin/links/:id/:action", askAdminChange],
  ["POST", "/admin/links/:id/:action", receiveAdminChange],
  ["GET", "/admin/bans", listAdminBans],
  ["GET", "/admin/bans/:id", askLift],
  ["POST", "/admin/bans/:id", receiveLift],
  ["GET", "/admin/brake", askRelease],
  ["POST", "/admin/brake", receiveRelease],
  ["GET", "/doctor", beginExamination],
  ["GET", "/doctor/reach", answerReach],
  ["GET", "/scim/v2/ServiceProviderConfig", showScimConfig],
  ["GET", "/scim/v2/ResourceTypes", listScimResourceTypes],
  ["GET", "/scim/v2/ResourceTypes/:id", findScimResourceType],
  ["GET", "/scim/v2/Schemas", listScimSchemas],
  ["GET", "/scim/v2/Schemas/:id", findScimSchema],
  ["GET", "/scim/v2/Users", listScimUsers],
  ["POST", "/scim/v2/Users", createScimUser],
  ["GET", "/scim/v2/Users/:id", findScimUser],
  ["PUT", "/scim/v2/Users/:id", replaceScimUser],
  ["PATCH", "/scim/v2/Users/:id", patchScimUser],
  ["DELETE", "/scim/v2/Users/:id", deleteScimUser],
  ["GET", "/scim/v2/Groups", listScimGroups],
  ["POST", "/scim/v2/Groups", createScimGroup],
  ["GET", "/scim/v2/Groups/:id", findScimGroup],
  ["PUT", "/scim/v2/Groups/:id", replaceScimGroup],
  ["PATCH", "/scim/v2/Groups/:id", patchScimGroup],
  ["DELETE", "/scim/v2/Groups/:id", deleteScimGroup],
  ["GET", "/scim/v2/Me", refuseScim],
  ["POST", "/scim/v2/Bulk", refuseScim],
  ["POST", "/scim/v2/.search", refuseScim],
  ["POST", "/scim/v2/Users/.search", refuseScim],
  ["POST", "/scim/v2/Groups/.search", refuseScim],
  ["GET", "/healthz", showHealth],
  ["GET", "/readyz", showReadiness],
];

/** Makes the application. */
export function createApp(shared: Shared, listener: Listener) {
  const edge = createEdge(shared, listener, ROUTES);
  // Otherwise Elysia looks for the path behind eleven characters, and misses it after a host such as `web`.
  const app = new Elysia({ handler: { standardHostname: false } }).onError(({ request, code, error }) =>
    edge.fail(request, code, error),
  );
  for (const [method, path, handler] of ROUTES) {
    const answer = edge.on(path, handler);
    // The edge reads the body of a form, and drops any other.
    app.route(method, path, ({ request }) => answer(request), { parse: "none" });
  }
  return app;
}

if (import.meta.main) await runCommand(Bun.argv.slice(2), createApp);

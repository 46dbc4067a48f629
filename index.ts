import { Elysia } from "elysia";
import { runCommand } from "./lib/cli/run.ts";
import type { Deps } from "./lib/deps.ts";
import { createEdge } from "./lib/http/edge.ts";
import {
  beginLink,
  beginLinkOfAnother,
  moveLink,
  receiveDiscordCallback,
  receiveProviderCallback,
} from "./lib/link/handlers.ts";
import {
  askUnlink,
  deleteLink,
  exportData,
  receiveSync,
  receiveUnlink,
  showAccount,
  showAnotherAccount,
  showOpenApi,
  showUserinfo,
} from "./lib/member/handlers.ts";
import { showHealth, showHome, showReadiness } from "./lib/server/handlers.ts";
import {
  endSessions,
  logIn,
  receiveEndOfOthers,
  receiveLogout,
  showSessions,
} from "./lib/session/handlers.ts";

/** A body is read where one is wanted, and nowhere else. */
const UNREAD = { parse: "none" } as const;

/** Every route of Janus. The flows they make are told in `lib/link/discord_leg.ts`, `lib/link/provider_leg.ts` and `lib/session/login.ts`. */
export function createApp(deps: Deps) {
  const { on, onForm, fail } = createEdge(deps);
  const app = new Elysia()
    .onError(({ request, code, error }): Response | Promise<Response> =>
      fail(request, code, error, app.routes),
    )
    .get("/", on("/", showHome))
    .get("/linked-role", on("/linked-role", beginLink))
    .get("/linked-role/another", on("/linked-role/another", beginLinkOfAnother))
    .get("/discord-oauth-callback", on("/discord-oauth-callback", receiveDiscordCallback))
    .get("/dsek-oauth-callback", on("/dsek-oauth-callback", receiveProviderCallback))
    .post("/link/move", onForm("/link/move", moveLink), UNREAD)
    .get("/login", on("/login", logIn))
    .get("/account", on("/account", showAccount))
    .get("/account/another", on("/account/another", showAnotherAccount))
    .get("/account/unlink", on("/account/unlink", askUnlink))
    .post("/account/unlink", on("/account/unlink", receiveUnlink), UNREAD)
    .post("/account/sessions", on("/account/sessions", receiveEndOfOthers), UNREAD)
    .get("/api/userinfo", on("/api/userinfo", showUserinfo))
    .post("/api/auth/logout", on("/api/auth/logout", receiveLogout), UNREAD)
    .get("/api/sessions", on("/api/sessions", showSessions))
    .delete("/api/sessions/:handle", on("/api/sessions/:handle", endSessions), UNREAD)
    .delete("/api/link", on("/api/link", deleteLink), UNREAD)
    .post("/api/link/sync", on("/api/link/sync", receiveSync), UNREAD)
    .get("/api/me/export", on("/api/me/export", exportData))
    .get("/openapi.json", on("/openapi.json", showOpenApi))
    .get("/healthz", on("/healthz", showHealth))
    .get("/readyz", on("/readyz", showReadiness));
  return app;
}

if (import.meta.main) await runCommand(Bun.argv.slice(2), createApp);

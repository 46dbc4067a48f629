import { Elysia } from "elysia";
import { runCommand } from "./lib/cli.ts";
import type { Deps } from "./lib/deps.ts";
import {
  beginLink,
  moveLink,
  receiveDiscordCallback,
  receiveProviderCallback,
  showHealth,
  showHome,
  showReadiness,
} from "./lib/handlers.ts";
import { createEdge } from "./lib/http.ts";

/** Every route of Janus. The flow they make, step by step, is told in `lib/link.ts`. */
export function createApp(deps: Deps) {
  const { on, fail } = createEdge(deps);
  const app = new Elysia()
    .onError(({ request, code, error }): Response | Promise<Response> =>
      fail(request, code, error, app.routes),
    )
    .get("/", on("/", showHome))
    .get("/linked-role", on("/linked-role", beginLink))
    .get("/discord-oauth-callback", on("/discord-oauth-callback", receiveDiscordCallback))
    .get("/dsek-oauth-callback", on("/dsek-oauth-callback", receiveProviderCallback))
    .post("/link/move", on("/link/move", moveLink), { parse: "none" })
    .get("/healthz", on("/healthz", showHealth))
    .get("/readyz", on("/readyz", showReadiness));
  return app;
}

if (import.meta.main) await runCommand(Bun.argv.slice(2), createApp);

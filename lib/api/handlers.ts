/** The route of the API's own description, which `openapi.ts` builds from the schemas that check each answer. */
import type { Handler } from "../http/response.ts";
import { jsonResponse } from "../http/response.ts";

/** GET /openapi.json */
export const showOpenApi: Handler = async (deps, exchange) => {
  const { config, version } = deps;
  // Imported here: a server starts without it.
  const { createOpenApi } = await import("./openapi.ts");
  return jsonResponse(deps, exchange, 200, createOpenApi(config.publicUrl, version));
};

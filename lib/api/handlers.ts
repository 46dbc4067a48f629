/** The route of the API's own description, which `openapi.ts` builds from the schemas that check each answer. */
import type { Handler } from "../http/response.ts";
import { jsonResponse } from "../http/response.ts";
import { createOpenApi } from "./openapi.ts";

/** GET /openapi.json */
export const showOpenApi: Handler = (deps, exchange) =>
  jsonResponse(deps, exchange, 200, createOpenApi(deps.config.publicUrl, deps.version));

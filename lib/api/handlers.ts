/**
 * The route of the API's own description. This room owns the API's form: the shapes in `schemas.ts`, the answers in
 * `views.ts`, and the OpenAPI document in `openapi.ts`.
 *
 *   GET /openapi.json     showOpenApi
 *
 * The other routes under /api are in the rooms whose subject they have: `member/`, `session/`.
 */
import type { Handler } from "../http/response.ts";
import { jsonResponse } from "../http/response.ts";
import { createOpenApi } from "./openapi.ts";

/** GET /openapi.json */
export const showOpenApi: Handler = (deps, exchange) =>
  jsonResponse(deps, exchange, 200, createOpenApi(deps.config.publicUrl, deps.version));

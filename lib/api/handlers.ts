/** The route of the API's own description, made once and kept: `openapi.ts` builds it from the schemas. */
import type { Handler } from "../http/response.ts";
import { jsonResponse } from "../http/response.ts";

/** The document of each address that this process has had: one, but in tests. */
const DOCUMENTS = new Map<string, object>();

/** GET /openapi.json */
export const showOpenApi: Handler = async (deps, exchange) => {
  const { config, version } = deps;
  // Imported here: a server starts without it.
  const { createOpenApi } = await import("../api/openapi.ts");
  const document = DOCUMENTS.get(config.publicUrl) ?? createOpenApi(config.publicUrl, version);
  DOCUMENTS.set(config.publicUrl, document);
  return jsonResponse(deps, exchange, 200, document);
};

/** What a command needs to do its work beside a server of a test: the same database, the same two servers, the same keys. */
import type { TestDatabase } from "./database.ts";
import type { TestJanus } from "./janus.ts";
import { environmentFor } from "./janus.ts";

/** Its environment. The operator is anna. */
export const environmentBeside = (
  janus: TestJanus<{ readonly issuer: string }>,
  database: TestDatabase,
): Record<string, string> => ({
  ...environmentFor(janus.url, janus.discord, janus.provider.issuer),
  TOKEN_KEYS: janus.config.tokenKeys
    .map(({ id, key }) => `${id}:${key.toBase64({ alphabet: "base64url", omitPadding: true })}`)
    .join(),
  DATABASE_URL: database.config.url ?? "",
  JANUS_OPERATOR: "anna",
});

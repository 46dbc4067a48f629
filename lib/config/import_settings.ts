/** What `janus import` needs, and where the database is from which it imports. */
import * as v from "valibot";
import type { RingKey } from "../crypto.ts";
import { usage } from "../errors.ts";
import { decodeText } from "../text/decode.ts";
import type { DatabaseConfig } from "./database_settings.ts";
import { databaseOf, databaseSchema } from "./database_settings.ts";
import { parseVariables } from "./parse.ts";
import type { ScimSettings } from "./scim_settings.ts";
import { SCIM_SCHEMAS, scimOf } from "./scim_settings.ts";
import { readSmallFile } from "./small_file.ts";
import type { Environment } from "./sources.ts";
import { SCHEMAS } from "./variables.ts";

/** What `janus import` needs. */
export type ImportConfig = DatabaseConfig & {
  /** The first key seals. */
  readonly tokenKeys: readonly RingKey[];
  /** The provider at which the members have their accounts. */
  readonly issuer: string;
  readonly scim: ScimSettings | undefined;
};

const importSchema = v.object({
  ...databaseSchema.entries,
  ...SCIM_SCHEMAS,
  ...v.pick(v.object(SCHEMAS), ["TOKEN_KEYS", "OIDC_ISSUER"]).entries,
});

/** Reads it. Throws config_invalid. */
export function readImportConfig(environment: Environment): ImportConfig {
  const values = parseVariables(importSchema, environment);
  const { TOKEN_KEYS: tokenKeys, OIDC_ISSUER: issuer } = values;
  return { ...databaseOf(values, environment), tokenKeys, issuer, scim: scimOf(values) };
}

/**
 * The address of the earlier service's database: from IMPORT_DATABASE_URL, or from the file that IMPORT_DATABASE_URL_FILE
 * names. Other people of the machine can read the words of a command, so it is in none. Throws usage.
 */
export function readImportAddress(environment: Environment): string {
  const { IMPORT_DATABASE_URL: url, IMPORT_DATABASE_URL_FILE: path } = environment;
  if (url && path)
    throw usage(
      "IMPORT_DATABASE_URL is set twice: remove either IMPORT_DATABASE_URL or IMPORT_DATABASE_URL_FILE.",
    );
  if (url) return url;
  if (!path)
    throw usage(
      "--postgres needs the address of the earlier service's database in IMPORT_DATABASE_URL, or in a file that " +
        "IMPORT_DATABASE_URL_FILE names.",
    );
  const read = readSmallFile(path);
  if ("fault" in read) throw usage(`IMPORT_DATABASE_URL_FILE ${read.fault}.`);
  const text = decodeText(read.bytes)?.trim();
  if (!text) throw usage("IMPORT_DATABASE_URL_FILE names a file without an address.");
  return text;
}

/**
 * What every command needs that works on the database: where it is, how long it is waited for, and how the command logs. Each
 * variable is described in `variables.ts`.
 */
import * as v from "valibot";
import type { LogFormat, LogLevel } from "../telemetry/log.ts";
import { readLibpqEnvironment } from "./database_address.ts";
import type { Environment } from "./sources.ts";
import { SCHEMAS } from "./variables.ts";

/** What a command needs that works on the database alone, such as `janus migrate`. */
export type DatabaseConfig = {
  readonly database: {
    /** Undefined for the embedded database. */
    readonly url: string | undefined;
    /** Takes the place of the one in the address. */
    readonly password: string | undefined;
    /** Whether statements are prepared. */
    readonly prepare: boolean;
    /** Parameters that libpq would take from the environment, where the address does not have them. */
    readonly libpq: Readonly<Record<string, string>>;
    /** The folder of the embedded database. */
    readonly dataDir: string;
  };
  readonly databaseWaitSeconds: number;
  readonly logLevel: LogLevel;
  readonly logFormat: LogFormat;
};

/** Its variables. */
export const databaseSchema = v.pick(v.object(SCHEMAS), [
  "DATABASE_URL",
  "DATABASE_PASSWORD",
  "DATABASE_PREPARE",
  "DATABASE_WAIT_SECONDS",
  "DATA_DIR",
  "LOG_LEVEL",
  "LOG_FORMAT",
]);
/** The settings, from the variables and from what libpq takes from the environment. */
export function databaseOf(
  values: v.InferOutput<typeof databaseSchema>,
  environment: Environment,
): DatabaseConfig {
  return {
    database: {
      url: values.DATABASE_URL,
      password: values.DATABASE_PASSWORD,
      prepare: values.DATABASE_PREPARE,
      libpq: readLibpqEnvironment(environment),
      dataDir: values.DATA_DIR,
    },
    databaseWaitSeconds: values.DATABASE_WAIT_SECONDS,
    logLevel: values.LOG_LEVEL,
    logFormat: values.LOG_FORMAT,
  };
}

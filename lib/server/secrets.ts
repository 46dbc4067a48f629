/**
 * Secrets that change while the server runs: what a file holds that a variable with `_FILE` names. The whole configuration
 * is read again, so that a file with a fault is refused as at the start. Whatever it is, the old secrets stay then.
 */
import type { Config } from "../config/load.ts";
import { readConfig, readRawValues } from "../config/load.ts";
import type { Environment } from "../config/sources.ts";
import { SECRETS } from "../config/variables.ts";
import type { Shared } from "../deps.ts";
import { configInvalid } from "../errors.ts";
import { keyIdOf, tryTokenKeys } from "../operator/token_keys.ts";
import { describeError } from "../telemetry/log.ts";

/** Connections to the database, and the way to the collector, are made with these when the server starts. */
const AT_START: readonly string[] = ["DATABASE_URL", "DATABASE_PASSWORD", "OTEL_EXPORTER_OTLP_HEADERS"];

type Needs = Pick<Shared, "config" | "queries" | "log" | "replaceSecrets">;

/** Makes what reads the secrets again, and logs what came of it. It never rejects. */
export function createReload(needs: Needs, environment: Environment): () => Promise<void> {
  let values = readSecrets(environment);
  let turn = Promise.resolve();
  const reload = async (): Promise<void> => {
    try {
      const fresh = readSecrets(environment);
      const config = await readChanged(needs, environment);
      const changed = SECRETS.filter((name) => fresh[name] !== values[name] && !AT_START.includes(name));
      needs.replaceSecrets(config);
      values = fresh;
      needs.log.info("secrets_reloaded", {
        count: changed.length,
        ...(changed.length > 0 ? { reason: changed.join(", ") } : {}),
      });
    } catch (error) {
      // Carrying on is right: the server has the secrets that it had.
      needs.log.error("secrets_not_reloaded", describeError(error));
    }
  };
  return () => {
    turn = turn.then(reload);
    return turn;
  };
}

const readSecrets = (environment: Environment): Readonly<Record<string, string>> =>
  readRawValues(environment);

/** The configuration with the secrets of now, and all else as it was. Throws config_invalid, and what a query throws. */
async function readChanged({ config, queries }: Needs, environment: Environment): Promise<Config> {
  const read = readConfig(environment);
  const { database, platformLogo } = config;
  const isSameRing = describeRing(config) === describeRing(read);
  if (!isSameRing) await requireKeys(queries, config, read);
  return { ...read, database, platformLogo };
}

const describeRing = ({ tokenKeys }: Pick<Config, "tokenKeys">): string =>
  tokenKeys.map(({ id, key }) => `${id}:${key.toHex()}`).join();

/** Throws config_invalid if the new keys do not open what the old ones open: most likely one was forgotten. */
async function requireKeys(queries: Needs["queries"], old: Config, changed: Config): Promise<void> {
  const [before, now] = await Promise.all([
    tryTokenKeys({ queries }, old.tokenKeys),
    tryTokenKeys({ queries }, changed.tokenKeys),
  ]);
  const unreadableBefore = new Set(before.unreadable.map(keyIdOf));
  const lost = new Set(now.unreadable.map(keyIdOf).filter((id) => !unreadableBefore.has(id)));
  if (lost.size > 0)
    throw configInvalid(
      `TOKEN_KEYS lacks keys that have sealed stored tokens: ${[...lost].sort().join(", ")}. Keep them, or restart Janus.`,
    );
}

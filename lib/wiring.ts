/**
 * Builds what is the same for all work, once, at the start. Tests build the same with another clock, another sleep and the
 * addresses of stand-ins. `deps.ts` says what is in it, and binds it to a piece of work.
 */
import type { Config } from "./config/load.ts";
import { createMacs, createSealer, nameKeys } from "./crypto.ts";
import type { Database } from "./database/open.ts";
import { createQueries } from "./database/queries.ts";
import type { Secretive, Shared } from "./deps.ts";
import { createDiscordUrls } from "./discord/authorization_request.ts";
import { createDiscord } from "./discord/client.ts";
import { createUnstored } from "./grants/unstored.ts";
import { createLateLooks } from "./interactions/late.ts";
import type { Fetch } from "./oauth/upstream.ts";
import { createOidc } from "./oidc/client.ts";
import type { Configuration } from "./operator/configuration.ts";
import { createSetup } from "./operator/setup.ts";
import { createAlarm } from "./sync/alarm.ts";
import { createUpstreamBudgets } from "./sync/budget.ts";
import { createEventCounts } from "./sync/doorbell.ts";
import { createHeldLosses } from "./sync/held_losses.ts";
import { createRuleFaults } from "./sync/rule_faults.ts";
import type { Instruments } from "./telemetry/instruments.ts";
import { NO_INSTRUMENTS } from "./telemetry/instruments.ts";
import type { MainLog } from "./telemetry/log.ts";

/** What all upstream calls of one request may take together. */
const BUDGET_MS = 9_000;

/** What comes from outside the program. */
export type World = {
  readonly fetch: Fetch;
  readonly now: () => Date;
  readonly sleep: (ms: number) => Promise<void>;
  readonly log: MainLog;
  /** Metrics and traces; none unless given. */
  readonly instruments?: Instruments;
  readonly version: string;
  /** How long an upstream call may take; each client has its own default. */
  readonly deadlineMs?: number;
  /** What all upstream calls of one request may take together. */
  readonly budgetMs?: number;
  /** How often a server looks for what is due; it has its own default. */
  readonly upkeepSeconds?: number;
};

/** Builds everything. Nothing is sent, and the database is not spoken to. */
export function createShared({ config, rules }: Configuration, db: Database, world: World): Shared {
  const { publicUrl } = config;
  const { log, now, sleep, version, instruments = NO_INSTRUMENTS } = world;
  let secretive = deriveSecretive(config);
  const queries = createQueries(db, instruments.tracer);
  const { providerPerSecond } = config.sync;
  const upstreamBudgets = createUpstreamBudgets({ queries, now, sleep, log, providerPerSecond });
  return {
    get config() {
      return secretive.config;
    },
    get tokenSealer() {
      return secretive.tokenSealer;
    },
    get flowMacs() {
      return secretive.flowMacs;
    },
    get cookieSealer() {
      return secretive.cookieSealer;
    },
    replaceSecrets: (changed) => {
      secretive = deriveSecretive(changed);
    },
    rules,
    db,
    queries,
    discordUrls: createDiscordUrls({ ...config.discord, publicUrl }),
    bindDiscord: createDiscord({
      ...config.discord,
      ...world,
      publicUrl,
      meter: upstreamBudgets.discord.meter,
      get clientSecret() {
        return secretive.config.discord.clientSecret;
      },
    }),
    bindOidc: createOidc({
      config: {
        ...config.oidc,
        get clientSecret() {
          return secretive.config.oidc.clientSecret;
        },
      },
      ...world,
      publicUrl,
      rules,
      meter: upstreamBudgets.provider.meter,
    }),
    unstored: createUnstored(log),
    upstreamBudgets,
    ruleFaults: createRuleFaults(log),
    heldLosses: createHeldLosses(),
    alarm: createAlarm(),
    lateLooks: createLateLooks(),
    eventCounts: createEventCounts(),
    setup: createSetup(now),
    now,
    sleep,
    log,
    instruments,
    version,
    budgetMs: world.budgetMs ?? BUDGET_MS,
  };
}

const deriveSecretive = (config: Config): Secretive => ({
  config,
  tokenSealer: createSealer(config.tokenKeys, "link tokens"),
  flowMacs: createMacs(config.cookieSecrets, "flow cookies"),
  cookieSealer: createSealer(nameKeys(config.cookieSecrets), "shown cookies"),
});

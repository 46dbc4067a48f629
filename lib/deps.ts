/**
 * What the use cases work with, built once at the start. Tests build the same with another clock, another sleep
 * and the addresses of stand-ins; nothing else differs.
 */
import type { Config } from "./config/load.ts";
import type { Mac, Sealer } from "./crypto.ts";
import { createMacs, createSealer } from "./crypto.ts";
import type { Database } from "./database/open.ts";
import type { Queries } from "./database/queries.ts";
import { createQueries } from "./database/queries.ts";
import type { Discord } from "./discord/client.ts";
import { createDiscord } from "./discord/client.ts";
import type { Unstored } from "./grants/unstored.ts";
import { createUnstored } from "./grants/unstored.ts";
import type { Budget } from "./oauth/budget.ts";
import { createBudget } from "./oauth/budget.ts";
import type { Fetch } from "./oauth/upstream.ts";
import type { Oidc } from "./oidc/client.ts";
import { createOidc } from "./oidc/client.ts";
import { NEEDED_CLAIMS } from "./rules/role_connection.ts";
import type { RecordPush } from "./sync/push_records.ts";
import { createPushRecorder } from "./sync/push_records.ts";
import type { Log } from "./telemetry/log.ts";

/** What all upstream calls of one request may take together. */
const BUDGET_MS = 9_000;

/** What every use case may work with. */
export type Deps = {
  readonly config: Config;
  readonly db: Database;
  readonly queries: Queries;
  readonly discord: Discord;
  readonly oidc: Oidc;
  /** Seals tokens that work while the member is away, with the operator's key ring. */
  readonly tokenSealer: Sealer;
  /** Derive a flow's secrets from what the browser carries from one leg to the next; the first one begins flows. */
  readonly flowMacs: readonly Mac[];
  readonly recordPush: RecordPush;
  /** Tokens that the database has not stored yet. */
  readonly unstored: Unstored;
  /** Refreshes of session tokens that are under way in this process, by the sealed token that they replace. */
  readonly sessionRefreshes: Map<
    string,
    Promise<{ readonly accessToken: string; readonly accessTokenSealed: string }>
  >;
  readonly now: () => Date;
  readonly sleep: (ms: number) => Promise<void>;
  readonly log: Log;
  readonly version: string;
  readonly budgetMs: number;
  /** Of the request that the work is for; undefined where nobody waits for it. */
  readonly budget?: Budget;
} & Listener;

/** What the server that listens knows. */
export type Listener = {
  /** The address that a request's connection comes from; undefined once it is gone. */
  readonly peerAddress: (request: Request) => string | undefined;
  /** Closes the request's connection unless it is used again within seconds. */
  readonly hurry: (request: Request) => void;
  /** Aborted when the server is told to stop: it answers still, and asks whoever can to go elsewhere. */
  readonly stopping: AbortSignal;
};

/** What comes from outside the program. */
export type World = {
  readonly fetch: Fetch;
  readonly now: () => Date;
  readonly sleep: (ms: number) => Promise<void>;
  readonly log: Log;
  readonly version: string;
  /** How long an upstream call may take; each client has its own default. */
  readonly deadlineMs?: number;
  /** What all upstream calls of one request may take together. */
  readonly budgetMs?: number;
  /** How often a server looks for what is due; it has its own default. */
  readonly upkeepSeconds?: number;
};

/**
 * The same for the work of one request: what is asked of Discord and the provider has its id in the log, and shares one
 * budget that runs from now.
 */
export function forRequest(deps: Deps, requestId: string): Deps {
  const budget = createBudget(deps.budgetMs);
  const discord = deps.discord.for(requestId, budget);
  const oidc = deps.oidc.for(requestId, budget);
  return { ...deps, budget, discord, oidc };
}

/** Builds everything. Nothing is sent, and the database is not spoken to. */
export function createDeps(config: Config, db: Database, world: World, listener: Listener): Deps {
  const { publicUrl } = config;
  const { log, now, sleep } = world;
  const queries = createQueries(db);
  return {
    config,
    db,
    queries,
    discord: createDiscord({ ...config.discord, ...world, publicUrl }),
    oidc: createOidc({ config: config.oidc, ...world, publicUrl, neededClaims: NEEDED_CLAIMS }),
    tokenSealer: createSealer(config.tokenKeys, "link tokens"),
    flowMacs: createMacs(config.cookieSecrets, "flow cookies"),
    recordPush: createPushRecorder({ queries, log }),
    unstored: createUnstored(log),
    sessionRefreshes: new Map(),
    now,
    sleep,
    log,
    version: world.version,
    budgetMs: world.budgetMs ?? BUDGET_MS,
    ...listener,
  };
}

/**
 * What the program works with. `Shared` is built once, at the start, by `wiring.ts`. `Deps` is what one piece of work gets
 * of it: a request, or a round of upkeep. Its log and its clients carry the id and the time budget of that work, so nothing
 * below passes an id on.
 *
 * Each room lists what it needs of `Deps` as its own `Needs`. What a request looks like, and who sends it, is left to
 * `http/`; the listening socket and the end of the process to `server/`.
 */
import type { Config } from "./config/load.ts";
import type { Mac, Sealer } from "./crypto.ts";
import type { Database } from "./database/open.ts";
import type { Queries } from "./database/queries.ts";
import type { DiscordUrls } from "./discord/authorization_request.ts";
import type { Discord } from "./discord/client.ts";
import type { Unstored } from "./grants/unstored.ts";
import type { LateLooks } from "./interactions/late.ts";
import type { Budget } from "./oauth/budget.ts";
import { createBudget } from "./oauth/budget.ts";
import type { Work } from "./oauth/upstream.ts";
import type { Oidc } from "./oidc/client.ts";
import type { Setup } from "./operator/setup.ts";
import type { RuleSet } from "./rules/rule_set.ts";
import type { Alarm } from "./sync/alarm.ts";
import type { UpstreamBudgets } from "./sync/budget.ts";
import type { EventCounts } from "./sync/doorbell.ts";
import type { HeldLosses } from "./sync/held_losses.ts";
import type { RuleFaults } from "./sync/rule_faults.ts";
import type { Instruments } from "./telemetry/instruments.ts";
import type { Log, MainLog } from "./telemetry/log.ts";
import { bindRequest } from "./telemetry/log.ts";

/** What is the same for all work of this process. */
type Common = {
  readonly config: Config;
  /** What a member's claims mean, and who may link. */
  readonly rules: RuleSet;
  readonly db: Database;
  readonly queries: Queries;
  /** Where members sign in at Discord. */
  readonly discordUrls: DiscordUrls;
  /** Seals tokens that work while the member is away, with the operator's key ring. */
  readonly tokenSealer: Sealer;
  /** Derive a flow's secrets from what the browser carries from one leg to the next; the first one begins flows. */
  readonly flowMacs: readonly Mac[];
  /** Seals what a browser keeps for the next page that it loads. */
  readonly cookieSealer: Sealer;
  /** Tokens that the database has not stored yet. */
  readonly unstored: Unstored;
  /** What all processes may ask of other servers. */
  readonly upstreamBudgets: UpstreamBudgets;
  /** Rules that could not be evaluated, each told once. */
  readonly ruleFaults: RuleFaults;
  /** What this process knows of the brake. */
  readonly heldLosses: HeldLosses;
  /** Rings when something is due at once. */
  readonly alarm: Alarm;
  /** Looks at members whose command was answered without them. */
  readonly lateLooks: LateLooks;
  /** Events that this process has received. */
  readonly eventCounts: EventCounts;
  /** What this process knows of faults that only other servers can tell. */
  readonly setup: Setup;
  readonly now: () => Date;
  readonly sleep: (ms: number) => Promise<void>;
  readonly log: Log;
  /** What watches the work beside the log. */
  readonly instruments: Instruments;
  readonly version: string;
};

/** What is built once, for all work. */
export type Shared = Common & {
  readonly log: MainLog;
  readonly bindDiscord: (work: Work) => Discord;
  readonly bindOidc: (work: Work) => Oidc;
  /** What all upstream calls of one request may take together. */
  readonly budgetMs: number;
  /** Takes secrets that have changed. Work that has begun goes on with the old ones. */
  readonly replaceSecrets: (config: Config) => void;
};

/** What follows from secrets, and so from files that an operator may change while the server runs. */
export type Secretive = Pick<Common, "config" | "tokenSealer" | "flowMacs" | "cookieSealer">;

/** What one piece of work may use, whether a request or a round of upkeep. */
export type WorkDeps = Common & {
  /** Of the request that the work is for; null in upkeep. */
  readonly requestId: string | null;
  /** What the request may still spend; undefined in upkeep, where nobody waits. */
  readonly budget: Budget | undefined;
  readonly discord: Discord;
  readonly oidc: Oidc;
  /** The same without the request's budget, for calls that must not be cut off: they go on when the request has ended. */
  readonly patientOidc: Oidc;
};

/** What the work of a request may use. Only `depsOf` makes it, so that nothing in it is left unbound. */
export type Deps = WorkDeps & { readonly requestId: string; readonly budget: Budget };

/** What the work of a request may use. Its budget runs from now. */
export function depsOf(shared: Shared, requestId: string): Deps {
  const budget = createBudget(shared.budgetMs);
  return bind(shared, bindRequest(shared.log, requestId), { requestId, budget });
}

/** What work may use that no request waits for. Its calls wait for their turn. */
export const upkeepDepsOf = (shared: Shared): WorkDeps => bindForLong(shared, { waitsForTurn: true });

/** The same for a few questions, which are asked at once, even without a database. */
export const questionDepsOf = (shared: Shared): WorkDeps => bindForLong(shared, {});

/** Outlasts a change of secrets: what is taken out of it from then on has the new ones. */
function bindForLong(shared: Shared, unasked: Work): WorkDeps {
  const bindAnew = () => bind(shared, shared.log, { requestId: null, budget: undefined }, unasked);
  let bound = bindAnew();
  const current = () => {
    if (bound.config !== shared.config) bound = bindAnew();
    return bound;
  };
  return {
    ...bound,
    get config() {
      return current().config;
    },
    get tokenSealer() {
      return current().tokenSealer;
    },
    get flowMacs() {
      return current().flowMacs;
    },
    get cookieSealer() {
      return current().cookieSealer;
    },
    get discord() {
      return current().discord;
    },
    get oidc() {
      return current().oidc;
    },
  };
}

/** Adds the clients, each made when it is first asked for: most requests need neither. */
function bind<Id extends string | null, Time extends Budget | undefined>(
  shared: Shared,
  log: Log,
  { requestId, budget }: { readonly requestId: Id; readonly budget: Time },
  unasked: Work = {},
) {
  const work: Work = requestId === null || budget === undefined ? unasked : { requestId, budget };
  let discord: Discord | undefined;
  let oidc: Oidc | undefined;
  let patientOidc: Oidc | undefined;
  // Field by field, since it runs for every request: copying the object costs several times as much. decision 0032
  return {
    config: shared.config,
    rules: shared.rules,
    db: shared.db,
    queries: shared.queries,
    discordUrls: shared.discordUrls,
    tokenSealer: shared.tokenSealer,
    flowMacs: shared.flowMacs,
    cookieSealer: shared.cookieSealer,
    unstored: shared.unstored,
    upstreamBudgets: shared.upstreamBudgets,
    ruleFaults: shared.ruleFaults,
    heldLosses: shared.heldLosses,
    alarm: shared.alarm,
    lateLooks: shared.lateLooks,
    eventCounts: shared.eventCounts,
    setup: shared.setup,
    now: shared.now,
    sleep: shared.sleep,
    log,
    instruments: shared.instruments,
    version: shared.version,
    requestId,
    budget,
    get discord() {
      discord ??= shared.bindDiscord(work);
      return discord;
    },
    get oidc() {
      oidc ??= shared.bindOidc(work);
      return oidc;
    },
    get patientOidc() {
      patientOidc ??= shared.bindOidc(requestId === null ? unasked : { requestId });
      return patientOidc;
    },
  };
}

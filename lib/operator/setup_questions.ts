/**
 * The questions about the setup, one for each part: cheap, and none makes a token or changes anything. Who asks them, and how
 * often, is left to the callers. docs/decisions/0034
 */
import type { Config } from "../config/load.ts";
import { sha256Hex } from "../crypto.ts";
import type { WorkDeps } from "../deps.ts";
import type { ErrorCode } from "../error_codes.ts";
import type { JanusError } from "../errors.ts";
import { asJanusError, recordsNotRegistered } from "../errors.ts";
import type { ClientCheck } from "../oauth/client_check.ts";
import type { MetadataRecord } from "../rules/records.ts";
import type { RuleSet } from "../rules/rule_set.ts";
import { printable } from "../text/printable.ts";
import type { ComparedRecord } from "./record_difference.ts";
import { compareRecords } from "./record_difference.ts";

/** An answer. `untold`: the server will not tell, however often it is asked. `unknown`: another time it may. */
export type Finding =
  | { readonly kind: "sound" | "untold" }
  | { readonly kind: "faulty" | "unknown"; readonly error: JanusError };

/** Asks Discord whether it accepts the client id and the secret. */
export const askDiscordClient = ({ discord }: Pick<WorkDeps, "discord">): Promise<Finding> =>
  askClient(discord.checkClient, ["discord_client_rejected"]);

/** Asks the provider the same. This loads discovery first, and discovery may have the fault. */
export const askProvider = ({ oidc }: Pick<WorkDeps, "oidc">): Promise<Finding> =>
  askClient(oidc.checkClient, ["provider_client_rejected", "provider_misconfigured"]);

async function askClient(ask: () => Promise<ClientCheck>, faults: readonly ErrorCode[]): Promise<Finding> {
  try {
    return { kind: (await ask()) === "accepted" ? "sound" : "untold" };
  } catch (error) {
    const known = asJanusError(error);
    return { kind: faults.includes(known.code) ? "faulty" : "unknown", error: known };
  }
}

/** What the questions about the records need of the configuration. */
type RecordDeps = { readonly config: Pick<Config, "discord"> } & Pick<WorkDeps, "rules">;

/** Whether Discord has the metadata records: asks Discord if there is a bot token, otherwise the database. */
export async function askRecords(deps: RecordDeps & Pick<WorkDeps, "discord" | "queries">): Promise<Finding> {
  try {
    return (await askRecordsAtDiscord(deps)) ?? (await askRecordsOfDatabase(deps));
  } catch (error) {
    return { kind: "unknown", error: asJanusError(error) };
  }
}

/** Undefined if Discord does not say: no bot token, a wrong one, or Discord is down. */
export async function askRecordsAtDiscord({
  config,
  rules,
  discord,
}: RecordDeps & Pick<WorkDeps, "discord">): Promise<Finding | undefined> {
  const { botToken } = config.discord;
  if (botToken === undefined) return undefined;
  let stored: readonly ComparedRecord[];
  try {
    stored = await discord.listMetadataRecords(botToken);
  } catch {
    // The log has the call. What the database remembers is the next best answer.
    return undefined;
  }
  const changes = compareRecords(stored, recordsOf(rules)).filter(({ change }) => change !== "unchanged");
  if (changes.length === 0) return { kind: "sound" };
  const differences = changes.map(({ key, change }) => `${printable(key, 50)}: ${DIFFERENCES[change]}`);
  return faulty(
    `Discord does not have the metadata records of the rules (${differences.join(", ")}): run janus register`,
  );
}

/** What a change that `janus register` would make says of what Discord has. */
const DIFFERENCES = {
  added: "missing",
  removed: "not in the rules",
  retyped: "of another type",
  renamed: "with other texts",
  unchanged: "the same",
} as const;

async function askRecordsOfDatabase({
  config,
  rules,
  queries,
}: RecordDeps & Pick<WorkDeps, "queries">): Promise<Finding> {
  const applicationId = config.discord.clientId;
  const registered = await queries.findRegistration({ applicationId });
  if (registered === undefined)
    return faulty(
      "this database does not know that the metadata records are at Discord: run janus register with this database",
    );
  if (registered.recordsHash !== hashRecords(rules))
    return faulty("janus register has put other metadata records than the rules have: run it again");
  return { kind: "sound" };
}

/** Remembers that the metadata records of these rules are at Discord. */
export function rememberRecords(
  { queries, rules, now }: Pick<WorkDeps, "queries" | "rules" | "now">,
  applicationId: string,
): Promise<void> {
  return queries.upsertRegistration({ applicationId, recordsHash: hashRecords(rules), now: now() });
}

/** The metadata records of a rule set, as Discord has them. */
export const recordsOf = ({ records }: Pick<RuleSet, "records">): readonly MetadataRecord[] =>
  records.map(({ record }) => record);

const hashRecords = (rules: RuleSet): string => sha256Hex(JSON.stringify(recordsOf(rules)));

const faulty = (reason: string): Finding => ({ kind: "faulty", error: recordsNotRegistered(reason) });

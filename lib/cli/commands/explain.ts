/**
 * `janus explain`: what the rules make of a set of claims, of one member, or of all links. It changes nothing, and asks
 * nobody but the database. A set of claims needs not even that.
 */
import type { Command } from "commander";
import { readDatabaseConfig, readPlatformName } from "../../config/load.ts";
import type { Environment } from "../../config/sources.ts";
import { createQueries } from "../../database/queries.ts";
import { usage } from "../../errors.ts";
import { readWithRules } from "../../operator/configuration.ts";
import { countEffect } from "../../operator/effect.ts";
import type { Explanation } from "../../operator/explain.ts";
import { explainMember } from "../../operator/explain.ts";
import { findMember } from "../../operator/find_member.ts";
import { keepClaims } from "../../rules/claims.ts";
import type { Facts } from "../../rules/evaluate.ts";
import { createWorld, now } from "../../server/world.ts";
import { factsOf } from "../../sync/member_rules.ts";
import { NO_LOG } from "../../telemetry/log.ts";
import { toJson } from "../../text/json_text.ts";
import { examples, readCommon, readEnvironmentFor } from "../command.ts";
import { describeEffect, effectAsJson, warnOfDropped } from "../effect_view.ts";
import { describeExplanation, explanationAsJson, hasErrors } from "../explanation_view.ts";
import type { GivenFacts } from "../given_facts.ts";
import { findGiven, readTime, readUserId } from "../given_facts.ts";
import { readJsonFile } from "../json_file.ts";
import { endAsInterrupted, endWithFindings, print, warn, warnOfRisk } from "../output.ts";
import { createProgress } from "../progress.ts";
import { describeLink, requireOne } from "../require_one.ts";
import { untilInterrupted } from "../terminal.ts";
import { withStoredDatabase } from "../with_database.ts";

type Options = GivenFacts & {
  readonly claims?: string;
  readonly member?: string;
  readonly all?: boolean;
  readonly sources?: string;
};

/** What every way of explaining needs. */
type Asked = { readonly environment: Environment; readonly json: boolean };

/** Adds the command. Its exit code is 1 if a rule is in error for the member. */
export function addExplain(program: Command): void {
  program
    .command("explain")
    .description("say what the rules make of a set of claims, of a member, or of all links; changes nothing")
    .option("--claims <file>", "of the claims in a JSON file, or with - on standard input")
    .option("--member <member>", "of a linked member: a Discord user id, a subject or a username")
    .option("--all", "of every link: who would gain and lose what")
    .option("--sources <file>", "with --claims: the answers of the sources, as JSON by name")
    .option("--issuer <issuer>", "with --claims: the issuer, if the claims have no iss")
    .option("--subject <subject>", "with --claims: the subject, if the claims have no sub")
    .option("--discord-id <id>", "with --claims: the Discord user id", readUserId)
    .option("--discord-username <name>", "with --claims: the username at Discord")
    .option("--linked-at <time>", "with --claims: when the link was made", readTime)
    .addHelpText(
      "after",
      examples(
        "janus explain --claims claims.json",
        `echo '{"groups": ["members"]}' | janus explain --claims - --json`,
        "janus explain --member anna",
        "RULES_FILE=new.rules.toml janus explain --all",
      ),
    )
    .action(async (options: Options, command: Command) => {
      const explainChosen = choose(options);
      const environment = await readEnvironmentFor(command);
      await explainChosen({ environment, json: readCommon(command).json });
    });
}

/** The one way that was asked for. Throws usage. */
function choose(options: Options): (asked: Asked) => Promise<void> {
  const { claims, member, all, sources } = options;
  const ways = [claims, member, all].filter((way) => way !== undefined);
  if (ways.length !== 1)
    throw usage("Name one of --claims <file>, --member <member> and --all.\nSee janus explain --help.");
  const [extra] =
    claims === undefined ? [...findGiven(options), ...(sources === undefined ? [] : ["--sources"])] : [];
  if (extra !== undefined) throw usage(`${extra} is only for --claims.\nSee janus explain --help.`);
  if (claims === "-" && sources === "-")
    throw usage("Standard input can be --claims or --sources, not both.");
  if (claims !== undefined) return (asked) => explainClaims(claims, options, asked);
  if (member !== undefined) return (asked) => explainStored(member, asked);
  return explainAll;
}

async function explainClaims(path: string, options: Options, { environment, json }: Asked): Promise<void> {
  const { read: platformName, rules } = await readWithRules(environment, () => readPlatformName(environment));
  const claims = await readJsonFile(path);
  const sources = options.sources === undefined ? {} : await readJsonFile(options.sources);
  const facts: Facts = {
    claims: keepClaims(rules, claims),
    sources,
    issuer: options.issuer ?? textOf(claims.iss),
    subject: options.subject ?? textOf(claims.sub),
    discord: { id: options.discordId, username: options.discordUsername },
    linkedAt: options.linkedAt,
    now: now(),
  };
  await tell(explainMember(rules, facts, undefined, platformName), facts, json);
}

const textOf = (claim: unknown): string | undefined => (typeof claim === "string" ? claim : undefined);

async function explainStored(member: string, { environment, json }: Asked): Promise<void> {
  const { read, rules } = await readWithRules(environment, () => ({
    ...readDatabaseConfig(environment),
    platformName: readPlatformName(environment),
  }));
  const link = await withStoredDatabase(read, json, async (db) =>
    requireOne(member, await findMember({ queries: createQueries(db) }, member)),
  );
  if (!json) await print(`${describeLink(link)}\n`);
  const facts = factsOf(link, now());
  await tell(explainMember(rules, facts, link, read.platformName), facts, json);
}

/** Prints an explanation. A rule in error is a finding. */
async function tell(explanation: Explanation, facts: Facts, json: boolean): Promise<void> {
  if (hasErrors(explanation)) endWithFindings();
  await print(json ? toJson(explanationAsJson(explanation)) : describeExplanation(explanation, facts));
}

async function explainAll({ environment, json }: Asked): Promise<void> {
  const { read, rules } = await readWithRules(environment, () => readDatabaseConfig(environment));
  const effect = await withStoredDatabase(read, json, async (db) => {
    const queries = createQueries(db);
    const total = (await queries.countLinks({}))?.count ?? 0;
    const progress = createProgress(total, "links", json);
    const deps = { queries, ...createWorld(NO_LOG, { ref: true }) };
    try {
      return await untilInterrupted((stop) => countEffect(deps, rules, { stop, onPage: progress.tell }));
    } finally {
      await progress.end();
    }
  });
  if (effect === undefined) {
    endAsInterrupted();
    return warn("stopped before the last link: there is no result", json);
  }
  await print(json ? toJson(effectAsJson(effect)) : describeEffect(effect));
  for (const warning of warnOfDropped(effect)) await warnOfRisk(warning, json);
}

/**
 * `janus config check`: shows the settings and the rules in force, and the addresses to enter at other servers.
 * It warns of settings that are valid but risky, and ends with a verdict. It asks other servers only with `--ask`. A secret
 * is shown as `set` or `unset`. The name of a variable that is not ours is shown only if it is near to one of ours, because
 * a secret that broke into two lines looks like a name.
 */
import type { Command } from "commander";
import { addressesOf } from "../../config/addresses.ts";
import type { ServerVariables } from "../../config/load.ts";
import { findPublicUrl, readServerVariables, VARIABLES } from "../../config/load.ts";
import type { Environment, Source } from "../../config/sources.ts";
import { mergeSources } from "../../config/sources.ts";
import { findAmbiguous, findMistyped, findRisky } from "../../config/warnings.ts";
import { configInvalid, JanusError } from "../../errors.ts";
import { describeRules, findUntold, readConfiguration, readWithRules } from "../../operator/configuration.ts";
import { toJson } from "../../text/json_text.ts";
import { printable } from "../../text/printable.ts";
import type { askServers } from "../ask_servers.ts";
import { examples, readCommon, readSourcesFor } from "../command.ts";
import { endWithFindings, print, warnOfRisk } from "../output.ts";
import { formatTable } from "../table.ts";

/** Where a value is from. */
type Origin = "environment" | "env-file" | "default" | "unset";

/** A variable as it is in force. The value of a secret is `set` or `unset`. */
type InForce = {
  readonly name: string;
  readonly secret: boolean;
  readonly value: string | null;
  readonly from: Origin;
  /** The variable that names the file with the value. */
  readonly by?: string;
  readonly file?: string;
};

/** The settings in force, where to enter which address, and the warnings. */
type Report = {
  readonly variables: readonly InForce[];
  readonly addresses: AddressesByPlace;
  readonly warnings: readonly string[];
  readonly verdict: string;
};

type Answers = Awaited<ReturnType<typeof askServers>>;

/** Adds the command. */
export function addConfigCheck(program: Command): void {
  const config = program
    .command("config")
    .helpCommand(false)
    .description("check the configuration")
    .addHelpText("after", examples("janus config check"));
  config
    .command("check")
    .description(
      "print the settings in effect, the addresses to enter at Discord and at the provider, and warnings; never a secret",
    )
    .option("--ask", "ask Discord and the provider whether they accept the client ids and secrets")
    .addHelpText(
      "after",
      examples(
        "janus config check",
        "janus config check --ask                       exit code 1 if Discord or the provider says no",
        "janus config check --env-file .env --json",
      ),
    )
    .action(async ({ ask = false }: { readonly ask?: boolean }, command: Command) => {
      const sources = await readSourcesFor(command);
      const { json } = readCommon(command);
      if (json) await printJson(sources, ask);
      else await printReport(sources, ask);
    });
}

async function printJson(sources: readonly Source[], ask: boolean): Promise<void> {
  const { rules, ...report } = await checkAll(sources);
  const answers = ask ? await askAll(sources) : undefined;
  const verdict = `${report.verdict}${describeAnswers(answers)}`;
  await print(toJson({ ...report, rules, ...(answers === undefined ? {} : { answers }), verdict }, 2));
}

/** Prints the addresses even if the configuration is incomplete: an operator enters them to get the missing secrets. */
async function printReport(sources: readonly Source[], ask: boolean): Promise<void> {
  const publicUrl = findPublicUrl(mergeSources(sources));
  let report: Report & { readonly rules: string };
  try {
    report = await checkAll(sources);
  } catch (error) {
    if (publicUrl !== undefined) await print(formatAddresses(addressesByPlace(publicUrl)));
    throw error;
  }
  await print(
    `${formatSettings(report.variables)}\n\n${formatAddresses(report.addresses)}\n\nThe rules in force: ${report.rules}`,
  );
  const answers = ask ? await askAll(sources) : undefined;
  if (answers !== undefined) await print(`\n${answers.map(formatAnswer).join("\n")}`);
  for (const warning of report.warnings) await warnOfRisk(warning, false);
  await print(`\n${report.verdict}${describeAnswers(answers)}`);
}

const formatAnswer = ({ question, answer, reason }: Answers[number]): string =>
  `${question} ${answer}${reason === undefined ? "" : `: ${reason}`}`;

/** Asks the other servers. A no is a finding. */
async function askAll(sources: readonly Source[]): Promise<Answers> {
  const { askServers } = await import("../ask_servers.ts");
  const answers = await askServers(await readConfiguration(mergeSources(sources)));
  if (answers.some(({ answer }) => answer === "no")) endWithFindings();
  return answers;
}

function describeAnswers(answers: Answers | undefined): string {
  if (answers === undefined) return "";
  if (answers.some(({ answer }) => answer === "no")) return " Not every other server accepts it: see above.";
  return answers.every(({ answer }) => answer === "yes") ? " The other servers accept it." : "";
}

/** The same with the rules, and with the faults of both. */
async function checkAll(sources: readonly Source[]): Promise<Report & { readonly rules: string }> {
  const environment = mergeSources(sources);
  const { read, rules } = await readWithRules(environment, () => checkConfig(sources));
  const warnings = [...read.warnings, ...findUntold(rules, environment)];
  return { ...read, warnings, verdict: describeVerdict(warnings.length), rules: describeRules(rules) };
}

/** Checks the variables of `serve`. Throws config_invalid with its message, and with what may be behind a fault. */
export function checkConfig(sources: readonly Source[]): Report {
  const misread = [...findMistyped(sources), ...findAmbiguous(sources)];
  const values = readOrExplain(mergeSources(sources), misread);
  const warnings = [...misread, ...findRisky(values, sources)];
  return {
    variables: VARIABLES.map((variable) => describe(variable, values, sources)),
    addresses: { ...addressesByPlace(values.PUBLIC_URL), doorbells: openDoorbells(values) },
    warnings,
    verdict: describeVerdict(warnings.length),
  };
}

function describeVerdict(warnings: number): string {
  if (warnings === 0) return "The configuration is complete.";
  return `The configuration is complete, with ${warnings === 1 ? "1 warning" : `${warnings} warnings`}.`;
}

/** The addresses to enter, by the places that they belong to. */
function addressesByPlace(publicUrl: string) {
  const { discordCallback, login, linkedRole, providerCallback } = addressesOf(publicUrl);
  return {
    discord_redirects: [discordCallback, login],
    discord_linked_roles_verification_url: linkedRole,
    provider_redirect: providerCallback,
  };
}

type AddressesByPlace = ReturnType<typeof addressesByPlace> & { readonly doorbells?: Doorbells };

/** Where other servers tell what has changed: the address of each doorbell that is open, by its name. */
type Doorbells = Partial<Readonly<Record<keyof typeof DOORBELL_PLACES, string>>>;

const DOORBELL_PLACES = {
  discord_events: "Discord: Webhooks, Endpoint URL",
  discord_interactions: "Discord: General Information, Interactions Endpoint URL",
  backchannel_logout: "The provider: back-channel logout URI, if it has one",
  scim: "The SCIM client: base URL",
  recheck_hook: "Programs that say whom to look at: the hook",
} as const;

function openDoorbells(values: ServerVariables): Doorbells {
  const { discordEvents, discordInteractions, backChannelLogout, scim, recheckHook } = addressesOf(
    values.PUBLIC_URL,
  );
  return {
    ...(values.DISCORD_PUBLIC_KEY !== undefined && {
      discord_events: discordEvents,
      discord_interactions: discordInteractions,
    }),
    backchannel_logout: backChannelLogout,
    ...(values.SCIM_TOKEN !== undefined && { scim }),
    ...(values.HOOK_SECRET !== undefined && { recheck_hook: recheckHook }),
  };
}

function formatAddresses(addresses: AddressesByPlace): string {
  const rows = [
    ...addresses.discord_redirects.map((address) => ["Discord: OAuth2, Redirects", address]),
    [
      "Discord: General Information, Linked Roles Verification URL",
      addresses.discord_linked_roles_verification_url,
    ],
    ["The provider: redirect URL of the client", addresses.provider_redirect],
    ...Object.entries(DOORBELL_PLACES).flatMap(([name, place]) => {
      const [, address] = Object.entries(addresses.doorbells ?? {}).find(([open]) => open === name) ?? [];
      return address === undefined ? [] : [[place, address]];
    }),
  ];
  return `Enter these addresses, exactly as written:\n${formatTable(rows)}`;
}

/** A mistyped name often explains a missing variable, and a value that was cut often explains a malformed one. */
function readOrExplain(environment: Environment, misread: readonly string[]): ServerVariables {
  try {
    return readServerVariables(environment);
  } catch (error) {
    if (!(error instanceof JanusError) || misread.length === 0) throw error;
    throw configInvalid([error.message, ...misread].join("\n  "));
  }
}

function describe(
  { name, secret }: (typeof VARIABLES)[number],
  values: ServerVariables,
  sources: readonly Source[],
): InForce {
  const origin = findOrigin(name, secret, sources);
  if (secret) return { name, secret, value: origin ? "set" : "unset", from: "unset", ...origin };
  const value = Object.entries(values).find(([known]) => known === name)?.[1];
  const shown = value === undefined ? "" : format(value);
  return { name, secret, value: shown || null, from: shown ? "default" : "unset", ...origin };
}

/** The source that a variable is read from: the first that has it, and only if it is not empty there. */
function findOrigin(name: string, secret: boolean, sources: readonly Source[]) {
  for (const read of secret ? [name, `${name}_FILE`] : [name]) {
    const source = sources.find(({ variables }) => variables[read] !== undefined);
    if (source === undefined || source.variables[read] === "") continue;
    const from: Origin = source.file === undefined ? "environment" : "env-file";
    const file = source.file === undefined ? {} : { file: source.file };
    return { from, ...(read === name ? {} : { by: read }), ...file };
  }
  return undefined;
}

/** The value as it would be written in the environment. */
function format(value: Exclude<ServerVariables[keyof ServerVariables], undefined>): string {
  if (!Array.isArray(value)) return String(value);
  const parts: readonly unknown[] = value;
  if (!parts.every(Array.isArray)) return parts.join(" ");
  return String(new URLSearchParams(parts.map(([name, content]) => [String(name), String(content)])));
}

function formatSettings(variables: readonly InForce[]): string {
  return formatTable(
    variables.map((variable) => [
      variable.name,
      printable(variable.value ?? "unset"),
      formatOrigin(variable),
    ]),
  );
}

function formatOrigin({ from, by, file }: InForce): string {
  if (from === "unset") return "";
  const place = file === undefined ? from : `--env-file ${printable(file)}`;
  return by === undefined ? place : `${by} (${place})`;
}

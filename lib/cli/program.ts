/**
 * Makes one program of the commands: the options that all of them share, the help, and the answer to words that are not
 * understood. `commander` parses, suggests and explains; what it says is shown without characters that act on a terminal.
 */
import { Command, CommanderError } from "commander";
import { version } from "../../package.json" with { type: "json" };
import { usage } from "../errors.ts";
import { toJson } from "../text/json_text.ts";
import { printable } from "../text/printable.ts";
import type { AddCommand } from "./command.ts";
import { examples } from "./command.ts";

const HELP_COLUMNS = 100;
const MOST_ECHOED = 240;

/** The command that runs if none is named. */
const DEFAULT_COMMAND = "serve";
/** Options that stand for a command. */
const SHORTCUTS = [
  { option: "register", command: "register" },
  { option: "setup", command: "migrate" },
] as const;

/** Runs what the words ask for. Returns a help or the version, if they ask for that. Throws usage, and what a command throws. */
export async function runProgram(
  args: readonly string[],
  commands: readonly AddCommand[],
  json = false,
): Promise<string | undefined> {
  const said: string[] = [];
  const program = createProgram((text) => said.push(text));
  for (const add of commands) add(program);
  addHelp(program);
  explainFaults(program, "janus");
  let isVersion = false;
  try {
    await parse(program, args);
  } catch (error) {
    // commander stops so after it has printed a help or the version.
    if (!(error instanceof CommanderError)) throw error;
    isVersion = error.code === "commander.version";
  }
  if (said.length === 0) return undefined;
  const text = said.join("").trimEnd();
  if (!json) return text;
  return toJson(isVersion ? { version: text } : { help: text });
}

function createProgram(say: (text: string) => void): Command {
  const program = new Command("janus");
  const envFile = program
    .createOption("--env-file <path>", "read variables from a dotenv file; may be given more than once")
    .argParser((path: string, before: readonly string[] = []) => [...before, path]);
  const json = program.createOption("--json", "print the result as JSON");
  return program
    .description(`Janus ${version}: Discord linked roles from an OpenID Provider`)
    .helpOption("-h, --help", "print this help")
    .version(version, "-v, --version", "print the version")
    .option("-r, --register", "the same as register")
    .option("-s, --setup", "the same as migrate up; never removes anything")
    .addOption(envFile)
    .addOption(json)
    .helpCommand(false)
    .addHelpText("after", HELP_AFTER)
    .hook("preSubcommand", (_, named) => void readShortcut(program, named.name()))
    .configureOutput({ writeOut: say, writeErr: () => undefined, outputError: () => undefined })
    .configureOutput({ getOutHelpWidth: () => HELP_COLUMNS, getOutHasColors: () => false })
    .configureHelp({
      showGlobalOptions: true,
      visibleGlobalOptions: (command) => {
        if (command.parent === null) return [];
        return command.name() === DEFAULT_COMMAND ? [envFile] : [envFile, json];
      },
    });
}

/** Parses the words and runs their command. */
async function parse(program: Command, args: readonly string[]): Promise<void> {
  try {
    await program.parseAsync([...args], { from: "user" });
  } catch (error) {
    // commander would print its help where no command is named. It has a default, but none beside the shortcuts.
    if (!isWithoutCommand(error)) throw error;
    const name = readShortcut(program) ?? DEFAULT_COMMAND;
    await findCommand(program, name)?.parseAsync([], { from: "user" });
  }
}

const isWithoutCommand = (error: unknown): boolean =>
  error instanceof CommanderError && error.code === "commander.help";

/** The command that an option stands for. Throws usage if the words ask for another command as well. */
function readShortcut(program: Command, named?: string): string | undefined {
  const given = SHORTCUTS.filter(({ option }) => program.getOptionValue(option) === true);
  const asked = [...given.map(({ option }) => `--${option}`), ...(named === undefined ? [] : [named])];
  if (given.length > 0 && asked.length > 1)
    throw usage(`One command at a time, not ${asked.join(" and ")}.\nSee janus --help.`);
  return given[0]?.command;
}

/** Adds `janus help <command>`. */
function addHelp(program: Command): void {
  program
    .command("help")
    .argument("[command...]", "such as migrate, or config check")
    .description("explain a command")
    .action(async (names: readonly string[]) => {
      let found = program;
      for (const name of names) found = findCommand(found, name) ?? (await refuseCommand(found, name));
      found.outputHelp();
    });
}

const findCommand = (parent: Command, name: string): Command | undefined =>
  parent.commands.find((command) => command.name() === name);

/** Says that there is no such command. A group that parses the name says so itself, with a suggestion. */
async function refuseCommand(parent: Command, name: string): Promise<never> {
  if (parent.commands.length > 0) await parent.parseAsync([name], { from: "user" });
  return parent.error(`error: unknown command '${name}'`);
}

/** Makes each fault that commander finds one of ours, which names the command whose help to read. */
function explainFaults(command: Command, path: string): void {
  command.exitOverride((error) => {
    const isOurs = isWithoutCommand(error) && command.parent === null;
    if (error.exitCode === 0 || isOurs) throw error;
    throw usage(`${explainFault(error, command)}\nSee ${path} --help.`);
  });
  for (const child of command.commands) explainFaults(child, `${path} ${child.name()}`);
}

function explainFault(error: CommanderError, group: Command): string {
  if (isWithoutCommand(error))
    return `${group.name()} needs a command: ${group.commands.map((command) => command.name()).join(", ")}.`;
  const lines = error.message.slice(0, MOST_ECHOED).split("\n");
  return lines.map((line) => printable(line)).join("\n");
}

const HELP_AFTER = `${examples(
  "janus                             serve, with the configuration from the environment",
  "janus serve --env-file .env       serve, with the configuration from a file",
  'janus migrate status              what would "janus migrate" do?',
  "DISCORD_BOT_TOKEN_FILE=bot_token janus register",
  "janus explain --member anna       why does Anna have the role, or not?",
  "janus healthcheck --ready         can it serve members?",
  "janus links show anna             what is known of Anna's link?",
  "janus audit                       does a link or a grant need my attention?",
  "janus backup janus.backup         one file with all that is stored, while servers go on",
  "janus config check                which settings are in effect, and which of them are risky?",
  "janus keys generate >> .env       new TOKEN_KEYS and COOKIE_SECRET",
  "janus help keys generate          how to use a command",
)}

Exit codes: 0 done, 1 failed, 2 wrong usage or configuration.
The configuration is in environment variables: see example.env. A variable in the environment wins
over one in a file, and a later file wins over an earlier one.`;

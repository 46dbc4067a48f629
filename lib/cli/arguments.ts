/**
 * What may stand behind `janus`: commands, options, their help, and what to say of any other word. `commander` does
 * the parsing. Called by `cli.ts`, only where there is something to parse: loading commander takes time.
 */
import { Command, CommanderError, Option } from "commander";
import { version } from "../../package.json" with { type: "json" };
import { didYouMean } from "../config/suggestion.ts";
import { usage } from "../errors.ts";
import { printable } from "../text/printable.ts";
import type { KeyName } from "./commands/keys.ts";

/** What every command may be told. */
export type CommonOptions = { readonly envFile: readonly string[]; readonly json: boolean };

/** `up` applies migrations, `status` lists them. */
export type MigrateVerb = "up" | "status";

/** What the command line can do; each returns what is to be printed. */
export type Commands = {
  readonly serve: (options: CommonOptions) => Promise<string | undefined>;
  readonly migrate: (verb: MigrateVerb, options: CommonOptions) => Promise<string | undefined>;
  readonly register: (options: CommonOptions) => Promise<string | undefined>;
  readonly healthcheck: (options: CommonOptions & { readonly ready: boolean }) => Promise<string | undefined>;
  readonly audit: (options: CommonOptions & { readonly resolved?: string }) => Promise<string | undefined>;
  readonly checkConfig: (options: CommonOptions) => Promise<string | undefined>;
  readonly generateKeys: (
    options: CommonOptions & { readonly rotate: boolean; readonly only?: KeyName },
  ) => Promise<string | undefined>;
};

type Run = (work: () => Promise<string | undefined>) => Promise<void>;
type Given = CommonOptions & { readonly [option in keyof typeof FLAGS]: boolean } & {
  readonly only?: KeyName;
  readonly resolved?: string;
};

/** Options that say yes or nothing. */
const FLAGS = { json: false, ready: false, rotate: false, register: false, setup: false };

const HELP_COLUMNS = 100;
const MOST_ECHOED = 120;

/** Does what the arguments say. Returns what is to be printed. Throws usage, and what the command throws. */
export async function runArguments(args: readonly string[], commands: Commands): Promise<string | undefined> {
  const said: string[] = [];
  let result: string | undefined;
  const run: Run = async (work) => {
    result = await work();
  };
  const program = createProgram((text) => said.push(text));
  addCommands(program, commands, run);
  explainFaults(program, "janus");
  try {
    await program.parseAsync([...args], { from: "user" });
  } catch (error) {
    // How commander stops once it has printed a help or the version.
    if (!(error instanceof CommanderError)) throw error;
  }
  return said.length === 0 ? result : said.join("").trimEnd();
}

function createProgram(say: (text: string) => void): Command {
  const envFile = new Option(
    "--env-file <path>",
    "read variables from a dotenv file; may be given again",
  ).argParser((path: string, before: readonly string[] = []) => [...before, path]);
  const json = new Option("--json", "print the result as JSON");
  return new Command("janus")
    .description(`Janus ${version}: Discord linked roles from an OpenID Provider`)
    .helpOption("-h, --help", "print this")
    .version(version, "-v, --version", "print the version")
    .option("-r, --register", "the same as register")
    .option("-s, --setup", "the same as migrate up; never removes anything")
    .addOption(envFile)
    .addOption(json)
    .helpCommand(false)
    .configureOutput({ writeOut: say, writeErr: () => undefined, outputError: () => undefined })
    .configureOutput({ getOutHelpWidth: () => HELP_COLUMNS, getOutHasColors: () => false })
    .configureHelp({
      showGlobalOptions: true,
      visibleGlobalOptions: (command) => {
        if (command.parent === null) return [];
        return command.name() === "serve" ? [envFile] : [envFile, json];
      },
    });
}

function addCommands(program: Command, commands: Commands, run: Run): void {
  addServerCommands(program, commands, run);
  addConfigurationCommands(program, commands, run);
  program
    .command("help")
    .argument("[command...]", "such as migrate, or config check")
    .description("print how a command is used")
    .action((names: readonly string[]) => findCommand(program, names).outputHelp());
  program
    // Set last, since commands would inherit it: a word that is no command gets an answer of ours.
    .allowExcessArguments()
    .addHelpText("after", HELP_AFTER)
    .hook("preAction", (_, called) => refuseTwoCommands(optionsOf(program), called, program))
    .action(() => {
      const [word] = program.args;
      if (word !== undefined) throw unknownCommand(word, program, "janus");
      const options = optionsOf(program);
      if (options.register) return run(() => commands.register(options));
      if (options.setup) return run(() => commands.migrate("up", options));
      return run(() => commands.serve(options));
    });
}

function addServerCommands(program: Command, commands: Commands, run: Run): void {
  program
    .command("serve")
    .description("answer requests (the default)")
    .action((_, command: Command) => run(() => commands.serve(optionsOf(command))))
    .addHelpText("after", examples("janus serve", "janus serve --env-file /etc/janus.env"));
  program
    .command("migrate")
    .argument("[up|status]", "up: apply what is pending (the default); status: list it", readVerb, "up")
    .description("bring the database up to date, or say what is pending")
    .action((verb: MigrateVerb, _, command: Command) => run(() => commands.migrate(verb, optionsOf(command))))
    .addHelpText("after", examples("janus migrate", "janus migrate status --json"));
  program
    .command("register")
    .description("put the metadata records that linked roles are built on at Discord")
    .action((_, command: Command) => run(() => commands.register(optionsOf(command))))
    .addHelpText("after", examples("DISCORD_BOT_TOKEN=… janus register"));
  program
    .command("healthcheck")
    .option("--ready", "ask whether it can serve members, and say what is missing")
    .description("ask the server on this machine whether it is alive; exit code 0 or 1")
    .action((_, command: Command) => run(() => commands.healthcheck(optionsOf(command))))
    .addHelpText("after", examples("janus healthcheck", "PORT=8080 janus healthcheck --ready"));
  program
    .command("audit")
    .option(
      "--resolved <id>",
      "remove this Discord user from the list: you have taken their role away",
      readUserId,
    )
    .description("list links and grants that need your attention; the exit code is 1 if there are any")
    .action((_, command: Command) => run(() => commands.audit(optionsOf(command))))
    .addHelpText(
      "after",
      examples("janus audit", "janus audit --json", "janus audit --resolved 80351110224678912"),
    );
}

function addConfigurationCommands(program: Command, commands: Commands, run: Run): void {
  const config = program
    .command("config")
    .helpCommand(false)
    .description("look at the configuration")
    .addHelpText("after", examples("janus config check"));
  config
    .command("check")
    .description("print what is in force and where it is from, without secrets, and what is unwise about it")
    .action((_, command: Command) => run(() => commands.checkConfig(optionsOf(command))))
    .addHelpText("after", examples("janus config check", "janus config check --env-file .env --json"));
  const keys = program
    .command("keys")
    .helpCommand(false)
    .description("make keys")
    .addHelpText("after", examples("janus keys generate >> .env"));
  keys
    .command("generate")
    .option("--rotate", "print one new key, to put first in the TOKEN_KEYS that are in force")
    .option("--only <name>", "print the value of TOKEN_KEYS or COOKIE_SECRET alone, for a file", readKeyName)
    .description("print new TOKEN_KEYS and COOKIE_SECRET, as lines of a dotenv file")
    .action((_, command: Command) => run(() => commands.generateKeys(optionsOf(command))))
    .addHelpText(
      "after",
      examples(
        "janus keys generate >> .env",
        "janus keys generate --only TOKEN_KEYS > token_keys       what TOKEN_KEYS_FILE names",
        "janus keys generate --rotate --env-file .env",
      ),
    );
}

const optionsOf = (command: Command): Given => ({
  ...FLAGS,
  envFile: [],
  ...command.optsWithGlobals<Partial<Given>>(),
});

const examples = (...lines: readonly string[]): string =>
  `\nExamples:\n${lines.map((line) => `  ${line}`).join("\n")}`;

const HELP_AFTER = `${examples(
  "janus                             serve, with the configuration from the environment",
  "janus serve --env-file .env       serve, with the configuration from a file",
  'janus migrate status              what would "janus migrate" do?',
  "DISCORD_BOT_TOKEN=… janus register",
  "janus healthcheck --ready         can it serve members?",
  "janus audit                       does a link or a grant need my attention?",
  "janus config check                what is in force, and what is unwise about it?",
  "janus keys generate >> .env       new TOKEN_KEYS and COOKIE_SECRET",
  "janus help keys generate          how a command is used",
)}

Exit codes: 0 done, 1 failed, 2 wrong use or configuration.
The configuration is in environment variables: see example.env and the README. A variable of the
environment wins over one of a file, and a later file over an earlier one.`;

function readVerb(word: string): MigrateVerb {
  if (word === "up" || word === "status") return word;
  throw usage(
    `No such migration command: ${printable(word, MOST_ECHOED)}.${didYouMean(word, ["up", "status"])}\n` +
      "Use janus migrate up or janus migrate status.",
  );
}

function readUserId(word: string): string {
  if (/^[0-9]{1,20}$/.test(word)) return word;
  throw usage(
    `Not a Discord user id: ${printable(word, MOST_ECHOED)}.\nIt is a number, as janus audit lists it.`,
  );
}

function readKeyName(word: string): KeyName {
  if (word === "TOKEN_KEYS" || word === "COOKIE_SECRET") return word;
  const suggestion = didYouMean(word.toUpperCase(), ["TOKEN_KEYS", "COOKIE_SECRET"]);
  throw usage(
    `No such key: ${printable(word, MOST_ECHOED)}.${suggestion}\n` +
      "Use janus keys generate --only TOKEN_KEYS or --only COOKIE_SECRET.",
  );
}

function refuseTwoCommands({ register, setup }: Given, called: Command, program: Command): void {
  const options = [...(register ? ["--register"] : []), ...(setup ? ["--setup"] : [])];
  const asked = [...options, ...(called === program ? [] : [called.name()])];
  if (options.length === 0 || asked.length === 1) return;
  throw usage(`One command at a time, not ${asked.join(" and ")}.\nSee janus --help.`);
}

function findCommand(program: Command, names: readonly string[]): Command {
  let found = program;
  for (const name of names) {
    const next = found.commands.find((command) => command.name() === name);
    if (next === undefined) throw unknownCommand(name, found, pathOf(found));
    found = next;
  }
  return found;
}

const pathOf = (command: Command): string =>
  command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`;

function unknownCommand(word: string, command: Command, path: string) {
  const names = command.commands.map((known) => known.name());
  return usage(
    `No such command: ${printable(word, MOST_ECHOED)}.${didYouMean(word, names)}\nSee ${path} --help.`,
  );
}

/** Makes every fault that commander finds one of ours, which knows the command it is about. */
function explainFaults(command: Command, path: string): void {
  command.exitOverride((error) => {
    if (error.exitCode === 0) throw error;
    throw usage(`${explainFault(error, command, path)}\nSee ${path} --help.`);
  });
  for (const child of command.commands) explainFaults(child, `${path} ${child.name()}`);
}

function explainFault(error: CommanderError, command: Command, path: string): string {
  const names = command.commands.map((known) => known.name());
  // It would print its help as an error: what a group does alone.
  if (error.code === "commander.help") return `${path} needs a command: ${names.join(", ")}.`;
  const [, said = error.message, hint = ""] =
    /^([\s\S]*)\n\((Did you mean [\w, -]+\?)\)$/.exec(error.message) ?? [];
  const text = printable(said.replace(/^error: /, ""), MOST_ECHOED);
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.…]$/.test(text) ? "" : "."}${hint && ` ${hint}`}`;
}

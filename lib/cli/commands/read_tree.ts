/** Reads the commands of a program as data, for what shells complete and for the manual: see `command_tree.ts`. */
import type { Argument, Command, Option } from "commander";
import type { ArgumentNode, CommandNode, OptionNode, Value } from "../command_tree.ts";

/** The words by which the help names a file. */
const FILE = /<(path|file)>/;

/** The command with everything below it. The help shows neither more nor less. */
export function readTree(command: Command, parent?: string): CommandNode {
  const help = command.createHelp();
  const path = parent === undefined ? command.name() : `${parent} ${command.name()}`;
  const options = [...help.visibleOptions(command), ...help.visibleGlobalOptions(command)];
  return {
    path,
    name: command.name(),
    description: command.description(),
    usage: command.usage(),
    options: options.map(readOption),
    arguments: command.registeredArguments.map(readArgument),
    after: readAfter(command),
    commands: help.visibleCommands(command).map((child) => readTree(child, path)),
  };
}

function readOption({ short, long, flags, description, required, optional, argChoices }: Option): OptionNode {
  return {
    names: [long, short].filter((name) => name !== undefined),
    shown: flags,
    description,
    value: required || optional ? readValue(flags, argChoices) : undefined,
  };
}

function readArgument(argument: Argument): ArgumentNode {
  const { description, argChoices, required, variadic } = argument;
  const name = `${argument.name()}${variadic ? "..." : ""}`;
  return {
    shown: required ? `<${name}>` : `[${name}]`,
    description,
    value: readValue(argument.name(), argChoices),
  };
}

function readValue(shown: string, choices: readonly string[] | undefined): Value {
  if (choices !== undefined) return { kind: "choice", choices };
  return { kind: FILE.test(shown) ? "file" : "text" };
}

/** What the help has after its lists: what `addHelpText` has added. */
function readAfter(command: Command): string {
  const output = command.configureOutput();
  let said = "";
  const writeOut = (text: string): void => {
    said += text;
  };
  command.configureOutput({ ...output, writeOut });
  command.outputHelp();
  command.configureOutput(output);
  return said.slice(command.helpInformation().length).trim();
}

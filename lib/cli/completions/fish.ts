/** The completion script of fish, for fish 3 and later. It starts no program. */
import type { CommandNode, OptionNode, Value } from "../command_tree.ts";
import { listNodes, optionsWithValue } from "../command_tree.ts";

/** The script for the program. */
export function fishCompletions(root: CommandNode): string {
  const nodes = listNodes(root);
  const cases = nodes.flatMap((node) => [
    ...optionsWithValue(node).flatMap(({ names }) =>
      names.map((name) => `            case ${quote(`${node.path} ${name}`)}\n                set skip 1`),
    ),
    ...node.commands.map(
      ({ path }) => `            case ${quote(path)}\n                set path ${quote(path)}`,
    ),
  ]);
  return `# Completions of fish for ${root.name}: ${root.name} completions fish | source

# The command that the words before the cursor name.
function __${root.name}_path
    set -l words (commandline -opc)
    set -l path ${root.name}
    set -l skip 0
    for word in $words[2..-1]
        if test $skip = 1
            set skip 0
            continue
        end
        switch "$path $word"
${cases.join("\n")}
        end
    end
    echo $path
end

function __${root.name}_at
    test (__${root.name}_path) = "$argv[1]"
end

complete -c ${root.name} -f
${nodes.flatMap((node) => linesOf(root.name, node)).join("\n")}
`;
}

function linesOf(program: string, node: CommandNode): readonly string[] {
  const at = `complete -c ${program} -n ${quote(`__${program}_at ${quote(node.path)}`)}`;
  return [
    ...node.commands.map(({ name, description }) => `${at} -a ${quote(name)} -d ${quote(description)}`),
    ...node.options.map((option) => `${at} ${flagsOf(option)} -d ${quote(option.description)}`),
    ...node.arguments.flatMap(({ description, value }) =>
      value.kind === "choice" ? [`${at} -a ${quote(value.choices.join(" "))} -d ${quote(description)}`] : [],
    ),
  ];
}

function flagsOf({ names, value }: OptionNode): string {
  const flags = names.map((name) => (name.startsWith("--") ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`));
  return [...flags, ...flagOfValue(value)].join(" ");
}

/** \`-r\` takes a value, \`-F\` a file, and \`-x\` a value that is no file. */
function flagOfValue(value: Value | undefined): readonly string[] {
  if (value === undefined) return [];
  if (value.kind === "file") return ["-r", "-F"];
  return value.kind === "choice" ? ["-x", `-a ${quote(value.choices.join(" "))}`] : ["-x"];
}

const quote = (text: string): string => `'${text.replaceAll(/[\\']/g, (one) => `\\${one}`)}'`;

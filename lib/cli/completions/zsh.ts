/** The completion script of zsh. It stands in a folder of `$fpath` as `_janus`, or is sourced. It starts no program. */
import type { CommandNode, OptionNode, Value } from "../command_tree.ts";
import { listNodes } from "../command_tree.ts";

/** The script for the program. */
export function zshCompletions(root: CommandNode): string {
  return `#compdef ${root.name}
# Completions of zsh for ${root.name}: source <(${root.name} completions zsh)

${listNodes(root).map(functionOf).join("\n\n")}

if [ "$funcstack[1]" = _${root.name} ]; then
  _${root.name} "$@"
else
  compdef _${root.name} ${root.name}
fi
`;
}

const nameOf = ({ path }: CommandNode): string => `_${path.replaceAll(/[^a-z]/g, "_")}`;

/** One function for each command: its options, and then its arguments or the commands below it. */
function functionOf(node: CommandNode): string {
  return node.commands.length === 0 ? leafOf(node) : groupOf(node);
}

function leafOf(node: CommandNode): string {
  const specs = [
    ...node.options.flatMap(specsOf),
    ...node.arguments.map(({ description, value }) => quote(`:${escaped(description)}:${actionOf(value)}`)),
  ];
  // Without a spec, _arguments would fail.
  if (specs.length === 0) return `${nameOf(node)}() { _message 'nothing more' }`;
  return `${nameOf(node)}() {
  _arguments ${specs.join(" \\\n    ")}
}`;
}

function groupOf(node: CommandNode): string {
  const specs = [...node.options.flatMap(specsOf), "'1: :->command'", "'*:: :->rest'"];
  const described = node.commands.map(({ name, description }) => quote(`${name}:${description}`));
  const cases = node.commands.map((child) => `${child.name}) ${nameOf(child)} ;;`);
  return `${nameOf(node)}() {
  local curcontext=$curcontext state line
  typeset -A opt_args
  _arguments -C ${specs.join(" \\\n    ")}
  case $state in
    command)
      local -a commands=(
        ${described.join("\n        ")}
      )
      _describe command commands
      ;;
    rest)
      case $words[1] in
        ${cases.join("\n        ")}
      esac
      ;;
  esac
}`;
}

/** An option may come again, as \`--env-file\` does: zsh need not know which. */
function specsOf({ names, description, value }: OptionNode): readonly string[] {
  const tail = value === undefined ? "" : `:${escaped("value")}:${actionOf(value)}`;
  return names.map((name) => {
    const joined = value !== undefined && name.startsWith("--") ? `${name}=` : name;
    return quote(`*${joined}[${escaped(description)}]${tail}`);
  });
}

function actionOf(value: Value): string {
  if (value.kind === "file") return "_files";
  return value.kind === "choice" ? `(${value.choices.join(" ")})` : " ";
}

const escaped = (text: string): string => text.replaceAll(/[[\]:\\]/g, (one) => `\\${one}`);
const quote = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

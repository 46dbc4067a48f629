/** The completion script of bash, for bash 4 and later. It needs no other file, and starts no program. */
import type { CommandNode, Value } from "../command_tree.ts";
import { listNodes, optionsWithValue } from "../command_tree.ts";

/** The script for the program. */
export function bashCompletions(root: CommandNode): string {
  const nodes = listNodes(root);
  return `# Completions of bash for ${root.name}: source <(${root.name} completions bash)

_${root.name}_words() {
  case $1 in
${nodes.map(caseOfWords).join("\n")}
  esac
}

_${root.name}_values() {
  case "$1 $2" in
${nodes.flatMap(casesOfValues).join("\n")}
  esac
}

_${root.name}() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD - 1]}
  local path=${root.name} commands options arguments values choices word i
  # bash makes three words of --name=value.
  if [ "$cur" = = ]; then
    cur=
  elif [ "$prev" = = ]; then
    prev=\${COMP_WORDS[COMP_CWORD - 2]}
  fi
  _${root.name}_words "$path"
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    if [[ " $values " == *" $word "* ]]; then
      [ "\${COMP_WORDS[i + 1]}" = = ] && i=$((i + 1))
      i=$((i + 1))
    elif [[ " $commands " == *" $word "* ]]; then
      path="$path $word"
      _${root.name}_words "$path"
    fi
  done
  COMPREPLY=()
  if [[ " $values " == *" $prev "* ]]; then
    choices=
    _${root.name}_values "$path" "$prev"
    if [ "$choices" = : ]; then
      compopt -o filenames 2>/dev/null
      mapfile -t COMPREPLY < <(compgen -f -- "$cur")
    elif [ -n "$choices" ]; then
      mapfile -t COMPREPLY < <(compgen -W "$choices" -- "$cur")
    fi
  elif [[ $cur == -* ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$options" -- "$cur")
  else
    mapfile -t COMPREPLY < <(compgen -W "$commands $arguments" -- "$cur")
  fi
}

complete -F _${root.name} ${root.name}
`;
}

function caseOfWords(node: CommandNode): string {
  const commands = node.commands.map(({ name }) => name);
  const options = node.options.flatMap(({ names }) => names);
  const words = node.arguments.flatMap(({ value }) => (value.kind === "choice" ? value.choices : []));
  const values = optionsWithValue(node).flatMap(({ names }) => names);
  return `    ${quote(node.path)}) commands=${list(commands)} options=${list(options)} arguments=${list(words)} values=${list(values)} ;;`;
}

const casesOfValues = (node: CommandNode): readonly string[] =>
  optionsWithValue(node)
    .filter(({ value }) => value.kind !== "text")
    .flatMap(({ names, value }) =>
      names.map((name) => `    ${quote(`${node.path} ${name}`)}) choices=${choicesOf(value)} ;;`),
    );

/** A colon stands for files, since no choice is one. */
const choicesOf = (value: Value): string => (value.kind === "choice" ? list(value.choices) : ":");

const list = (words: readonly string[]): string => quote(words.join(" "));
const quote = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

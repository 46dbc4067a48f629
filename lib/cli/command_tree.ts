/**
 * The commands of the program as plain data: what a shell can complete, and what a manual describes. The help is made of the
 * same program, so that none of them has to be kept up. `commands/read_tree.ts` reads it.
 */

/** The value of an option or of an argument. */
export type Value =
  /** One of these words. */
  | { readonly kind: "choice"; readonly choices: readonly string[] }
  /** The path of a file. */
  | { readonly kind: "file" }
  /** A text that no shell can know. */
  | { readonly kind: "text" };

/** An option, such as `-y, --yes`. */
export type OptionNode = {
  /** `--yes` and `-y`, the long one first. */
  readonly names: readonly string[];
  /** As the help has it: `--until <end>`. */
  readonly shown: string;
  readonly description: string;
  /** Undefined for an option that stands alone. */
  readonly value: Value | undefined;
};

/** An argument, such as `[up|status]`. */
export type ArgumentNode = { readonly shown: string; readonly description: string; readonly value: Value };

/** A command, with those below it. */
export type CommandNode = {
  /** `janus keys rotate` */
  readonly path: string;
  readonly name: string;
  readonly description: string;
  /** The options and arguments in the line of its usage. */
  readonly usage: string;
  readonly options: readonly OptionNode[];
  readonly arguments: readonly ArgumentNode[];
  /** Examples, and what else the help ends with. */
  readonly after: string;
  readonly commands: readonly CommandNode[];
};

/** The command and all below it, in the order of the help. */
export function listNodes(node: CommandNode): readonly CommandNode[] {
  return [node, ...node.commands.flatMap(listNodes)];
}

/** A command's options that take a value. */
export const optionsWithValue = (node: CommandNode): readonly (OptionNode & { readonly value: Value })[] =>
  node.options.flatMap(({ value, ...option }) => (value === undefined ? [] : [{ ...option, value }]));

/**
 * The same tree where `help` is followed by the name of a command. So a shell completes `janus help keys` without knowing
 * that it is an argument.
 */
export function withHelpWords(root: CommandNode): CommandNode {
  const wordsOf = (node: CommandNode, path: string): CommandNode => ({
    ...node,
    path,
    options: [],
    arguments: [],
    commands: node.commands.map((child) => wordsOf(child, `${path} ${child.name}`)),
  });
  const explained = root.commands.filter(({ name }) => name !== "help");
  return {
    ...root,
    commands: root.commands.map((node) =>
      node.name === "help"
        ? {
            ...node,
            arguments: [],
            commands: explained.map((child) => wordsOf(child, `${node.path} ${child.name}`)),
          }
        : node,
    ),
  };
}

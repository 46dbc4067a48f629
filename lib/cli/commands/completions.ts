/** `janus completions`: prints what makes a shell complete the words of `janus`, made of the same program as the help. */
import type { Command } from "commander";
import { toJson } from "../../text/json_text.ts";
import { examples, readCommon } from "../command.ts";
import { withHelpWords } from "../command_tree.ts";
import { bashCompletions } from "../completions/bash.ts";
import { fishCompletions } from "../completions/fish.ts";
import { zshCompletions } from "../completions/zsh.ts";
import { print } from "../output.ts";
import { readTree } from "./read_tree.ts";

const SCRIPTS = { bash: bashCompletions, zsh: zshCompletions, fish: fishCompletions } as const;
type Shell = keyof typeof SCRIPTS;
const SHELLS = ["bash", "zsh", "fish"] as const satisfies readonly Shell[];

/** Adds the command. */
export function addCompletions(program: Command): void {
  const shell = program.createArgument("<shell>", "bash, zsh or fish").choices(SHELLS);
  program
    .command("completions")
    .addArgument(shell)
    .description("print a script that makes a shell complete commands and options")
    .addHelpText(
      "after",
      examples(
        "source <(janus completions bash)",
        "janus completions zsh > ~/.zfunc/_janus",
        "janus completions fish > ~/.config/fish/completions/janus.fish",
      ),
    )
    .action(async (shell: Shell, _: unknown, command: Command) => {
      const script = SCRIPTS[shell](withHelpWords(readTree(program))).trimEnd();
      await print(readCommon(command).json ? toJson({ script }) : script);
    });
}

/** `janus man`: prints the manual, made of the same program as the help. */
import type { Command } from "commander";
import { toJson } from "../../text/json_text.ts";
import { examples, readCommon } from "../command.ts";
import { manPage } from "../man_page.ts";
import { print } from "../output.ts";
import { readTree } from "./read_tree.ts";

/** Adds the command. */
export function addMan(program: Command): void {
  program
    .command("man")
    .description("print the manual, for man to show")
    .addHelpText("after", examples("janus man | man -l -", "janus man > /usr/local/share/man/man1/janus.1"))
    .action(async (_: unknown, command: Command) => {
      const page = manPage(readTree(program)).trimEnd();
      await print(readCommon(command).json ? toJson({ page }) : page);
    });
}

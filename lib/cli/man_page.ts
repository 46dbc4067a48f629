/** The manual as `man` reads it: the help of every command on one page, in section 1. */
import { version } from "../../package.json" with { type: "json" };
import type { ArgumentNode, CommandNode, OptionNode } from "./command_tree.ts";
import { listNodes } from "./command_tree.ts";

/** The page for the program. It has no date, so that a build can be repeated. */
export function manPage(root: CommandNode): string {
  const { name } = root;
  const [title = "", purpose = ""] = root.description.split(": ");
  const commands = listNodes(root).slice(1);
  return [
    `.TH ${name.toUpperCase()} 1 "" "${roff(title)}" "User Commands"`,
    ".SH NAME",
    `${name} \\- ${roff(purpose)}`,
    ".SH SYNOPSIS",
    `.B ${name}`,
    roff(root.usage),
    ".SH OPTIONS",
    roff("Each command takes --env-file and --help, and each but serve takes --json."),
    ...root.options.flatMap(entryOf),
    ".SH COMMANDS",
    ...commands.flatMap((node) => sectionOf(node, root)),
    ".SH EXAMPLES AND EXIT CODES",
    ...asItIs(root.after),
    ".SH ENVIRONMENT",
    roff("Every setting is an environment variable, or in a file that --env-file names."),
    roff("janus config check prints those in effect, and where each comes from."),
    roff("JANUS_OPERATOR names the operator in the audit trail."),
    ".SH VERSION",
    `${name} ${roff(version)}`,
    "",
  ].join("\n");
}

/** What every command has stands once, at the beginning. */
function sectionOf(node: CommandNode, root: CommandNode): readonly string[] {
  const common = root.options.map(({ shown }) => shown);
  const entries = [...node.arguments, ...node.options.filter(({ shown }) => !common.includes(shown))];
  return [
    `.SS ${roff(node.path)} ${roff(node.usage)}`,
    `${roff(sentence(node.description))}`,
    ...entries.flatMap(entryOf),
    ...(node.after === "" ? [] : [".PP", ...asItIs(node.after)]),
  ];
}

const sentence = (text: string): string => `${text.slice(0, 1).toUpperCase()}${text.slice(1)}.`;

const entryOf = ({ shown, description }: OptionNode | ArgumentNode): readonly string[] => [
  ".TP",
  `.B ${roff(shown)}`,
  roff(description),
];

/** Lines that stay as they are. */
const asItIs = (text: string): readonly string[] => [
  ".nf",
  ...text.split("\n").map((line) => roff(line)),
  ".fi",
];

/** Text that troff takes for text: a backslash, a hyphen that may be typed, and a line that would be a request. */
function roff(text: string): string {
  const escaped = text.replaceAll("\\", "\\(rs").replaceAll("-", "\\-").replaceAll('"', "\\(dq");
  return /^[.']/.test(escaped) ? `\\&${escaped}` : escaped;
}

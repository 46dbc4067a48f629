/**
 * The part of CEL that rules may use, and what an expression reads. A rule runs for every member, over claims that other
 * people write, so everything is refused whose work cannot be limited before it runs. docs/decisions/0039
 */
import { printable } from "../text/printable.ts";
import type { ExpressionFault, Node } from "./cel.ts";

/** What an expression reads, found in its syntax tree. */
export type Reads = {
  readonly claims: readonly string[];
  readonly sources: readonly string[];
  /** Whether it reads `discord` or `linked_at`, which Janus knows later than the claims. */
  readonly account: boolean;
};

/** Macros: they run an expression for each element of a list. */
const MACROS: readonly string[] = ["exists", "all", "exists_one", "filter"];

const FUNCTIONS: readonly string[] = [
  "has",
  "size",
  "int",
  "double",
  "string",
  "bool",
  "timestamp",
  "duration",
  "dyn",
  "startsWith",
  "endsWith",
  "contains",
  "lowerAscii",
  "upperAscii",
  "trim",
  "split",
  "indexOf",
  "lastIndexOf",
  "substring",
  "getFullYear",
  "getMonth",
  "getDate",
  "getDayOfMonth",
  "getDayOfWeek",
  "getHours",
  "getMinutes",
  "getSeconds",
  "getMilliseconds",
];

/** Functions whose first argument must stand in the rule, since a text from outside could make them slow. */
const LITERAL_ARGUMENT: readonly string[] = ["contains", "split", "indexOf", "lastIndexOf", "duration"];

/** The library reads a length of time bit by bit, and for a long text that takes without end. */
const DURATION = /^-?(?:\d{1,9}(?:\.\d{1,9})?(?:h|m|s|ms|us|ns)){1,3}$/;

/** Functions that the language has and rules have not, with what to use. */
const REFUSED: Readonly<Record<string, string>> = {
  matches: "a regular expression can hold the process: use startsWith(), endsWith() or contains()",
  map: "use exists(), all() or filter()",
  join: "use exists() or contains()",
  bind: "write the expression twice, or use two records",
  getDayOfYear: "it is wrong where clocks change: compare getMonth() and getDate()",
};

const VARIABLES: readonly string[] = [
  "claims",
  "sources",
  "issuer",
  "subject",
  "discord",
  "linked_at",
  "now",
];
const DISCORD_FIELDS: readonly string[] = ["id", "username", "created_at"];

/** The first fault of a tree, if it has one. */
type Fault = ExpressionFault | undefined;
type Found = { readonly claims: Set<string>; readonly sources: Set<string>; account: boolean };
/** Where a node stands: within a macro, and then with which variable. */
type Place = {
  readonly found: Found;
  readonly loop: string | undefined;
  readonly sourceNames: readonly string[];
};

/** What an expression reads, or its first fault. `sourceNames` are the sources that the file declares. */
export function findReads(root: Node, sourceNames: readonly string[]): Reads | ExpressionFault {
  const found: Found = { claims: new Set(), sources: new Set(), account: false };
  const fault = walk(root, { found, loop: undefined, sourceNames });
  if (fault !== undefined) return fault;
  return { claims: [...found.claims], sources: [...found.sources], account: found.account };
}

function walk(node: Node, place: Place): Fault {
  switch (node.op) {
    case "value":
      return isBare(node.args)
        ? undefined
        : refuse(node, "bytes and unsigned numbers are not available in rules");
    case "id":
      return walkVariable(node, node.args, place);
    case ".":
      return walkAccess(node, node.args[0], node.args[1], place);
    case "[]":
      if (isNamed(node.args[0], place)) return walkAccess(node, node.args[0], textOf(node.args[1]), place);
      return walkAll([node.args[0], node.args[1]], place);
    case ".?":
    case "[?]":
      return refuse(node, "optional values are not available in rules: use has()");
    case "call":
      return walkCall(node, node.args[0], undefined, node.args[1], place);
    case "rcall":
      return walkCall(node, node.args[0], node.args[1], node.args[2], place);
    case "list":
      return walkLiteral(node, node.args, place);
    case "map":
      return walkLiteral(node, node.args.flat(), place);
    case "!_":
    case "-_":
      return walk(node.args, place);
    case "in":
      return walkIn(node.args[0], node.args[1], place);
    case "+":
      if (place.loop !== undefined && !isConstant(node))
        return refuse(node, "+ is not available within a macro: compare the parts one by one");
      return walkAll(node.args, place);
    default:
      return walkAll(node.args, place);
  }
}

function walkAll(nodes: readonly Node[], place: Place): Fault {
  for (const node of nodes) {
    const fault = walk(node, place);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

function walkVariable(node: Node, name: string, { found, loop }: Place): Fault {
  if (name === loop || name === "issuer" || name === "subject" || name === "now") return undefined;
  if (name === "linked_at") {
    found.account = true;
    return undefined;
  }
  if (name === "claims" || name === "sources" || name === "discord")
    return refuse(node, `name the part of ${name} that the rule reads, such as ${EXAMPLES[name]}`);
  if (loop !== undefined && !VARIABLES.includes(name))
    return refuse(
      node,
      `${name} is not known here: a macro reads its own variable ${loop}, issuer, subject, discord, linked_at and now`,
    );
  return refuse(node, `${name} is not a variable: there are ${VARIABLES.join(", ")}`);
}

const EXAMPLES = { claims: "claims.groups", sources: "sources.graph", discord: "discord.username" } as const;

/** One of the variables whose parts have names. A macro's own variable may not have such a name. */
function isNamed(node: Node, { loop }: Place): boolean {
  return node.op === "id" && node.args !== loop && Object.hasOwn(EXAMPLES, node.args);
}

/** `base.name` or `base["name"]`; undefined for a name that is computed. */
function walkAccess(node: Node, base: Node, name: string | undefined, place: Place): Fault {
  if (base.op !== "id" || !isNamed(base, place)) return walk(base, place);
  const variable = base.args;
  if (name === undefined)
    return refuse(node, `${variable}[…] needs a name in quotes: a computed name could be any`);
  if (variable === "discord") {
    if (!DISCORD_FIELDS.includes(name))
      return refuse(node, `discord.${name} does not exist: there are ${DISCORD_FIELDS.join(", ")}`);
    place.found.account = true;
    return undefined;
  }
  if (place.loop !== undefined)
    return refuse(
      node,
      `${variable} cannot be read within a macro, where it would be read once for each element`,
    );
  if (variable === "sources" && !place.sourceNames.includes(name))
    return refuse(node, `sources.${name} is not declared: add a [[source]] with name = "${name}"`);
  place.found[variable === "claims" ? "claims" : "sources"].add(name);
  return undefined;
}

/** `"name" in claims` is the same as has(claims.name), for names that has() cannot write. */
function walkIn(left: Node, right: Node, place: Place): Fault {
  const name = textOf(left);
  if (right.op === "id" && isNamed(right, place) && name !== undefined)
    return walkAccess(right, right, name, place);
  return walkAll([left, right], place);
}

function walkCall(
  node: Node,
  name: string,
  receiver: Node | undefined,
  parameters: readonly Node[],
  place: Place,
): Fault {
  if (receiver !== undefined && MACROS.includes(name)) return walkMacro(name, receiver, parameters, place);
  const fault = checkCall(node, name, parameters[0], place);
  return fault ?? walkAll(receiver === undefined ? parameters : [receiver, ...parameters], place);
}

/** Whether rules have this function, and may call it with this first argument. */
function checkCall(node: Node, name: string, first: Node | undefined, place: Place): Fault {
  if (!FUNCTIONS.includes(name)) {
    const instead = Object.hasOwn(REFUSED, name)
      ? `: ${REFUSED[name]}`
      : " (docs/rules.md lists the functions)";
    return refuse(node, `${name}() is not available in rules${instead}`);
  }
  if (place.loop !== undefined && name === "split")
    return refuse(node, "split() is not available within a macro: use contains()");
  if (LITERAL_ARGUMENT.includes(name)) return checkLiteral(node, name, first);
  if (name === "has" && first?.op === "[]")
    return refuse(first, 'has() needs a name after a dot: for other names write "the name" in claims');
  return name.startsWith("get") && first !== undefined ? checkTimeZone(name, first, place) : undefined;
}

function checkLiteral(node: Node, name: string, first: Node | undefined): Fault {
  const text = first === undefined ? undefined : textOf(first);
  if (text === undefined) return refuse(first ?? node, `${name}() needs a text in quotes as its argument`);
  return name === "duration" && !DURATION.test(text)
    ? refuse(first ?? node, 'duration() needs one to three lengths of time, such as "720h" or "1h30m"')
    : undefined;
}

function checkTimeZone(name: string, zone: Node, { loop }: Place): Fault {
  if (loop !== undefined)
    return refuse(zone, `${name}() with a time zone is not available within a macro: it is slow`);
  try {
    new Intl.DateTimeFormat("en", { timeZone: textOf(zone) ?? "" });
    return undefined;
  } catch {
    return refuse(zone, `${name}() needs the name of a time zone in quotes, such as "Europe/Stockholm"`);
  }
}

function walkMacro(name: string, over: Node, parameters: readonly Node[], place: Place): Fault {
  const [variable, body, ...more] = parameters;
  if (variable?.op !== "id" || body === undefined || more.length > 0)
    return refuse(over, `${name}() needs a variable and a condition, such as ${name}(g, g == "staff")`);
  if (VARIABLES.includes(variable.args) || variable.args === place.loop)
    return refuse(variable, `${variable.args} is already the name of a variable: choose another one`);
  if (place.loop !== undefined && rootOf(over) !== place.loop)
    return refuse(
      over,
      `within a macro, ${name}() can only run over a part of ${place.loop}, or the work would grow with the square of the claims`,
    );
  return walk(over, place) ?? walk(body, { ...place, loop: variable.args });
}

const refuse = (node: Node, reason: string): ExpressionFault => ({
  offset: node.start,
  reason: printable(reason),
});

/** The elements of a literal. Within a macro they must be constant, so that values cannot grow from macro to macro. */
function walkLiteral(node: Node, parts: readonly Node[], place: Place): Fault {
  if (place.loop !== undefined && !parts.every(isConstant))
    return refuse(node, "within a macro, a list or a map can only have constant parts");
  return walkAll(parts, place);
}

/** The variable that a chain such as `g.a["b"]` begins with; undefined for anything else. */
function rootOf(node: Node): string | undefined {
  if (node.op === "id") return node.args;
  if (node.op === "." || node.op === "[]") return rootOf(node.args[0]);
  return node.op === "rcall" && node.args[0] === "filter" ? rootOf(node.args[1]) : undefined;
}

/** Whether a node is the same whatever the claims are: values, and literals and signs of them. */
export function isConstant(node: Node): boolean {
  if (node.op === "value") return true;
  if (node.op === "list") return node.args.every(isConstant);
  if (node.op === "map") return node.args.flat().every(isConstant);
  if (node.op === "+") return node.args.every(isConstant);
  return node.op === "-_" && isConstant(node.args);
}

/** What a macro runs over, and its condition; undefined if a node is no macro. */
export function macroOf(node: Node): { readonly over: Node; readonly body: Node } | undefined {
  if (node.op !== "rcall" || !MACROS.includes(node.args[0])) return undefined;
  const [, over, [, body]] = node.args;
  return body === undefined ? undefined : { over, body };
}

/** The text that a node is, if it is one in quotes. */
export function textOf(node: Node): string | undefined {
  return node.op === "value" && typeof node.args === "string" ? node.args : undefined;
}

const isBare = (value: unknown): boolean => typeof value !== "object" || value === null;

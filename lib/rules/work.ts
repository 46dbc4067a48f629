/**
 * How much work an expression can be, found before it runs: from its syntax tree, and from the size of the claims that it
 * reads. `subset.ts` has refused what grows faster than the claims. One unit is about a tenth of a microsecond, the time of
 * one node of the tree. The figures were measured, and rounded up; decision 0039 has them.
 */
import type { Node } from "./cel.ts";
import { childrenOf } from "./cel.ts";
import { isConstant, macroOf, textOf } from "./subset.ts";

/** Units: once, for each element of the lists and maps that are read, and for each character of their texts. */
export type Work = {
  readonly once: number;
  readonly perElement: number;
  /** The same where every element is a text, as groups are: then the functions of texts do not fail. */
  readonly perText: number;
  readonly perCharacter: number;
};

/** The size of a value. */
export type Size = {
  readonly elements: number;
  readonly characters: number;
  /** Whether it is made of texts and lists of texts alone. */
  readonly isOfTexts: boolean;
};

/** One evaluation of all rules of a member may take so much, some 30 milliseconds. */
export const MAX_WORK = 300_000;

/** What an expression may take before it reads a claim, so that all seven of a file can run. */
export const MAX_WORK_ALONE = 40_000;

/** An error is made, and thrown, for each element where a rule meets values that it does not expect. */
const THROW = 12;
const TIME_ZONE = 1_000;
const DURATION = 20;

/** Units for each element, and for each character, of what an operation reads. */
const LINEAR: Readonly<Record<string, readonly [element: number, character: number]>> = {
  in: [1, 0.02],
  "==": [1, 0.02],
  "!=": [1, 0.02],
  "+": [2, 0.02],
  "<": [0, 0.02],
  "<=": [0, 0.02],
  ">": [0, 0.02],
  ">=": [0, 0.02],
  size: [1, 0.05],
  startsWith: [0, 0.02],
  endsWith: [0, 0.02],
  contains: [0, 0.05],
  indexOf: [0, 0.05],
  lastIndexOf: [0, 0.05],
  lowerAscii: [0, 0.1],
  upperAscii: [0, 0.1],
  trim: [0, 0.05],
  split: [0, 1],
  string: [0, 0.02],
  double: [0, 0.05],
  substring: [0, 0.02],
};
/** More for each character of the text that is looked for, since a hostile text can match all but its end everywhere. */
const SEARCH_PER_CHARACTER = 1 / 500;

type Tally = { once: number; perElement: number; perText: number; perCharacter: number; growth: number };

/** What an expression can cost. */
export function findWork(root: Node): Work {
  const tally: Tally = { once: 0, perElement: 0, perText: 0, perCharacter: 0, growth: 1 };
  count(root, tally, { each: "outside", times: 1 });
  const { once, perElement, perText, perCharacter, growth } = tally;
  return {
    once,
    perElement: perElement * growth,
    perText: perText * growth,
    perCharacter: perCharacter * growth,
  };
}

/** The units of a run over claims of this size. */
export function unitsOf(work: Work, { elements, characters, isOfTexts }: Size): number {
  const perElement = isOfTexts ? work.perText : work.perElement;
  return work.once + perElement * elements + work.perCharacter * characters;
}

/** How often a node runs: so many times, or that often for each element, or for each part of a text that was split. */
type Place = { readonly each: "outside" | "element" | "part" | "constant"; readonly times: number };

const TALLIED_AS = {
  outside: "once",
  element: "perElement",
  part: "perCharacter",
  constant: "once",
} as const;

function count(node: Node, tally: Tally, place: Place): void {
  countNode(node, tally, place);
  const macro = macroOf(node);
  for (const child of macro === undefined ? childrenOf(node) : [macro.over]) count(child, tally, place);
  if (macro === undefined) return;
  for (const within of placesWithin(macro.over, place)) {
    // The macro itself takes a step for each element, and fails where its condition is none.
    addUnits(tally, within, isCondition(macro.body) ? 1 : 1 + THROW);
    count(macro.body, tally, within);
  }
}

/** Where the condition of a macro runs. A macro within a macro runs over parts of the same elements. */
function placesWithin(over: Node, place: Place): readonly Place[] {
  if (place.each !== "outside") return [place];
  const constants = countConstants(over);
  return [
    { each: splits(over) ? "part" : "element", times: 1 },
    ...(constants === 0 ? [] : [{ each: "constant", times: constants } as const]),
  ];
}

function addUnits(tally: Tally, { each, times }: Place, units: number, unitsOfText = units): void {
  tally[TALLIED_AS[each]] += units * times;
  if (each === "element") tally.perText += unitsOfText;
}

function countNode(node: Node, tally: Tally, place: Place): void {
  const name = node.op === "call" || node.op === "rcall" ? node.args[0] : node.op;
  const [element, character] = (Object.hasOwn(LINEAR, name) ? LINEAR[name] : undefined) ?? [0, 0];
  const perCharacter = character + searchOf(node);
  const fixed = perCharacter * fixedCharacters(node) + (name === "duration" ? DURATION : 0);
  const units = fixed + (canThrow(node) ? 1 + THROW : 1);
  addUnits(tally, place, units, isOfText(node) ? fixed + 1 : units);
  tally.perElement += element;
  tally.perText += element;
  tally.perCharacter += perCharacter;
  if (!isConstant(node)) tally.growth += growthOf(node);
  if (name.startsWith("get") && childrenOf(node).length > 1) tally.once += TIME_ZONE;
}

/** How many elements constants add to what a macro runs over; every character may begin a part if texts are split. */
function countConstants(over: Node): number {
  const nodes = (node: Node): number =>
    childrenOf(node).reduce(
      (sum, child) => sum + nodes(child),
      ["value", "list", "map"].includes(node.op) ? 1 : 0,
    );
  return nodes(over) + (splits(over) ? fixedCharacters(over) : 0);
}

/** How long texts are that claims do not change: those in quotes, and the small variables. */
function fixedCharacters(node: Node): number {
  const own = node.op === "id" && SMALL.includes(node.args) ? SMALL_CHARACTERS : (textOf(node)?.length ?? 0);
  return childrenOf(node).reduce((sum, child) => sum + fixedCharacters(child), own);
}

const SMALL = ["issuer", "subject", "discord"];
/** A subject has at most 255. OpenID Connect Core 2 */
const SMALL_CHARACTERS = 255;

/** `+` and literals make values that are larger than the claims: by one share of the claims for each part. */
function growthOf(node: Node): number {
  if (node.op === "+") return 1;
  if (node.op === "list") return node.args.filter((part) => !isConstant(part)).length;
  return node.op === "map" ? node.args.flat().filter((part) => !isConstant(part)).length : 0;
}

function searchOf(node: Node): number {
  if (node.op !== "rcall" || !["contains", "indexOf", "lastIndexOf", "split"].includes(node.args[0]))
    return 0;
  const [looked] = node.args[2];
  return (looked === undefined ? 0 : (textOf(looked)?.length ?? 0)) * SEARCH_PER_CHARACTER;
}

const splits = (node: Node): boolean =>
  (node.op === "rcall" && node.args[0] === "split") || childrenOf(node).some(splits);

/** Values, names, comparisons and what joins them do not fail, whatever they meet. */
function canThrow(node: Node): boolean {
  if (node.op === "&&" || node.op === "||") return !node.args.every(isCondition);
  return !["value", "id", "list", "map", "==", "!="].includes(node.op);
}

/** What does not fail if it gets a text. */
function isOfText(node: Node): boolean {
  if (node.op === "in") return isConstant(node.args[1]);
  if (node.op !== "rcall" || node.args[1].op !== "id") return false;
  const [name, , parameters] = node.args;
  const areTexts = parameters.every((parameter) => textOf(parameter) !== undefined);
  return areTexts && TEXT_FUNCTIONS.includes(name);
}

const TEXT_FUNCTIONS = ["startsWith", "endsWith", "contains", "lowerAscii", "upperAscii", "trim", "size"];

function isCondition(node: Node): boolean {
  if (["==", "!=", "<", "<=", ">", ">=", "in", "&&", "||", "!_"].includes(node.op)) return true;
  const name = node.op === "call" || node.op === "rcall" ? node.args[0] : "";
  return ["has", "bool", "startsWith", "endsWith", "contains", "exists", "all", "exists_one"].includes(name);
}

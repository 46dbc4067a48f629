/**
 * Where things stand in a rules file. Bun's own parser reads the values and gives no positions, so a second parser finds
 * them once a fault is to be told. `toml-eslint-parser` is loaded only then.
 */
import type { AST } from "toml-eslint-parser";

/** Keys and indexes from the top of the file, such as `["record", 0, "value"]`. */
export type Path = readonly (string | number)[];

/** Both are counted from 1; columns in UTF-16 code units, as editors count them. */
export type Position = { readonly line: number; readonly column: number };

/** Finds where the value at a path stands, or its key, or a place within its text. */
export type Locate = (path: Path, place?: "key" | number) => Position | undefined;

/** No key of a rules file is deeper. What is deeper has the place of what it is in. */
const MAX_DEPTH = 8;

type Found = { readonly key: AST.TOMLNode; readonly value: AST.TOMLNode };

/** The places in a file that Bun has read. Finds none in a file that the second parser does not read. */
export async function createLocate(text: string): Promise<Locate> {
  const { parseTOML } = await import("toml-eslint-parser");
  const found = new Map<string, Found>();
  try {
    const [table] = parseTOML(text).body;
    collect(table.body, [], found);
  } catch {
    return () => undefined;
  }
  return (path, place) => {
    const nearest = findNearest(found, path);
    if (nearest === undefined) return undefined;
    const { node, isExact } = nearest;
    if (place === "key") return startOf(node.key);
    const offset = typeof place === "number" && isExact ? offsetWithin(text, node.value, place) : undefined;
    return offset === undefined ? startOf(node.value) : positionOf(text, offset);
  };
}

/** Where the text stops being TOML; undefined if the second parser can read it. */
export async function findSyntaxError(text: string): Promise<Position | undefined> {
  const { parseTOML } = await import("toml-eslint-parser");
  try {
    parseTOML(text);
    return undefined;
  } catch (error) {
    return isAt(error) ? { line: error.lineNumber, column: error.column + 1 } : undefined;
  }
}

function collect(nodes: readonly AST.TOMLNode[], path: Path, found: Map<string, Found>): void {
  for (const node of nodes) {
    if (node.type === "TOMLTable") {
      keepAbove(found, node.resolvedKey, 0, node.key);
      keep(found, node.resolvedKey, node.key, node.key);
      collect(node.body, node.resolvedKey, found);
    } else if (node.type === "TOMLKeyValue") {
      const here = [...path, ...node.key.keys.map((key) => (key.type === "TOMLBare" ? key.name : key.value))];
      keepAbove(found, here, path.length, node.key);
      keep(found, here, node.key, node.value);
      collectValue(node.value, here, found);
    }
  }
}

function collectValue(value: AST.TOMLContentNode, path: Path, found: Map<string, Found>): void {
  if (path.length > MAX_DEPTH) return;
  if (value.type === "TOMLInlineTable") collect(value.body, path, found);
  if (value.type !== "TOMLArray") return;
  value.elements.forEach((element, index) => {
    keep(found, [...path, index], element, element);
    collectValue(element, [...path, index], found);
  });
}

/** A dotted key makes the tables above it, which have no place of their own. */
function keepAbove(found: Map<string, Found>, path: Path, from: number, key: AST.TOMLNode): void {
  for (let length = from + 1; length < path.length && length <= MAX_DEPTH; length += 1)
    keep(found, path.slice(0, length), key, key);
}

/** The first one stays: the header of a table comes before what is in it. */
function keep(found: Map<string, Found>, path: Path, key: AST.TOMLNode, value: AST.TOMLNode): void {
  if (path.length > MAX_DEPTH) return;
  const name = JSON.stringify(path);
  if (!found.has(name)) found.set(name, { key, value });
}

/** What is at the path, or else at the nearest path above: something that is missing has no place of its own. */
function findNearest(
  found: ReadonlyMap<string, Found>,
  path: Path,
): { readonly node: Found; readonly isExact: boolean } | undefined {
  for (let length = path.length; length > 0; length -= 1) {
    const node = found.get(JSON.stringify(path.slice(0, length)));
    if (node !== undefined) return { node, isExact: length === path.length };
  }
  return undefined;
}

const startOf = ({ loc }: AST.TOMLNode): Position => ({ line: loc.start.line, column: loc.start.column + 1 });

function positionOf(text: string, offset: number): Position {
  const before = text.slice(0, offset);
  const lineStart = before.lastIndexOf("\n") + 1;
  return { line: before.split("\n").length, column: offset - lineStart + 1 };
}

const isAt = (error: unknown): error is { readonly lineNumber: number; readonly column: number } =>
  error instanceof Error &&
  "lineNumber" in error &&
  "column" in error &&
  typeof error.lineNumber === "number" &&
  typeof error.column === "number";

/** In a text with escapes a character takes one to ten characters of the file. https://toml.io/en/v1.1.0#string */
const ESCAPE = /\\(?:u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|x[0-9a-fA-F]{2}|[^\n])/y;
const LINE_END = /\\[ \t]*\r?\n\s*/y;
/** Bun reads both line ends of a file as one character. */
const WINDOWS_LINE_END = "\r\n";

/** Where the character at this offset of a text stands in the file; undefined for a value that is not a text. */
function offsetWithin(file: string, value: AST.TOMLNode, offset: number): number | undefined {
  if (value.type !== "TOMLValue" || value.kind !== "string") return undefined;
  let at = value.range[0] + (value.multiline ? 3 : 1);
  if (value.multiline) at += /^\r?\n/.exec(file.slice(at, at + 2))?.[0].length ?? 0;
  let left = offset;
  while (left > 0 && at < value.range[1]) {
    const [length, units] = stepAt(file, at, value.style);
    at += length;
    left -= units;
  }
  return at;
}

/** How many characters of the file, and of the text, the next step is. */
function stepAt(
  file: string,
  at: number,
  style: "basic" | "literal",
): readonly [length: number, units: number] {
  if (file.startsWith(WINDOWS_LINE_END, at)) return [WINDOWS_LINE_END.length, 1];
  if (style === "literal") return [1, 1];
  LINE_END.lastIndex = at;
  const lineEnd = LINE_END.exec(file);
  if (lineEnd !== null) return [lineEnd[0].length, 0];
  ESCAPE.lastIndex = at;
  const escaped = ESCAPE.exec(file);
  if (escaped === null) return [1, 1];
  const isWide = escaped[0].startsWith("\\U") && Number.parseInt(escaped[0].slice(2), 16) > 0xffff;
  return [escaped[0].length, isWide ? 2 : 1];
}

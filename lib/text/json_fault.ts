/**
 * Where a text stops being JSON, for a message that an operator can act on: the runtime's own error has no position. Only a
 * text that `JSON.parse` refuses has a fault. RFC 8259
 */

/** The place of a fault, counted from 1, in characters as an editor counts them. */
export type JsonFault = { readonly line: number; readonly column: number; readonly reason: string };

/** What may come next: a value or the end of a list, a name or the end of an object, and so on. */
type Expected = "value" | "first_value" | "name" | "first_name" | "colon" | "more" | "end";

const BLANKS = /[ \t\n\r]*/y;
const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;
const FIRST_ALLOWED_CODE = 0x20;
const SCALAR = /(?:-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|true|false|null)(?![\w.+-])/y;

const REASONS: Readonly<Record<Expected, string>> = {
  value: "a value is expected here",
  first_value: 'a value or "]" is expected here',
  name: "a name in double quotes is expected here",
  first_name: 'a name in double quotes or "}" is expected here',
  colon: '":" is expected here',
  more: '"," or the closing bracket is expected here',
  end: "nothing more is expected here",
};

/** The first fault; undefined if the text is JSON. It keeps no more than one letter for each open bracket. */
export function findJsonFault(text: string): JsonFault | undefined {
  const open: Open = [];
  let expected: Expected = "value";
  let at = 0;
  for (;;) {
    at = skip(BLANKS, text, at) ?? at;
    if (at === text.length) return expected === "end" ? undefined : locate(text, at, expected);
    const next = step(text, at, expected, open);
    if (next === undefined) return locate(text, at, expected);
    [at, expected] = next;
  }
}

type Open = ("]" | "}")[];
type Next = readonly [at: number, expected: Expected];

/** One token: where it ends, and what may follow it. Undefined if it may not stand here. */
function step(text: string, at: number, expected: Expected, open: Open): Next | undefined {
  const char = text.charAt(at);
  const isClosing = char === open.at(-1) && (expected === "more" || expected.startsWith("first"));
  if (isClosing) {
    open.pop();
    return [at + 1, afterValue(open)];
  }
  switch (expected) {
    case "value":
    case "first_value":
      return stepOverValue(text, at, open);
    case "name":
    case "first_name":
      return nextAfter(skipString(text, at), "colon");
    case "colon":
      return char === ":" ? [at + 1, "value"] : undefined;
    case "more":
      return char === "," ? [at + 1, open.at(-1) === "}" ? "name" : "value"] : undefined;
    case "end":
      return undefined;
  }
}

function stepOverValue(text: string, at: number, open: Open): Next | undefined {
  switch (text.charAt(at)) {
    case "[":
      open.push("]");
      return [at + 1, "first_value"];
    case "{":
      open.push("}");
      return [at + 1, "first_name"];
    case '"':
      return nextAfter(skipString(text, at), afterValue(open));
    default:
      return nextAfter(skip(SCALAR, text, at), afterValue(open));
  }
}

const afterValue = (open: Open): Expected => (open.length === 0 ? "end" : "more");

const nextAfter = (end: number | undefined, expected: Expected): Next | undefined =>
  end === undefined ? undefined : [end, expected];

/** Where a text in double quotes ends that begins here. By hand, since a long text is slow to match. */
function skipString(text: string, at: number): number | undefined {
  if (text.charAt(at) !== '"') return undefined;
  let next = at + 1;
  while (text.charCodeAt(next) >= FIRST_ALLOWED_CODE) {
    const char = text.charAt(next);
    if (char === '"') return next + 1;
    const end = char === "\\" ? skip(ESCAPE, text, next) : next + 1;
    if (end === undefined) return undefined;
    next = end;
  }
  return undefined;
}

/** Where a match that begins here ends. */
function skip(pattern: RegExp, text: string, at: number): number | undefined {
  pattern.lastIndex = at;
  return pattern.test(text) ? pattern.lastIndex : undefined;
}

function locate(text: string, at: number, expected: Expected): JsonFault {
  const lines = text.slice(0, at).split("\n");
  const column = [...(lines.at(-1) ?? "")].length + 1;
  const reason = at === text.length ? `the text ends, but ${REASONS[expected]}` : REASONS[expected];
  return { line: lines.length, column, reason };
}

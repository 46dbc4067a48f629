/**
 * CEL, the Common Expression Language, as the rules use it: this file alone knows the library. It parses an expression,
 * finds the type of its result, and runs it. What of the language rules may use is in `subset.ts`, and how much work that
 * can be in `work.ts`. https://github.com/google/cel-spec
 */
import type { ASTNode } from "@marcbachmann/cel-js";
import { TypeError as CelTypeError, Environment, EvaluationError, ParseError } from "@marcbachmann/cel-js";
import { printable } from "../text/printable.ts";

/** A node of the syntax tree, with its place in the expression. */
export type Node = ASTNode;

/** Why an expression cannot be used, and where: in UTF-16 code units from its start. */
export type ExpressionFault = { readonly offset: number; readonly reason: string };

/** The result of an expression, as CEL names its type. `dyn` is known only when the expression runs. */
export type ResultType = string;

/** A parsed expression. */
export type Expression = {
  readonly root: Node;
  /** Finds faults of types, and the type of the result. Nothing runs. */
  readonly check: () => { readonly type: ResultType } | ExpressionFault;
  readonly run: (variables: Readonly<Record<string, unknown>>) => Ran;
};

/** What came of a run. The code of an error is the library's; its message may quote values, and is left out. */
export type Ran =
  | { readonly ended: "value"; readonly value: unknown }
  | { readonly ended: "missing"; readonly node: Node | undefined }
  | { readonly ended: "error"; readonly code: string };

const WITHOUT_ENTRIES: PropertyDescriptor = { value: () => new Map().entries() };

/**
 * A map as an expression reads it. The library names the type of a map by its first entry, and keeps every type that it has
 * met: claims of ever other forms would fill the memory. So it is shown no entries, and every map is of one type.
 */
export function createMap(entries: readonly (readonly [string, unknown])[]): Map<string, unknown> {
  return Object.defineProperty(new Map(entries), "entries", WITHOUT_ENTRIES);
}

/** The type of a point in time, as CEL names it. */
export const TIMESTAMP = "google.protobuf.Timestamp";

const environment = new Environment({ unlistedVariablesAreDyn: false })
  .registerVariable("claims", "map")
  .registerVariable("sources", "map")
  .registerVariable("discord", "map")
  .registerVariable("issuer", "string")
  .registerVariable("subject", "string")
  .registerVariable("linked_at", TIMESTAMP)
  .registerVariable("now", TIMESTAMP);

/** Parses an expression. */
export function parseExpression(text: string): Expression | ExpressionFault {
  let parsed: ReturnType<typeof environment.parse>;
  try {
    parsed = environment.parse(text);
  } catch (error) {
    return describeFault(error);
  }
  forgetInput(parsed.ast);
  return {
    root: parsed.ast,
    check: () => {
      const { valid, type, error } = parsed.check();
      return valid && type !== undefined ? { type } : describeFault(error);
    },
    run: (variables) => {
      try {
        return { ended: "value", value: parsed(variables) };
      } catch (error) {
        if (!(error instanceof EvaluationError)) return { ended: "error", code: "runtime_error" };
        // Every variable is known, so one without a value is a fact that is not known.
        const isMissing = error.code === "no_such_key" || error.code === "unknown_variable";
        if (!isMissing) return { ended: "error", code: error.code };
        return { ended: "missing", node: isNode(error.node) ? error.node : undefined };
      }
    },
  };
}

/**
 * The library copies the expression into each error, up to the place of the error. A rule may fail for each of many
 * groups, and nobody reads these messages.
 */
function forgetInput(node: Node): void {
  Object.defineProperty(node, "input", { value: "" });
  for (const child of childrenOf(node)) forgetInput(child);
}

const ENDS_EARLY = "the expression ends too early";
const MAX_REASON_LENGTH = 200;

/** The library's messages about an expression quote the expression alone. */
function describeFault(error: unknown): ExpressionFault {
  if (error instanceof ParseError || error instanceof CelTypeError || error instanceof EvaluationError)
    return {
      offset: error.range?.start ?? 0,
      reason: printable(error.summary.replace(/^.* token: EOF$/, ENDS_EARLY), MAX_REASON_LENGTH),
    };
  return { offset: 0, reason: "the expression cannot be read" };
}

const isNode = (node: object | undefined): node is Node => node !== undefined && "op" in node;

/** The nodes right below a node. */
export function childrenOf(node: Node): readonly Node[] {
  switch (node.op) {
    case "value":
    case "id":
      return [];
    case ".":
    case ".?":
      return [node.args[0]];
    case "call":
      return node.args[1];
    case "rcall":
      return [node.args[1], ...node.args[2]];
    case "map":
      return node.args.flat();
    case "!_":
    case "-_":
      return [node.args];
    default:
      return node.args;
  }
}

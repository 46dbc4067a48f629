/**
 * What an expression asks the presence of, by `has(claims.name)` or `"name" in claims`. There CEL takes what is absent for a
 * fact, so it must be known to be absent. Deeper parts are no matter: CEL says of them itself that a claim is missing.
 */
import type { Node } from "./cel.ts";
import { childrenOf } from "./cel.ts";
import { textOf } from "./subset.ts";

/** The names of claims and of sources. */
export type Tested = { readonly claims: readonly string[]; readonly sources: readonly string[] };

/** Finds them in a tree that `subset.ts` has accepted: no macro has a variable of these names. */
export function findTested(root: Node): Tested {
  const tests = testsIn(root);
  const namesOf = (variable: string) =>
    tests.flatMap((test) => (test.variable === variable ? [test.name] : []));
  return { claims: namesOf("claims"), sources: namesOf("sources") };
}

type Test = { readonly variable: string; readonly name: string };

function testsIn(node: Node): readonly Test[] {
  const own = testOf(node);
  return [...(own === undefined ? [] : [own]), ...childrenOf(node).flatMap(testsIn)];
}

function testOf(node: Node): Test | undefined {
  if (node.op === "in") {
    const [left, right] = node.args;
    const name = textOf(left);
    return right.op === "id" && name !== undefined ? { variable: right.args, name } : undefined;
  }
  if (node.op !== "call" || node.args[0] !== "has") return undefined;
  const [part] = node.args[1];
  if (part?.op !== "." || part.args[0].op !== "id") return undefined;
  return { variable: part.args[0].args, name: part.args[1] };
}

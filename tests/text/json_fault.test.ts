/** The place where a text stops being JSON: it agrees with the runtime's parser, and it is where an editor would look. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { findJsonFault } from "../../lib/text/json_fault.ts";

const isJson = (text: string): boolean => {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
};

describe("findJsonFault()", () => {
  test("finds a fault exactly where JSON.parse refuses, in what is nearly JSON", () => {
    const json = fc.json({ depthSize: "small" });
    const slips = fc.constantFrom(
      "",
      ",",
      '"',
      "]",
      "}",
      "{",
      "[",
      ":",
      "0",
      "-",
      "\\",
      "\n",
      "nul",
      "\u0001",
      "e",
    );
    const broken = fc
      .tuple(json, fc.nat(40), fc.nat(2), slips)
      .map(([text, at, cut, slip]) => text.slice(0, at) + slip + text.slice(at + cut));
    fc.assert(
      fc.property(fc.oneof(json, broken), (text) => {
        expect({ text, fault: findJsonFault(text) === undefined }).toEqual({ text, fault: isJson(text) });
      }),
      { numRuns: 3_000 },
    );
  });

  test.each([
    ["", 1, 1],
    ["{", 1, 2],
    ['{"groups": ["a" "b"]}', 1, 17],
    ['{\n  "a": 1,\n}', 3, 1],
    ['{"a": tru}', 1, 7],
    ['{"a": 01}', 1, 7],
    ["{'a': 1}", 1, 2],
    ['{"å😀": x}', 1, 8],
    ["[1] 2", 1, 5],
  ])("says where the fault of %j is", (text, line, column) => {
    expect(findJsonFault(text)).toMatchObject({
      line,
      column,
      reason: expect.stringMatching(/expected here$/),
    });
  });

  test("is not overwhelmed by brackets or by a long text", () => {
    expect(findJsonFault("[".repeat(260_000))).toMatchObject({ line: 1, column: 260_001 });
    expect(findJsonFault(`"${'å\\"\u007f'.repeat(60_000)}"`)).toBeUndefined();
    expect(findJsonFault(`"${"a".repeat(260_000)}" x`)).toMatchObject({ column: 260_004 });
    expect(findJsonFault(`["${"a".repeat(260_000)}`)).toMatchObject({ column: 2 });
  });
});

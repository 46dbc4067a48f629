/** Texts from outside, as a terminal may show them. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { printable, printableLines } from "../../lib/text/printable.ts";

describe("printable()", () => {
  test("writes out what a terminal would act on, and leaves text alone", () => {
    expect(printable("åäö 漢字 👍\u001b[31m\u0000\u202e\u2028\r")).toBe(
      "åäö 漢字 👍\\u{1b}[31m\\u{0}\\u{202e}\\u{2028}\\u{d}",
    );
    expect(printable("abcdef", 3)).toBe("abc…");
  });

  test("never leaves a control character", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.nat(50), (text, most) => {
        expect(printable(text, most)).not.toMatch(/[\p{C}\p{Zl}\p{Zp}]/u);
      }),
    );
  });
});

test("printableLines() keeps the ends of lines, and nothing else that acts on a terminal", () => {
  expect(printableLines("a\u001b[2J\nb\r\n")).toBe("a\\u{1b}[2J\nb\\u{d}\n");
});

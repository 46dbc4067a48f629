/** JSON that a command prints: the same value for a program, and nothing that acts on a terminal. */
import { expect, test } from "bun:test";
import fc from "fast-check";
import { toJson } from "../../lib/text/json_text.ts";

test.each([
  ["a control character of one byte", "\u001b[2J", String.raw`"\u001b[2J"`],
  ["one of C1, which some terminals obey as well", "\u009b31m", String.raw`"\u009b31m"`],
  ["what turns the direction of writing", "\u202eanna", String.raw`"\u202eanna"`],
  ["what cannot be seen", "an\u200bna\u00ad", String.raw`"an\u200bna\u00ad"`],
  ["ends of lines that JSON lets stand", "a\u2028b\u2029c\u007f", String.raw`"a\u2028b\u2029c\u007f"`],
  ["a character of two code units", "\u{e0041}", String.raw`"\udb40\udc41"`],
  ["half of one", "\ud800", String.raw`"\ud800"`],
])("toJson() writes a code for %s", (_, text, json) => {
  expect(toJson(text)).toBe(json);
  expect(toJson({ [text]: [text] })).toBe(`{${json}:[${json}]}`);
});

test("toJson() leaves letters of any language as they are", () => {
  expect(toJson("Åsa Öberg 李 🙂")).toBe('"Åsa Öberg 李 🙂"');
});

test("toJson() gives back every value, and acts on no terminal, on one line or with an indentation", () => {
  const odd = fc.constantFrom("\u0000", "\n", "\u0085", "\u009b", "\u200e", "\u2066", "\ufeff", "\udc00");
  const text = fc.array(fc.oneof(odd, fc.string({ unit: "binary" }))).map((parts) => parts.join(""));
  const value = fc.oneof(fc.jsonValue(), fc.dictionary(text, text));
  fc.assert(
    fc.property(value, fc.constantFrom(undefined, 2), (written, indent) => {
      const json = toJson(written, indent);

      expect(JSON.parse(json)).toEqual(JSON.parse(JSON.stringify(written)));
      expect(json.replaceAll("\n", "")).toMatch(/^[^\p{C}\p{Zl}\p{Zp}]*$/u);
      expect(indent === undefined && json.includes("\n")).toBe(false);
    }),
  );
});

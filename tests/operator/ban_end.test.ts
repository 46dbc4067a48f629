/** The end of a ban as operators write it: read exactly, or refused with a reason. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { JanusError } from "../../lib/errors.ts";
import { readBanEnd } from "../../lib/operator/ban_end.ts";

const NOW = new Date("2026-11-28T12:00:00Z");
const failureOf = (word: string): unknown => {
  try {
    return readBanEnd(word, NOW);
  } catch (error) {
    return error instanceof JanusError ? [error.code, error.message] : error;
  }
};

describe("readBanEnd()", () => {
  test.each([
    ["12h", "2026-11-29T00:00:00.000Z"],
    ["30d", "2026-12-28T12:00:00.000Z"],
    ["2w", "2026-12-12T12:00:00.000Z"],
    ["2027-01-31", "2027-01-31T00:00:00.000Z"],
    ["2027-01-31T18:00Z", "2027-01-31T18:00:00.000Z"],
    ["2027-01-31T18:00:30+01:00", "2027-01-31T17:00:30.000Z"],
    ["2028-02-29", "2028-02-29T00:00:00.000Z"],
  ])("reads %s", (word, expected) => {
    expect(readBanEnd(word, NOW).toISOString()).toBe(expected);
  });

  test.each([
    ["", "Not an end"],
    ["soon", "Not an end"],
    ["30", "Not an end"],
    ["-1d", "Not an end"],
    ["1.5d", "Not an end"],
    ["30D", "Not an end"],
    ["5m", "Not an end"],
    ["2027-02-29", "Not an end"],
    ["2027-13-01", "Not an end"],
    ["2027-01-31T24:00Z", "Not an end"],
    ["2027-01-31T18:00", "Not an end"],
    ["31/01/2027", "Not an end"],
    ["\u001b[2J", "Not an end: \\u{1b}[2J"],
    ["0d", "is over already"],
    ["2026-11-28", "is over already"],
    ["2126-12-31", "more than a century"],
    ["999999w", "more than a century"],
  ])("refuses %j", (word, reason) => {
    expect(failureOf(word)).toEqual(["usage", expect.stringContaining(reason)]);
  });

  test("gives a time within the next century, or a usage error, for whatever is written", () => {
    const word = fc.oneof(
      fc.string(),
      fc.stringMatching(/^\d{1,7}[a-z]$/),
      fc.stringMatching(/^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2})?(Z|[+-]\d{2}:\d{2}))?$/),
    );
    fc.assert(
      fc.property(word, (written) => {
        const end = failureOf(written);
        if (Array.isArray(end)) return end[0] === "usage";
        return end instanceof Date && end > NOW && end.getUTCFullYear() <= 2126;
      }),
    );
  });

  test("reads every day of the calendar, and no other", () => {
    const day = fc.date({ min: new Date("2026-11-30"), max: new Date("2126-11-01"), noInvalidDate: true });
    fc.assert(
      fc.property(day, (at) => {
        const word = at.toISOString().slice(0, 10);
        return readBanEnd(word, NOW).toISOString().startsWith(`${word}T00:00`);
      }),
    );
  });
});

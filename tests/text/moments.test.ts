/** Times and lengths of time as operators write them: one reading for all commands. */
import { describe, expect, test } from "bun:test";
import { findSeconds, findTime } from "../../lib/text/moments.ts";

describe("findSeconds()", () => {
  test.each([
    ["90m", 5_400],
    ["36h", 129_600],
    ["30d", 2_592_000],
    ["4w", 2_419_200],
    ["0d", 0],
    ["999999w", 999_999 * 604_800],
  ])("reads %s", (word, seconds) => {
    expect(findSeconds(word, ["m", "h", "d", "w"])).toBe(seconds);
  });

  test.each(["", "d", "30", "30D", "-1d", "1.5d", " 1d", "1d\n", "1y", "1000000d", "1d2h", "٣d"])(
    "takes %j for none",
    (word) => {
      expect(findSeconds(word, ["m", "h", "d", "w"])).toBeUndefined();
    },
  );

  test("takes a unit that is not asked for as none", () => {
    expect(findSeconds("6m", ["h", "d", "w"])).toBeUndefined();
  });
});

describe("findTime()", () => {
  test.each([
    ["2026-01-31", "2026-01-31T00:00:00.000Z"],
    ["2026-01-31T18:00Z", "2026-01-31T18:00:00.000Z"],
    ["2026-01-31T18:00:30+01:00", "2026-01-31T17:00:30.000Z"],
    ["2026-01-31T18:00:30.5Z", "2026-01-31T18:00:30.500Z"],
    ["2028-02-29T23:59:59-12:00", "2028-03-01T11:59:59.000Z"],
  ])("reads %s", (word, time) => {
    expect(findTime(word)?.toISOString()).toBe(time);
  });

  test.each([
    "",
    "2026-02-29",
    "2026-13-01",
    "2026-01-31T24:00Z",
    "2026-01-31T18:60Z",
    "2026-01-31T18:00",
    "2026-01-31T1:2:3Z",
    "2026-01-31T18:00:00+24:00",
    "2026-01-31 18:00Z",
    "31/01/2026",
    "7d",
  ])("takes %j for none", (word) => {
    expect(findTime(word)).toBeUndefined();
  });
});

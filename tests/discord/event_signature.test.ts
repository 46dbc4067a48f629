/** Whether an event is Discord's: every byte of what is signed counts, and so does its time. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { findSignatureFault } from "../../lib/discord/event_signature.ts";
import { DISCORD_PUBLIC_KEY, signWith } from "../fixtures/discord_events.ts";
import { secondsOf } from "../fixtures/hook.ts";

const NOW = new Date("2026-11-28T12:00:00Z");
const KEY = Buffer.from(DISCORD_PUBLIC_KEY, "hex");
const BODY = Buffer.from('{"type":0}');

const after = (seconds: number): string => secondsOf(new Date(NOW.getTime() + seconds * 1_000));

function signed(body: Uint8Array = BODY, timestamp = after(0), isOurs = true) {
  return { signature: signWith(Buffer.concat([Buffer.from(timestamp), body]), isOurs), timestamp, body };
}

type Signed = Parameters<typeof findSignatureFault>[1];
const isTaken = (event: Signed, key: Uint8Array = KEY): boolean =>
  findSignatureFault(key, event, NOW) === undefined;

/** The order of the group: added to the second half of a signature, it gives another that fits. RFC 8032 5.1.7, 8.4 */
const ORDER = 2n ** 252n + 27742317777372353535851937790883648493n;

describe("findSignatureFault()", () => {
  test("finds none in what the application's key has signed", () => {
    expect(findSignatureFault(KEY, signed(), NOW)).toBeUndefined();
    expect(isTaken(signed(new Uint8Array()))).toBe(true);
    expect(isTaken({ ...signed(), signature: signed().signature.toUpperCase() })).toBe(true);
  });

  test.each([-300, -1, 0, 1, 300])("takes a timestamp %i seconds from now", (seconds) => {
    expect(isTaken(signed(BODY, after(seconds)))).toBe(true);
  });

  test.each([-301, 301, -86_400, 86_400])("refuses a timestamp %i seconds from now", (seconds) => {
    expect(findSignatureFault(KEY, signed(BODY, after(seconds)), NOW)).toContain("300 seconds");
  });

  test.each([
    ["no signature", { signature: null }],
    ["an empty signature", { signature: "" }],
    ["a signature that is too short", { signature: signed().signature.slice(2) }],
    ["a signature that is too long", { signature: `${signed().signature}00` }],
    ["a signature with another sign", { signature: `g${signed().signature.slice(1)}` }],
    ["a signature of zeros", { signature: "0".repeat(128) }],
    ["a signature of another key", signed(BODY, after(0), false)],
    ["no timestamp", { timestamp: null }],
    ["an empty timestamp", { timestamp: "" }],
    ["a timestamp as a date", signed(BODY, NOW.toISOString())],
    ["a timestamp below nought", signed(BODY, "-5")],
    ["a timestamp in milliseconds", signed(BODY, String(NOW.getTime()))],
    ["another timestamp", { timestamp: after(1) }],
    [
      "a byte that moves from the timestamp to the body",
      { timestamp: after(0).slice(0, -1), body: Buffer.from(`${after(0).slice(-1)}${BODY}`) },
    ],
    ["another body", { body: Buffer.from('{"type":1}') }],
    ["an empty body", { body: new Uint8Array() }],
  ] as const)("refuses %s", (_, change) => {
    expect(isTaken({ ...signed(), ...change })).toBe(false);
  });

  test("refuses everything with the key of another application", () => {
    expect(isTaken(signed(), Buffer.alloc(32, 7))).toBe(false);
    expect(isTaken(signed(), Buffer.alloc(32, 255))).toBe(false);
  });

  test("takes what was signed, whatever the bytes, and nothing with one bit changed", () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 1, maxLength: 200 }),
        fc.nat(),
        fc.nat(7),
        (bytes, place, bit) => {
          const event = signed(bytes);
          const body = Uint8Array.from(bytes);
          const at = place % body.length;
          body[at] = (body[at] ?? 0) ^ (1 << bit);
          expect(isTaken(event)).toBe(true);
          expect(isTaken({ ...event, body })).toBe(false);
        },
      ),
    );
  });

  test("refuses a signature of which any digit was changed", () => {
    const { signature } = signed();
    for (let at = 0; at < signature.length; at++) {
      const other = signature[at] === "0" ? "1" : "0";
      expect(
        isTaken({ ...signed(), signature: signature.slice(0, at) + other + signature.slice(at + 1) }),
      ).toBe(false);
    }
  });

  test("refuses a second form of a right signature, which a sloppy verification takes", () => {
    const bytes = Buffer.from(signed().signature, "hex");
    const half = Buffer.from(bytes.subarray(32)).reverse().toString("hex");
    const moved = (BigInt(`0x${half}`) + ORDER).toString(16).padStart(64, "0");
    const signature = bytes.toString("hex", 0, 32) + Buffer.from(moved, "hex").reverse().toString("hex");

    expect(moved).toHaveLength(64);
    expect(isTaken({ ...signed(), signature })).toBe(false);
  });
});

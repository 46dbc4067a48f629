/** Who may use the recheck hook: every byte of what is signed counts, and so does its time. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { verifyHook } from "../../lib/sync/hook_signature.ts";
import { secondsOf, signHook } from "../fixtures/hook.ts";

const NOW = new Date("2026-11-28T12:00:00Z");
const KEY = new Uint8Array(32).fill(7);
const OLD_KEY = new Uint8Array(40).fill(8);
const KEYS = [KEY, OLD_KEY];
const BODY = Buffer.from('{"subjects":["å"]}');

type Sent = Readonly<Record<"id" | "timestamp" | "signature", string | null>> & { readonly body: Uint8Array };

function sent(given: Parameters<typeof signHook>[2] = {}, body: Uint8Array = BODY): Sent {
  const headers = signHook(body, NOW, { secret: KEY, id: "msg_1", ...given });
  return {
    id: headers["webhook-id"],
    timestamp: headers["webhook-timestamp"],
    signature: headers["webhook-signature"],
    body,
  };
}

const isTaken = (request: Sent, keys = KEYS): boolean => "id" in verifyHook(keys, request, NOW);
const after = (seconds: number): string => secondsOf(new Date(NOW.getTime() + seconds * 1_000));

describe("verifyHook()", () => {
  test("takes what any of the keys has signed, and gives the id of the event", () => {
    expect(verifyHook(KEYS, sent(), NOW)).toEqual({ id: "msg_1" });
    expect(isTaken(sent({ secret: OLD_KEY }))).toBe(true);
  });

  test("takes the example of the specification of Standard Webhooks", () => {
    const request = {
      id: "msg_p5jXN8AQM9LWM0D4loKWxJek",
      timestamp: "1614265330",
      signature: "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
      body: Buffer.from('{"test": 2432232314}'),
    };
    const key = Buffer.from("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "base64");

    expect(verifyHook([key], request, new Date(1_614_265_330_000))).toEqual({ id: request.id });
  });

  test("takes one right signature among others, of any scheme", () => {
    const { signature } = sent();

    expect(isTaken({ ...sent(), signature: `v1a,AAAA v1,AAAA ${signature}` })).toBe(true);
  });

  test("reads no more than ten signatures", () => {
    const { signature } = sent();

    expect(isTaken({ ...sent(), signature: `${"v1,AAAA ".repeat(10)}${signature}` })).toBe(false);
  });

  test.each([-300, -299, 0, 299, 300])("takes a timestamp %i seconds from now", (seconds) => {
    expect(isTaken(sent({ timestamp: after(seconds) }))).toBe(true);
  });

  test.each([-301, 301, -86_400, 86_400])("refuses a timestamp %i seconds from now", (seconds) => {
    expect(verifyHook(KEYS, sent({ timestamp: after(seconds) }), NOW)).toEqual({
      fault: expect.stringContaining("seconds from now"),
    });
  });

  test.each([
    ["no id", { id: null }],
    ["an empty id", { id: "" }],
    ["an id with a dot, which could be a part of another timestamp", sent({ id: "msg.1" })],
    ["an id that is too long", sent({ id: "x".repeat(201) })],
    ["an id with a space", sent({ id: "msg 1" })],
    ["no timestamp", { timestamp: null }],
    ["a timestamp that is no number", sent({ timestamp: NOW.toISOString() })],
    ["a timestamp below nought", sent({ timestamp: "-1" })],
    ["a timestamp in milliseconds", sent({ timestamp: String(NOW.getTime()) })],
    ["no signature", { signature: null }],
    ["an empty signature", { signature: "" }],
    ["a signature without its scheme", { signature: sent().signature?.slice(3) ?? "" }],
    ["a signature of another scheme", { signature: `v2${sent().signature?.slice(2)}` }],
    ["a signature without padding", { signature: sent().signature?.replaceAll("=", "") ?? "" }],
    ["a signature in hexadecimal", { signature: `v1,${"ab".repeat(32)}` }],
    ["the signature of another key", sent({ secret: new Uint8Array(32).fill(9) })],
    ["the signature of another body", { body: Buffer.from("{}") }],
    ["the signature of another id", { id: "msg_2" }],
    ["the signature of another timestamp", { timestamp: after(1) }],
    ["an empty body", { body: new Uint8Array() }],
  ] as const)("refuses %s", (_, change) => {
    expect(isTaken({ ...sent(), ...change })).toBe(false);
  });

  test("refuses everything without a key", () => {
    expect(isTaken(sent(), [])).toBe(false);
    expect(isTaken(sent({ secret: new Uint8Array() }), [])).toBe(false);
  });

  test("takes what was signed, whatever the bytes, and nothing else", () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 1, maxLength: 200 }),
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        (bytes, place, change) => {
          const request = sent({}, bytes);
          const body = Uint8Array.from(bytes);
          const at = place % body.length;
          body[at] = (body[at] ?? 0) ^ change;
          expect(isTaken(request)).toBe(true);
          expect(isTaken({ ...request, body })).toBe(false);
        },
      ),
    );
  });

  test("refuses a signature of which any character was changed", () => {
    const { signature } = sent();
    for (let at = 0; at < (signature?.length ?? 0); at++)
      for (const other of "Av0+/=,")
        if (signature?.[at] !== other)
          expect(
            isTaken({
              ...sent(),
              signature: `${signature?.slice(0, at)}${other}${signature?.slice(at + 1)}`,
            }),
          ).toBe(false);
  });
});

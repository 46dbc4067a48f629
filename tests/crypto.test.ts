/** Sealing, random values and comparisons, as properties that hold for any input. */
import { describe, expect, test } from "bun:test";
import { createHmac, hkdfSync } from "node:crypto";
import fc from "fast-check";
import type { RingKey } from "../lib/crypto.ts";
import {
  createMacs,
  createSealer,
  decodeBase64url,
  encodeBase64url,
  equalInConstantTime,
  isSignedWith,
  macBytes,
  randomToken,
  sha256,
  sha256Hex,
  sha512,
} from "../lib/crypto.ts";

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const FIRST = ringKey("k1", 1);
const SECOND = ringKey("k2", 2);
const PURPOSE = "link tokens";
const sealer = createSealer([FIRST], PURPOSE);

/** Texts as they come from servers: any characters, the empty text too. */
const anyText = fc.string({ unit: "binary" });
/** Any text in the place of a sealed value: noise, or a sealed value with a change somewhere. */
const anySealed = fc.oneof(
  anyText,
  fc
    .tuple(fc.constantFrom("k1", "", "k2", "__proto__", "constructor"), anyText)
    .map((parts) => parts.join(".")),
  fc.uint8Array({ maxLength: 80 }).map((bytes) => `k1.${encodeBase64url(bytes)}`),
  fc
    .tuple(fc.string(), fc.nat(), anyText)
    .map(([plaintext, at, noise]) => splice(sealer.seal(plaintext, "row"), at, noise)),
);

function ringKey(id: string, filler: number): RingKey {
  return { id, key: new Uint8Array(32).fill(filler) };
}

/** Noise put into the text, in place of as many characters. */
function splice(text: string, at: number, noise: string): string {
  const start = at % (text.length + 1);
  return text.slice(0, start) + noise + text.slice(start + noise.length);
}

describe("createMacs()", () => {
  const key = new Uint8Array(32).fill(7);

  test("gives HMAC-SHA-256 by key and purpose, whatever came before", () => {
    const [mac] = createMacs([key], "flow cookies");
    const derived = new Uint8Array(hkdfSync("sha256", key, "", "janus flow cookies v1", 32));

    fc.assert(
      fc.property(fc.array(fc.string({ unit: "binary" }), { minLength: 1, maxLength: 5 }), (texts) => {
        for (const text of texts)
          expect(mac?.(text)).toBe(createHmac("sha256", derived).update(text).digest("base64url"));
      }),
    );
  });

  test("gives another value with another key or for another purpose", () => {
    const other = new Uint8Array(32).fill(8);
    const macs = [...createMacs([key, other], "flow cookies"), ...createMacs([key], "something else")];

    expect(new Set(macs.map((mac) => mac("text"))).size).toBe(3);
  });
});

describe("createSealer()", () => {
  test("opens what it has sealed, for any text and any context", () => {
    fc.assert(
      fc.property(anyText, anyText, (plaintext, context) => {
        expect(sealer.open(sealer.seal(plaintext, context), context)).toBe(plaintext);
      }),
    );
  });

  test("writes key id, dot, and nonce, ciphertext and tag as base64url", () => {
    fc.assert(
      fc.property(anyText, (plaintext) => {
        const [id, encoded = "", ...rest] = sealer.seal(plaintext, "row").split(".");

        expect(id).toBe("k1");
        expect(rest).toEqual([]);
        expect(decodeBase64url(encoded)).toHaveLength(12 + Buffer.byteLength(plaintext) + 16);
      }),
    );
  });

  test("opens what an earlier release has sealed", () => {
    const sealed = "k1.AAECAwQFBgcICQoLwdL0gBWuzafnCPnYHilRwkrc_bEX4rty3mYbC-_zbQ";

    expect(sealer.open(sealed, "discord_token.access_token:1")).toBe("an access token");
  });

  test("seals the same text differently each time", () => {
    const sealed = Array.from({ length: 1_000 }, () => sealer.seal("text", "row"));

    expect(new Set(sealed).size).toBe(sealed.length);
  });

  // Each length leaves another number of unused bits in the last character.
  test.each(["", "a", "ab", "abc"])("does not open sealed %j with any one character changed", (plaintext) => {
    const sealed = sealer.seal(plaintext, "row");

    const opened: string[] = [];
    for (let at = 0; at < sealed.length; at += 1) {
      for (const char of [...ALPHABET, ".", "=", " ", "\u0000", ""]) {
        const altered = sealed.slice(0, at) + char + sealed.slice(at + 1);
        if (altered !== sealed && sealer.open(altered, "row") !== undefined) opened.push(altered);
      }
    }

    expect(opened).toEqual([]);
  });

  test("does not open a text after one bit of any part was flipped", () => {
    const bytes = decodeBase64url(sealer.seal("a token", "row").slice("k1.".length)) ?? new Uint8Array();

    const opened: number[] = [];
    for (let bit = 0; bit < bytes.length * 8; bit += 1) {
      const flipped = bytes.map((byte, index) => (index === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte));
      if (sealer.open(`k1.${encodeBase64url(flipped)}`, "row") !== undefined) opened.push(bit);
    }

    expect(bytes).toHaveLength(12 + 7 + 16);
    expect(opened).toEqual([]);
  });

  test("does not open a text that was cut, extended, padded or wrapped", () => {
    const sealed = sealer.seal("a token", "row");
    const cut = Array.from(sealed, (_, length) => sealed.slice(0, length));
    const extended = ["A", "AAAA", "=", "==", "\n", " ", "."].flatMap((more) => [
      sealed + more,
      more + sealed,
    ]);

    const opened = [...cut, ...extended].filter((text) => sealer.open(text, "row") !== undefined);

    expect(opened).toEqual([]);
  });

  test("does not open a text in another context", () => {
    fc.assert(
      fc.property(anyText, anyText, anyText, (plaintext, context, other) => {
        fc.pre(context !== other);

        expect(sealer.open(sealer.seal(plaintext, context), other)).toBeUndefined();
      }),
    );
  });

  test("does not open for another purpose, or by another key of the id", () => {
    fc.assert(
      fc.property(
        anyText,
        anyText,
        fc.uint8Array({ minLength: 32, maxLength: 32 }),
        (plaintext, purpose, key) => {
          fc.pre(purpose !== PURPOSE && Buffer.compare(key, FIRST.key) !== 0);
          const sealed = sealer.seal(plaintext, "row");

          expect(createSealer([FIRST], purpose).open(sealed, "row")).toBeUndefined();
          expect(createSealer([{ id: "k1", key }], PURPOSE).open(sealed, "row")).toBeUndefined();
        },
      ),
    );
  });

  test("seals with the ring's first key, and opens with its keys alone", () => {
    const rotated = createSealer([SECOND, FIRST], PURPOSE);
    const oldSealed = sealer.seal("text", "row");
    const newSealed = rotated.seal("text", "row");

    expect(newSealed).toStartWith("k2.");
    expect(rotated.open(oldSealed, "row")).toBe("text");
    expect(rotated.open(newSealed, "row")).toBe("text");
    expect(sealer.open(newSealed, "row")).toBeUndefined();
    expect(createSealer([SECOND], PURPOSE).open(oldSealed, "row")).toBeUndefined();
    expect(rotated.open(oldSealed.replace("k1.", "k2."), "row")).toBeUndefined();
  });

  test("opens any input to a text or undefined, and never throws", () => {
    fc.assert(
      fc.property(anySealed, anyText, (sealed, context) => {
        expect(["string", "undefined"]).toContain(typeof sealer.open(sealed, context));
      }),
      { numRuns: 1_000 },
    );
  });

  test("refuses a ring without keys", () => {
    expect(() => createSealer([], PURPOSE)).toThrow(TypeError);
  });
});

describe("randomToken()", () => {
  test("gives as many bytes as asked, in base64url without padding", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 100 }), (bytes) => {
        const token = randomToken(bytes);

        expect(token).toMatch(/^[A-Za-z0-9_-]+$/);
        expect(decodeBase64url(token)).toHaveLength(bytes);
      }),
    );
  });

  test("never gives the same token twice, and uses the whole alphabet", () => {
    const tokens = Array.from({ length: 2_000 }, () => randomToken(32));

    expect(new Set(tokens).size).toBe(tokens.length);
    expect(new Set(tokens.join("")).size).toBe(ALPHABET.length);
  });
});

describe("equalInConstantTime()", () => {
  test("agrees with ===", () => {
    // Short texts of few characters, so that some are equal, or begin or end alike.
    const short = fc.string({
      unit: fc.constantFrom("a", "b", "\u00e5", "\u{1f984}", "\u0000"),
      maxLength: 3,
    });

    fc.assert(
      fc.property(fc.oneof(short, anyText), fc.oneof(short, anyText), (a, b) => {
        expect(equalInConstantTime(a, b)).toBe(a === b);
        expect(equalInConstantTime(a, a.slice())).toBe(true);
      }),
      { numRuns: 1_000 },
    );
  });
});

describe("decodeBase64url()", () => {
  test("gives back the bytes that were encoded", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1 }), (bytes) => {
        expect(encodeBase64url(bytes)).toBe(Buffer.from(bytes).toString("base64url"));
        expect(decodeBase64url(encodeBase64url(bytes))).toEqual(bytes);
      }),
    );
  });

  test("accepts only one spelling of the same bytes", () => {
    const spellings = ["AA==", "AB", "A", "AAB", "AA\n", " AA", "A+/A", "", "=", "\u00e5"];

    expect(spellings.map(decodeBase64url)).toEqual(spellings.map(() => undefined));
    expect(decodeBase64url("AA")).toEqual(new Uint8Array([0]));
  });
});

test("sha256(), sha256Hex() and sha512() follow FIPS 180-4 over UTF-8", () => {
  expect(sha256Hex("abc")).toBe("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  expect(sha256("abc").toHex()).toBe(sha256Hex("abc"));
  expect(sha512("abc").toHex()).toStartWith("ddaf35a193617abacc417349ae20413112e6fa4e89a97ea2");
  expect(sha256Hex("\u00e5")).toBe(
    new Bun.CryptoHasher("sha256").update(new Uint8Array([0xc3, 0xa5])).digest("hex"),
  );
});

describe("isSignedWith()", () => {
  const hex = (text: string): Uint8Array => Buffer.from(text, "hex");
  // RFC 8032 7.1, TEST 2
  const key = hex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c");
  const message = hex("72");
  const signature = hex(
    "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
  );

  test("takes the signature of RFC 8032", () => {
    expect(isSignedWith(key, message, signature)).toBe(true);
  });

  test("refuses another message, key or signature, of any length", () => {
    expect(isSignedWith(key, hex("73"), signature)).toBe(false);
    expect(isSignedWith(hex(`${"00".repeat(31)}01`), message, signature)).toBe(false);
    expect(isSignedWith(key, message, signature.subarray(1))).toBe(false);
    expect(isSignedWith(key, message, new Uint8Array())).toBe(false);
  });
});

test("macBytes() is HMAC-SHA-256 as RFC 4231 has it, in base64", () => {
  const mac = macBytes(
    new TextEncoder().encode("Jefe"),
    new TextEncoder().encode("what do ya want for nothing?"),
  );

  expect(Buffer.from(mac, "base64").toString("hex")).toBe(
    "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
  );
});

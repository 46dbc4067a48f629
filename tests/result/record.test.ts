/** A result as a browser keeps it: what opens it, how large it is, and which earlier results it ends. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { createSealer, nameKeys } from "../../lib/crypto.ts";
import { FLOW_COOKIE_SECONDS } from "../../lib/flow/record.ts";
import { writeCookie } from "../../lib/http/cookies.ts";
import type { Content, Outcome } from "../../lib/result/content.ts";
import {
  keptSeconds,
  newResultName,
  openResult,
  resultsToForget,
  sealResult,
} from "../../lib/result/record.ts";

const START = Date.parse("2026-11-22T12:00:00Z");
const NAME = "a-result-of-mine";
const [KEY, OLDER, OTHER] = [1, 2, 3].map((byte) => new Uint8Array(32).fill(byte));

/** The dependencies at a time, so many seconds after the start, with these secrets. */
const at = (seconds: number, secrets: readonly (Uint8Array | undefined)[] = [KEY]) => ({
  cookieSealer: createSealer(nameKeys(secrets.filter((key) => key !== undefined)), "shown cookies"),
  now: () => new Date(START + seconds * 1_000),
  requestId: "request-1",
});

const ACCOUNTS = { discord: { username: "elin.l", globalName: "Elin" }, organisationName: "elili123" };
const LINKED = {
  ...ACCOUNTS,
  pushed: true,
  told: "values",
  earlierRoleMayStay: false,
  signedIn: true,
} as const;
const CONFLICT = {
  ...ACCOUNTS,
  outcome: "conflict",
  heldByDiscord: { username: "elin.old", globalName: null },
  heldByOrganisation: { kind: "named", name: "elili456" },
  state: "s".repeat(43),
} as const;

const CONTENTS: readonly Content[] = [
  { outcome: "linked", ...LINKED },
  { outcome: "relinked", ...LINKED, organisationName: null },
  { outcome: "moved", ...LINKED, earlierRoleMayStay: true },
  CONFLICT,
  { ...CONFLICT, heldByDiscord: null, heldByOrganisation: { kind: "unnamed" } },
  { outcome: "kept" },
  { outcome: "not_admitted", why: "unknown" },
  { outcome: "cancelled", at: "provider", startAgain: "/linked-role/another" },
  { outcome: "unlinked", discordTold: true, roleMayStay: false },
  { outcome: "signed_out" },
];
const byOutcome = (outcome: Outcome): Content =>
  CONTENTS.find((content) => content.outcome === outcome) ?? expect.unreachable();

describe("openResult()", () => {
  test.each(CONTENTS)("opens what sealResult() has sealed: %j", (content) => {
    const sealed = sealResult(at(0), NAME, content);

    expect(openResult(at(60), NAME, sealed)).toEqual({ content, requestId: "request-1", madeAt: START });
  });

  test("opens nothing under another name, and nothing that is altered", () => {
    const sealed = sealResult(at(0), NAME, CONFLICT);
    const altered = [...sealed].map(
      (char, place) => `${sealed.slice(0, place)}${char === "A" ? "B" : "A"}${sealed.slice(place + 1)}`,
    );

    expect(openResult(at(0), `${NAME}x`, sealed)).toBeUndefined();
    expect(altered.filter((text) => openResult(at(0), NAME, text) !== undefined)).toEqual([]);
    for (const text of ["", ".", sealed.slice(1), `${sealed}A`, sealed.repeat(40)])
      expect(openResult(at(0), NAME, text)).toBeUndefined();
  });

  test("opens nothing that a browser can make up", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        expect(openResult(at(0), NAME, text)).toBeUndefined();
      }),
    );
  });

  test("opens under every secret that is still there, in any order", () => {
    const sealed = sealResult(at(0, [OLDER]), NAME, { outcome: "kept" });

    expect(openResult(at(0, [KEY, OLDER]), NAME, sealed)).toBeDefined();
    expect(openResult(at(0, [OLDER, KEY]), NAME, sealed)).toBeDefined();
    expect(openResult(at(0, [KEY]), NAME, sealed)).toBeUndefined();
    expect(openResult(at(0, [KEY, OTHER]), NAME, sealed)).toBeUndefined();
  });

  test.each(CONTENTS)("opens nothing after its time: %j", (content) => {
    const sealed = sealResult(at(0), NAME, content);
    const seconds = content.outcome === "conflict" ? FLOW_COOKIE_SECONDS : 600;

    expect(keptSeconds(content)).toBe(seconds);
    expect(openResult(at(seconds), NAME, sealed)).toBeDefined();
    expect(openResult(at(seconds + 1), NAME, sealed)).toBeUndefined();
  });

  test("opens nothing that another release has sealed in another shape", () => {
    const { cookieSealer } = at(0);
    const shapes = [
      { content: { outcome: "linked" }, requestId: "request-1", madeAt: START },
      { content: { outcome: "celebrated" }, requestId: "request-1", madeAt: START },
      { content: { outcome: "cancelled", at: "discord", startAgain: "https://elsewhere.example" } },
      { content: { outcome: "kept" }, madeAt: START },
      { content: { outcome: "kept" }, requestId: "request-1", madeAt: "today" },
      [],
      null,
    ];

    for (const shape of shapes)
      expect(
        openResult(at(0), NAME, cookieSealer.seal(JSON.stringify(shape), `result ${NAME}`)),
      ).toBeUndefined();
  });
});

describe("sealResult()", () => {
  test("keeps no field that is not listed", () => {
    const whole = {
      ...CONFLICT,
      discordUserId: "200000000000000001",
      discord: { ...CONFLICT.discord, accessToken: "canary" },
      session: { sessionKey: "canary" },
      subject: "canary",
    };

    const opened = openResult(at(0), NAME, sealResult(at(0), NAME, whole));

    expect(opened?.content).toEqual(CONFLICT);
    expect(JSON.stringify(opened)).not.toMatch(/canary|200000000000000001/);
  });

  test("cuts a name between letters, and leaves a name of Discord's whole", () => {
    const [long, longest] = ["😀".repeat(100), "😀".repeat(32)];
    const given = { ...CONFLICT, organisationName: long, discord: { username: longest, globalName: null } };

    const opened = openResult(at(0), NAME, sealResult(at(0), NAME, given))?.content;

    expect(opened).toMatchObject({
      discord: { username: longest },
      organisationName: `${"😀".repeat(31)}…`,
    });
  });

  test.each(["😀", "å", "ก", "x", '"', "\\", "\u00ad"])(
    "keeps a cookie small whose names are all %j",
    (letter) => {
      const name = letter.repeat(200);
      const discord = { username: name, globalName: name };
      const content = {
        ...CONFLICT,
        discord,
        organisationName: name,
        heldByDiscord: discord,
        heldByOrganisation: { kind: "named", name },
      } as const;
      const sealed = sealResult({ ...at(0), requestId: "r".repeat(64) }, NAME, content);

      const line = writeCookie(`__Host-janus_result_${NAME}`, sealed, keptSeconds(content), true);

      // RFC 6265 6.1: 4096 at most. A proxy may take no more for the whole head.
      expect(line.length).toBeLessThan(2_900);
      expect(openResult(at(0), NAME, sealed)).toBeDefined();
    },
  );

  test("keeps three cookies of the longest names of people small enough for a proxy", () => {
    const name = "😀".repeat(100);
    const discord = { username: "x".repeat(32), globalName: name };
    const content = { ...CONFLICT, discord, organisationName: name, heldByDiscord: discord };

    const sealed = sealResult(at(0), NAME, content);

    // nginx's large_client_header_buffers take 8 KB a line, and the cookies of flows and sessions need one.
    expect(3 * sealed.length).toBeLessThan(6_000);
  });
});

describe("resultsToForget()", () => {
  /** A browser's results, each made a second after the one before. */
  const recordsOf = (outcomes: readonly Outcome[]) =>
    new Map(
      outcomes.map((outcome, index) => [
        `${index}-${outcome}`,
        sealResult(at(index), `${index}-${outcome}`, byOutcome(outcome)),
      ]),
    );
  const forgotten = (outcomes: readonly Outcome[], happened: Outcome | "signed_in", own?: string) =>
    resultsToForget(at(10), recordsOf(outcomes), happened, own);

  test.each([
    ["linked", ["0-unlinked", "1-signed_out"]],
    ["relinked", ["0-unlinked", "1-signed_out"]],
    ["moved", ["0-unlinked", "1-signed_out"]],
    ["signed_in", ["0-unlinked", "1-signed_out"]],
    ["conflict", []],
    ["kept", []],
    ["cancelled", []],
    ["unlinked", ["0-unlinked", "1-signed_out"]],
    ["signed_out", ["0-unlinked", "1-signed_out"]],
  ] as const)("after %s forgets what says that nothing is linked: %j", (happened, expected) => {
    expect(forgotten(["unlinked", "signed_out"], happened, "own")).toEqual([...expected]);
  });

  test.each([
    ["linked", []],
    ["moved", ["0-linked"]],
    ["unlinked", ["0-linked", "1-conflict"]],
    ["signed_out", ["0-linked", "1-conflict"]],
    ["signed_in", ["0-linked"]],
  ] as const)("after %s forgets what says that there is a link: %j", (happened, expected) => {
    expect(forgotten(["linked", "conflict"], happened, "own")).toEqual([...expected]);
  });

  test("makes room for one more: the oldest goes, and those that do not open go first", () => {
    const records = new Map([...recordsOf(["linked", "cancelled", "kept"]), ["planted", "x"]]);

    expect(resultsToForget(at(10), records, "linked", "own")).toEqual(["planted", "0-linked"]);
    expect(resultsToForget(at(10), records, "linked", "0-linked")).toEqual(["planted"]);
  });

  test("leaves at most two others of any that a browser sends, and never its own", () => {
    const record = fc.tuple(fc.string({ minLength: 1, maxLength: 20 }), fc.string());

    fc.assert(
      fc.property(fc.array(record, { maxLength: 7 }), (junk) => {
        const records = new Map([...recordsOf(["linked", "kept"]), ...junk]);
        const [own = ""] = [...records.keys()];

        const gone = resultsToForget(at(10), records, "linked", own);

        expect(gone).not.toContain(own);
        expect(new Set(gone).size).toBe(gone.length);
        expect(gone.every((name) => records.has(name))).toBe(true);
        expect(records.size - 1 - gone.length).toBe(
          Math.max(Math.min(records.size - 1, 2), records.size - 6),
        );
      }),
    );
  });
});

test("newResultName() is new each time, and fits an address and a cookie", () => {
  const names = Array.from({ length: 100 }, newResultName);

  expect(new Set(names).size).toBe(100);
  for (const name of names) expect(name).toMatch(/^[\w-]{16}$/);
});

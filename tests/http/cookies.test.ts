/** The cookies of a flow: how they are written, which are believed, and how many there may be. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { readConfig } from "../../lib/config/load.ts";
import { createMacs } from "../../lib/crypto.ts";
import { openDatabase } from "../../lib/database/open.ts";
import type { Deps } from "../../lib/deps.ts";
import { depsOf } from "../../lib/deps.ts";
import { asJanusError } from "../../lib/errors.ts";
import type { FlowChange, FlowRecords } from "../../lib/flow/record.ts";
import {
  acceptCallback,
  deriveSecret,
  FLOW_COOKIE_SECONDS,
  FLOW_TTL_SECONDS,
  makeRoom,
  openFlow,
  startFlow,
} from "../../lib/flow/record.ts";
import { forgetSession, readFlowRecords, writeFlowChange, writeSession } from "../../lib/http/cookies.ts";
import { DEFAULT_RULES } from "../../lib/rules/rule_set.ts";
import { withHash } from "../../lib/session/secrets.ts";
import { createLog } from "../../lib/telemetry/log.ts";
import { createShared } from "../../lib/wiring.ts";
import { useForAll } from "../harness/hooks.ts";
import { environmentFor, randomKey } from "../harness/janus.ts";

const START = Date.parse("2026-11-22T12:00:00Z");
const LEGS = [
  "discord",
  "another",
  "provider",
  "provider_other",
  "reduced",
  "reduced_other",
  "move",
  "login",
] as const;
const MAX_FLOWS = 5;

const flowMacs = createMacs([new Uint8Array(32).fill(1)], "flow cookies");

/** The dependencies of a flow at a time, so many seconds after the start. */
const at = (seconds: number) => ({ flowMacs, now: () => new Date(START + seconds * 1_000) });

/** A new flow at a leg, as the browser keeps it. */
function flowAt(leg: (typeof LEGS)[number], seconds = 0) {
  const { state, record } = startFlow(at(seconds), leg);
  return { state, ...record };
}

function recordsOf(flows: readonly { readonly name: string; readonly value: string }[]): FlowRecords {
  return new Map(flows.map(({ name, value }) => [name, value]));
}

/** The code of a call's error, or "taken" without one. Errors that are not ours are thrown on. */
function outcomeOf(call: () => unknown): string {
  try {
    call();
    return "taken";
  } catch (error) {
    const { code, cause } = asJanusError(error);
    if (code === "internal") throw cause;
    return code;
  }
}

/** The attributes of a Set-Cookie line by name, and the pair that it sets. */
function readLine(line: string) {
  const [pair = "", ...attributes] = line.split("; ");
  const entries = attributes.map((attribute): [string, string] => {
    const [name = "", value = ""] = attribute.split("=");
    return [name.toLowerCase(), value];
  });
  return { pair, attributes: Object.fromEntries(entries) };
}

describe("writeFlowChange()", () => {
  const set = { name: "0123456789abcdef", value: "a.record-value_" };

  test("sets __Host-, Secure, HttpOnly, SameSite=Lax and Path on https", () => {
    const lines = writeFlowChange({ set, forget: [] }, true);

    expect(lines.map(readLine)).toEqual([
      {
        pair: "__Host-janus_flow_0123456789abcdef=a.record-value_",
        attributes: {
          "max-age": String(FLOW_COOKIE_SECONDS),
          path: "/",
          httponly: "",
          secure: "",
          samesite: "Lax",
        },
      },
    ]);
  });

  test("leaves out __Host- and Secure on http", () => {
    const lines = writeFlowChange({ set, forget: [] }, false);

    expect(lines.map(readLine)).toEqual([
      {
        pair: "janus_flow_0123456789abcdef=a.record-value_",
        attributes: { "max-age": String(FLOW_COOKIE_SECONDS), path: "/", httponly: "", samesite: "Lax" },
      },
    ]);
  });

  test.each([true, false])("forgets a cookie by its own attributes (secure: %p)", (secure) => {
    const [kept, forgotten] = [{ set, forget: [] }, { forget: [set.name] }].map((change: FlowChange) =>
      writeFlowChange(change, secure).map(readLine),
    );

    expect(forgotten).toHaveLength(1);
    expect(forgotten?.[0]?.pair).toBe(`${kept?.[0]?.pair.split("=")[0]}=`);
    expect(forgotten?.[0]?.attributes).toEqual({ ...kept?.[0]?.attributes, "max-age": "0" });
  });

  test("writes one well-formed line for each cookie", () => {
    const change = { set, forget: ["a".repeat(16), "b".repeat(16)] };

    const lines = writeFlowChange(change, true);

    expect(lines).toHaveLength(3);
    for (const line of lines)
      expect(line).toMatch(/^__Host-janus_flow_[\w-]{16}=[\w.-]*(; [\w-]+(=[\w/-]+)?)+$/);
  });

  test("writes cookies of less than 1 KiB that can be read back", () => {
    for (const secure of [true, false]) {
      const flows = LEGS.map((leg) => flowAt(leg));
      const lines = flows.flatMap((flow) => writeFlowChange({ set: flow, forget: [] }, secure));

      const header = lines.map((line) => readLine(line).pair).join("; ");

      expect(readFlowRecords(header, secure)).toEqual(recordsOf(flows));
      // RFC 6265 6.1: a browser keeps at least 4096 bytes a cookie.
      for (const line of lines) expect(line.length).toBeLessThan(1_024);
    }
  });
});

test("writeSession() and forgetSession() set HttpOnly, and Secure only on https", () => {
  const secrets = withHash("i".repeat(43), "k".repeat(43));
  const begun = { secrets, expiresAt: new Date(START + 3_600_000) };
  const lines = (secure: boolean) => [...writeSession(begun, at(0).now(), secure), ...forgetSession(secure)];

  for (const line of lines(true)) expect(line).toContain("; Secure");
  for (const line of lines(false)) expect(line).not.toContain("; Secure");
  for (const line of [...lines(true), ...lines(false)]) expect(line).toMatch(/; HttpOnly.*; SameSite=Lax/);
  expect(lines(true)[0]).toStartWith(`sessionId=${secrets.sessionId}; Max-Age=3600; Path=/`);
});

describe("readFlowRecords()", () => {
  test.each([
    ["a missing header", null],
    ["an empty header", ""],
    ["other cookies", "sessionId=1; theme=dark; janus=1; xjanus_flow_a=1"],
    ["nothing but separators", ";=;==;;= ;"],
    ["the names of a prototype", "__proto__=1; constructor=1; __proto__=janus_flow_a"],
    ["a cookie with the prefix of https", "__Host-janus_flow_0123456789abcdef=1"],
  ])("finds no flow in %s", (_, header) => {
    expect(readFlowRecords(header, false).size).toBe(0);
  });

  test("ignores an unprefixed cookie on https, which others can set", () => {
    const { name, value } = flowAt("discord");

    expect(readFlowRecords(`janus_flow_${name}=${value}`, true).size).toBe(0);
  });

  test("takes the first of two cookies with one name", () => {
    const records = readFlowRecords("janus_flow_aaaaaaaaaaaaaaaa=1; janus_flow_aaaaaaaaaaaaaaaa=2", false);

    expect([...records.values()]).toEqual(["1"]);
  });

  test("takes values as texts, also JSON and broken escapes", () => {
    const values = ['{"leg":"discord"}', "[1]", "true", "%", "%zz", "%E0%A4%A", "a=b=c", '"quoted"'];
    const names = values.map((_, index) => `a`.repeat(15) + index);
    const header = values.map((value, index) => `janus_flow_${names[index]}=${value}`).join("; ");

    const records = readFlowRecords(header, false);

    for (const value of records.values()) expect(value).toBeString();
    for (const [name, value] of records) {
      expect(outcomeOf(() => openFlow(at(0), ["discord"], name, new Map([[name, value]])))).toBe(
        "state_mismatch",
      );
    }
  });

  test("finds a flow among ten thousand cookies", () => {
    const { name, value } = flowAt("discord");
    const many = Array.from(
      { length: 10_000 },
      (_, index) => `janus_flow_${String(index).padStart(16, "0")}=x`,
    );

    const records = readFlowRecords([...many, `janus_flow_${name}=${value}`].join("; "), false);

    expect(records.get(name)).toBe(value);
  });

  test("reads any header so that the next flow has room", () => {
    const anyName = fc.oneof(
      fc.string(),
      fc.string({ unit: "binary" }),
      fc.constantFrom("__proto__", "", " ", "a b", "\u00e5", "\t", "a,b"),
    );
    const pair = fc
      .tuple(fc.constantFrom("", "janus_flow_", "__Host-janus_flow_"), anyName, fc.string())
      .map(([prefix, name, value]) => `${prefix}${name}=${value}`);
    const headers = fc.array(pair, { maxLength: 12 }).map((pairs) => pairs.join("; "));

    fc.assert(
      fc.property(headers, fc.boolean(), (header, secure) => {
        const records = readFlowRecords(header, secure);
        const { name, value } = flowAt("discord");
        const forget = makeRoom(at(0), records);

        const lines = writeFlowChange({ set: { name, value }, forget }, secure);

        expect(lines).toHaveLength(forget.length + 1);
        expect(lines.at(-1)).toContain(value);
        for (const line of lines) expect(line).toMatch(/^[\x20-\x7e]+$/);
        expect(records.size - forget.length).toBeLessThan(MAX_FLOWS);
      }),
      { numRuns: 500 },
    );
  });
});

describe("makeRoom()", () => {
  test("forgets nothing while another flow fits", () => {
    const flows = Array.from({ length: MAX_FLOWS - 1 }, (_, second) => flowAt("discord", second));

    expect(makeRoom(at(10), recordsOf(flows))).toEqual([]);
  });

  test("forgets the oldest, so that at most five flows are under way", () => {
    const flows = [3, 0, 4, 1, 2].map((second) => flowAt("discord", second));
    const [, oldest, , second] = flows;

    expect(makeRoom(at(10), recordsOf(flows))).toEqual([oldest?.name ?? "none"]);
    expect(makeRoom(at(10), recordsOf([...flows, flowAt("move", 5)]))).toEqual([
      oldest?.name ?? "none",
      second?.name ?? "none",
    ]);
  });

  test("forgets records that do not open before those that do", () => {
    const flows = [0, 1, 2].map((second) => flowAt("provider", second));
    const unreadable = ["x".repeat(16), "y".repeat(16)].map((name) => ({
      name,
      value: "discord.0.unreadable",
    }));
    const moved = { name: "z".repeat(16), value: flows[0]?.value ?? "" };

    const forgotten = makeRoom(at(10), recordsOf([...flows, ...unreadable, moved]));

    expect([...forgotten].sort()).toHaveLength(2);
    for (const name of forgotten) expect(["x".repeat(16), "y".repeat(16), "z".repeat(16)]).toContain(name);
  });

  test("leaves at most four records of any that a browser sends", () => {
    const flow = fc.oneof(
      fc
        .tuple(fc.constantFrom(...LEGS), fc.integer({ min: 0, max: 900 }))
        .map(([leg, second]) => flowAt(leg, second)),
      fc.record({ name: fc.string(), value: fc.string() }),
    );

    fc.assert(
      fc.property(fc.array(flow, { maxLength: 20 }), (flows) => {
        const records = recordsOf(flows);

        const forgotten = makeRoom(at(900), records);

        expect(new Set(forgotten).size).toBe(forgotten.length);
        expect(forgotten.every((name) => records.has(name))).toBe(true);
        expect(records.size - forgotten.length).toBe(Math.min(records.size, MAX_FLOWS - 1));
      }),
    );
  });
});

describe("the callback of a flow", () => {
  test("acceptCallback() accepts a flow until its lifetime ends", () => {
    const flow = flowAt("discord");
    const query = new URLSearchParams({ state: flow.state, code: "the-code" });
    const accept = (seconds: number) => acceptCallback(at(seconds), ["discord"], query, recordsOf([flow]));

    expect(accept(0).response.result).toEqual({ code: "the-code" });
    expect(accept(FLOW_TTL_SECONDS).flow.state).toBe(flow.state);
    expect(outcomeOf(() => accept(FLOW_TTL_SECONDS + 1))).toBe("flow_expired");
  });

  test.each(LEGS)("openFlow() takes leg %s at that leg alone", (leg) => {
    const flow = flowAt(leg);
    const records = recordsOf([flow]);

    for (const other of LEGS) {
      expect(outcomeOf(() => openFlow(at(0), [other], flow.state, records))).toBe(
        other === leg ? "taken" : "state_mismatch",
      );
    }
  });

  test("openFlow() refuses another name, and a state begun alike", () => {
    const [flow, other] = [flowAt("discord"), flowAt("discord")];
    const similar = flow.state.slice(0, -1) + (flow.state.endsWith("A") ? "B" : "A");
    const swapped = new Map([[other.name, flow.value]]);

    expect(similar.slice(0, 16)).toBe(flow.name);
    expect(outcomeOf(() => openFlow(at(0), ["discord"], similar, recordsOf([flow])))).toBe("state_mismatch");
    expect(outcomeOf(() => openFlow(at(0), ["discord"], flow.state.slice(0, 16), recordsOf([flow])))).toBe(
      "state_mismatch",
    );
    expect(outcomeOf(() => openFlow(at(0), ["discord"], other.state, swapped))).toBe("state_mismatch");
  });

  test("acceptCallback() accepts only this browser's leg, in time", () => {
    const kept = fc.tuple(fc.constantFrom(...LEGS), fc.integer({ min: 0, max: 1_300 }));
    const noise = fc.oneof(
      fc.string(),
      fc.string({ unit: "binary" }),
      fc.constantFrom("", "__proto__", "{}", "[]"),
    );
    const parameter = fc.tuple(fc.constantFrom("state", "code", "error", "iss", "other"), noise);
    const recordNoise = fc.array(fc.tuple(noise, noise), { maxLength: 3 });
    const cases = fc.record({
      flows: fc.array(kept, { maxLength: 4 }),
      chosen: fc.nat(),
      query: fc.array(parameter, { maxLength: 4 }),
      recordNoise,
      leg: fc.constantFrom("discord" as const, "provider" as const),
    });
    let taken = 0;

    fc.assert(
      fc.property(cases, ({ flows, chosen, query, recordNoise, leg }) => {
        const started = flows.map(([startedLeg, second]) => ({
          ...flowAt(startedLeg, second),
          startedLeg,
          second,
        }));
        const flow = started[chosen % Math.max(started.length, 1)];
        const parameters = new URLSearchParams(query);
        if (flow !== undefined && chosen % 2 === 0) {
          parameters.set("state", flow.state);
          parameters.set("code", "c");
          parameters.delete("error");
          parameters.delete("iss");
        }
        const records = new Map([...recordNoise, ...recordsOf(started)]);

        const outcome = outcomeOf(() => acceptCallback(at(1_300), [leg], parameters, records));

        if (outcome !== "taken") {
          expect(["callback_malformed", "state_mismatch", "flow_expired"]).toContain(outcome);
          return;
        }
        taken += 1;
        expect(flow?.startedLeg).toBe(leg);
        expect(parameters.get("state")).toBe(flow?.state ?? "none");
        expect(1_300 - (flow?.second ?? 0)).toBeLessThanOrEqual(FLOW_TTL_SECONDS);
      }),
      { numRuns: 1_000 },
    );

    expect(taken).toBeGreaterThan(0);
  });

  test("openFlow() refuses any other state with state_mismatch", () => {
    const records = recordsOf(LEGS.map((leg) => flowAt(leg)));

    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.constantFrom(...LEGS), (state, leg) => {
        expect(outcomeOf(() => openFlow(at(0), [leg], state, records))).toBe("state_mismatch");
      }),
    );
  });
});

describe("startFlow()", () => {
  test("writes a record that no leg opens once any one bit is altered", () => {
    fc.assert(
      fc.property(fc.constantFrom(...LEGS), fc.nat(), fc.integer({ min: 0, max: 6 }), (leg, place, bit) => {
        const flow = flowAt(leg);
        const bytes = Buffer.from(flow.value);
        const index = place % bytes.length;
        bytes[index] = (bytes[index] ?? 0) ^ (1 << bit);
        const altered = new Map([[flow.name, bytes.toString("latin1")]]);

        for (const any of LEGS)
          expect(outcomeOf(() => openFlow(at(0), [any], flow.state, altered))).toBe("state_mismatch");
      }),
      { numRuns: 1_000 },
    );
  });

  test("gives four secrets, the same on return and not in the record", () => {
    const begun = startFlow(at(0), "provider");
    const back = openFlow(at(5), ["provider"], begun.state, recordsOf([begun.record]));
    const names = ["nonce", "code_verifier", "flow_id"] as const;

    const secrets = [begun.state, ...names.map((name) => deriveSecret(begun, name))];

    expect(new Set(secrets).size).toBe(4);
    expect([back.state, ...names.map((name) => deriveSecret(back, name))]).toEqual(secrets);
    for (const secret of secrets) {
      expect(secret).toMatch(/^[A-Za-z0-9_-]{43}$/);
      expect(begun.record.value).not.toContain(secret);
    }
  });

  test("derives secrets that the record does not give under another key", () => {
    const begun = startFlow(at(0), "provider");
    const [mac] = createMacs([new Uint8Array(32).fill(2)], "flow cookies");

    expect(mac?.(`${begun.record.value} code_verifier`)).not.toBe(deriveSecret(begun, "code_verifier"));
    expect(mac?.(`${begun.record.value} state`)).not.toBe(begun.state);
  });
});

describe("createShared()", () => {
  const [oldSecret, newSecret] = [randomKey(), randomKey()];
  // Nothing connects to it: no test here runs a statement.
  const UNUSED = { url: "postgres://127.0.0.1:1/unused", prepare: true, dataDir: "unused" };
  const db = useForAll(
    () => openDatabase(UNUSED),
    ({ close }) => close(),
  );

  const depsWith = (change: Record<string, string>): Deps => {
    const discord = {
      apiUrl: "https://discord.com/api/v10",
      authorizeUrl: "https://discord.com/oauth2/authorize",
      cdnUrl: "https://cdn.discordapp.com",
    };
    const environment = environmentFor("https://janus.example.org", discord, "https://auth.example.org");
    const config = readConfig({ ...environment, ...change });
    const shared = createShared({ config, rules: DEFAULT_RULES }, db, {
      fetch: () => Promise.reject(new Error("nothing may be sent")),
      now: at(0).now,
      sleep: () => Promise.resolve(),
      log: createLog("silent", () => undefined, at(0).now),
      version: "0.0.0-test",
    });
    return depsOf(shared, "id-of-a-request");
  };

  test("opens a flow of the old COOKIE_SECRET while a new one is first", () => {
    const before = depsWith({ COOKIE_SECRET: oldSecret });
    const during = depsWith({ COOKIE_SECRET: `${newSecret},${oldSecret}` });
    const after = depsWith({ COOKIE_SECRET: newSecret });

    const { state, record } = startFlow(before, "discord");

    const records = recordsOf([record]);
    expect(outcomeOf(() => openFlow(during, ["discord"], state, records))).toBe("taken");
    expect(outcomeOf(() => openFlow(after, ["discord"], state, records))).toBe("state_mismatch");
  });

  test("opens a flow of the new COOKIE_SECRET after the old one is gone", () => {
    const during = depsWith({ COOKIE_SECRET: `${newSecret},${oldSecret}` });
    const after = depsWith({ COOKIE_SECRET: newSecret });

    const { state, record } = startFlow(during, "discord");

    const records = recordsOf([record]);
    expect(outcomeOf(() => openFlow(after, ["discord"], state, records))).toBe("taken");
  });

  test("opens a token of the old TOKEN_KEYS key behind a new one", () => {
    const before = depsWith({ TOKEN_KEYS: `k1:${oldSecret}` });
    const during = depsWith({ TOKEN_KEYS: `k2:${newSecret},k1:${oldSecret}` });

    const sealed = before.tokenSealer.seal("a token", "row");

    expect(during.tokenSealer.open(sealed, "row")).toBe("a token");
    expect(during.tokenSealer.seal("a token", "row")).toStartWith("k2.");
  });
});

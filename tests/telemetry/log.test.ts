/** The log: only what is on the list, one JSON line an event. */

import { describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { discordUnavailable } from "../../lib/errors.ts";
import type { LogEvent } from "../../lib/telemetry/events.ts";
import type { LogFields, LogLevel, MainLog } from "../../lib/telemetry/log.ts";
import { createLog, describeCause, describeError, LOG_LEVELS } from "../../lib/telemetry/log.ts";
import { hear } from "../fixtures/command.ts";

const NOW = new Date("2026-11-22T12:00:00.123Z");
const CANARY = "canary-of-a-secret";
/** A message that looks like a line of a stack. */
const FRAME = `\n    at ${CANARY} (${CANARY}.ts:1:1)`;
const LEVELS = ["debug", "info", "warn", "error"] as const;

/** Every field that may be written, with a value. A field that is new in `LogFields` must be entered here. */
const ALLOWED: { readonly [Name in keyof LogFields]-?: NonNullable<LogFields[Name]> } = {
  requestId: "request-1",
  traceId: "0af7651916cd43dd8448eb211c80319c",
  route: "/linked-role",
  method: "GET",
  status: 200,
  durationMs: 12,
  code: "flow_expired",
  reason: "older than its lifetime",
  causeName: "TypeError",
  causeCode: "ECONNREFUSED",
  stack: "Error\n    at somewhere",
  step: "discord",
  outcome: "linked",
  source: "hook",
  discordUserId: "200000000000000001",
  upstream: "discord",
  host: "discord.example:8443",
  operation: "token_code",
  retries: 2,
  count: 3,
  address: "http://127.0.0.1:3000",
  peer: "192.0.2.1",
  version: "0.1.0",
  rules: "rules.toml with 1 record: member",
};

/** What must have no name to travel under. */
const FORBIDDEN = [
  "token",
  "access_token",
  "accessToken",
  "refreshToken",
  "code_verifier",
  "state",
  "cookie",
  "cookies",
  "headers",
  "authorization",
  "secret",
  "url",
  "path",
  "query",
  "body",
  "message",
  "msg",
  "err",
  "error",
  "cause",
  "config",
  "claims",
  "username",
];

/** A log at a level, and the lines that it has written. */
function logAt(level: LogLevel): { readonly log: MainLog; readonly lines: string[] } {
  const lines: string[] = [];
  return {
    log: createLog(
      level,
      (line) => void lines.push(line),
      () => NOW,
    ),
    lines,
  };
}

function onlyLine(lines: readonly string[]): Record<string, unknown> {
  expect(lines).toHaveLength(1);
  return JSON.parse(lines[0] ?? "") as Record<string, unknown>;
}

describe("createLog()", () => {
  test("writes level, time, event and the given fields, and nothing else", () => {
    const { log, lines } = logAt("info");

    log.info("flow_step", ALLOWED);

    expect(onlyLine(lines)).toEqual({
      level: "info",
      time: NOW.toISOString(),
      event: "flow_step",
      ...ALLOWED,
    });
  });

  test("writes no field that is not on the list, even if code passes one", () => {
    const { log, lines } = logAt("debug");
    const everything = Object.fromEntries(FORBIDDEN.map((name) => [name, CANARY]));

    log.error("request_failed", { ...everything, ...ALLOWED } as LogFields);

    expect(onlyLine(lines)).toEqual({
      level: "error",
      time: NOW.toISOString(),
      event: "request_failed",
      ...ALLOWED,
    });
    expect(lines.join("")).not.toContain(CANARY);
  });

  test("writes no field of any other name, and none that is inherited", () => {
    const name = fc
      .string()
      .filter((text) => !(text in ALLOWED) && !["level", "time", "event"].includes(text));

    fc.assert(
      fc.property(fc.dictionary(name, fc.constant(CANARY)), (fields) => {
        const { log, lines } = logAt("debug");

        log.info("request", { ...fields, status: 200 } as LogFields);

        expect(onlyLine(lines)).toEqual({
          level: "info",
          time: NOW.toISOString(),
          event: "request",
          status: 200,
        });
      }),
    );
  });

  test("does not let a field take the place of level, time or event", () => {
    const { log, lines } = logAt("info");

    log.info("request", { level: "error", time: "1970", event: "other" } as LogFields);

    expect(onlyLine(lines)).toEqual({ level: "info", time: NOW.toISOString(), event: "request" });
    expect(lines[0]?.match(/"(level|time|event)":/g)).toHaveLength(3);
  });

  test("writes one line an event, whatever a field holds", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.string({ unit: "binary" }), (event, reason) => {
        const { log, lines } = logAt("debug");

        log.warn(event as LogEvent, { reason });
        log.warn("stopped");

        expect(lines).toHaveLength(2);
        for (const line of lines) expect(line.indexOf("\n")).toBe(line.length - 1);
        expect(JSON.parse(lines[0] ?? "")).toMatchObject({ event, reason });
      }),
    );
  });

  test("leaves out fields that are undefined", () => {
    const { log, lines } = logAt("info");

    log.info("request", { step: undefined, code: undefined });

    expect(Object.keys(onlyLine(lines))).toEqual(["level", "time", "event"]);
  });

  test.each([...LOG_LEVELS])("writes at the level %s nothing that is less grave", (level) => {
    const { log, lines } = logAt(level);

    for (const name of LEVELS) log[name]("request");

    const graveness: readonly string[] = [...LEVELS, "silent"];
    const written = lines.map((line) => (JSON.parse(line) as { level: string }).level);
    expect(written).toEqual(LEVELS.filter((name) => graveness.indexOf(name) >= graveness.indexOf(level)));
  });
});

describe("prepare()", () => {
  test("writes the same line as the level, without a field that is not listed", () => {
    const { log, lines } = logAt("info");
    const fixed = { route: "/login", secret: CANARY } as LogFields;

    log.prepare("info", "request", fixed)({ status: 200, token: CANARY } as LogFields);
    log.info("request", { route: "/login", status: 200 });

    const [prepared, plain] = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(prepared).toEqual(plain ?? {});
    expect(lines.join("")).not.toContain(CANARY);
  });

  test("writes the same line as the level, whatever the fields hold", () => {
    const value = fc.oneof(fc.string({ unit: "binary" }), fc.double(), fc.constant(undefined));
    const some = fc.record(Object.fromEntries(Object.keys(ALLOWED).map((name) => [name, value])), {
      requiredKeys: [],
    });
    const given = (fields: object) =>
      Object.fromEntries(Object.entries(fields).filter(([, field]) => field !== undefined));

    fc.assert(
      fc.property(some, some, (fixed, fields) => {
        const { log, lines } = logAt("info");

        log.prepare("warn", "request", fixed as LogFields)(fields as LogFields);
        log.warn("request", { ...given(fixed), ...given(fields) } as LogFields);

        for (const line of lines) expect(line.indexOf("\n")).toBe(line.length - 1);
        const [prepared, plain] = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
        expect(prepared).toEqual(plain ?? {});
      }),
    );
  });

  test("writes nothing below the level", () => {
    const { log, lines } = logAt("info");

    log.prepare("debug", "request", {})({ status: 200 });

    expect(lines).toEqual([]);
  });
});

describe("createLineWriter()", () => {
  const program = join(import.meta.dir, "..", "fixtures", "log_lines.ts");
  const run = async (
    format: string,
    terminal: boolean,
    count: number,
    shell = "",
    before = "",
    onOutput: (stdout: string) => void = () => undefined,
  ) => {
    const command = `${before} "${process.execPath}" run "${program}" ${format} ${terminal} ${count} ${shell}`;
    const child = Bun.spawn(["sh", "-c", command], { stdout: "pipe", stderr: "pipe", env: { TZ: "UTC" } });
    const [stdout, stderr] = await Promise.all([
      hear(child.stdout, onOutput),
      new Response(child.stderr).text(),
    ]);
    return { stdout, stderr, exitCode: await child.exited };
  };

  test.each([
    ["json", true],
    ["json", false],
    ["auto", false],
  ])("writes every line as JSON for %s, terminal %j", async (format, terminal) => {
    const { stdout } = await run(format, terminal, 5_000);

    const lines = stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as { event: string; count?: number });
    expect(lines.slice(0, -1).map(({ count }) => count)).toEqual(
      Array.from({ length: 5_000 }, (_, index) => index + 1),
    );
    expect(lines.at(-1)).toMatchObject({ level: "warn", event: "stopped", reason: "two words" });
  });

  test.each([
    ["readable", false],
    ["readable", true],
    ["auto", true],
  ])("writes lines for people for %s, terminal %j", async (format, terminal) => {
    const { stdout } = await run(format, terminal, 2);

    const lines = stdout.trimEnd().split("\n");
    expect(lines).toHaveLength(3);
    expect(Bun.stripANSI(lines[0] ?? "")).toBe(
      '[12:00:00.123] INFO: request {"route":"/linked-role","count":1}',
    );
    expect(Bun.stripANSI(lines[2] ?? "")).toBe('[12:00:00.123] WARN: stopped {"reason":"two words"}');
    expect(stdout.includes("\u001b[")).toBe(terminal);
  });

  test("goes on when nobody reads any more", async () => {
    const { stderr } = await run("json", false, 50_000, "| head -n 1 >/dev/null");

    expect(stderr).toContain("alive");
  });

  /** A new folder, with a pipe `said` for what the program says of itself. */
  async function withPipe<Result>(work: (place: string) => Promise<Result>): Promise<Result> {
    const place = await mkdtemp(join(tmpdir(), "janus-log-"));
    Bun.spawnSync(["mkfifo", join(place, "said"), join(place, "lines")]);
    return work(place).finally(() => rm(place, { recursive: true, force: true }));
  }
  /** Waits until the program has said so many words. Open for both, a pipe blocks nobody. */
  const awaitWords = (place: string, words: number): string =>
    `exec 3<>${place}/said; ${"read word <&3; ".repeat(words)}`;
  /** Tells the program to end when the number of lines that were dropped has arrived. */
  const meet = (place: string) => (stdout: string) => {
    if (stdout.includes("log_lines_dropped")) writeFileSync(join(place, "met"), "");
  };
  const parse = (stdout: string) =>
    stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as { event: string; count: number });

  test.each([
    ["while it goes on", 1, "stopped"],
    ["at the end", 2, "log_lines_dropped"],
  ])("counts dropped lines for a returning reader: %s", async (_, words, last) => {
    const { stdout } = await withPipe((place) =>
      run(
        "json",
        false,
        20_000,
        `${words === 1 ? `${place}/met` : ""} 2>${place}/said | { ${awaitWords(place, words)} cat; }`,
        "",
        meet(place),
      ),
    );

    const lines = parse(stdout);
    const written = lines.filter(({ event }) => event === "request").length;
    const dropped = lines.filter(({ event }) => event === "log_lines_dropped");
    // Those of the loop and the last one, less those that arrived.
    expect(dropped).toMatchObject([{ level: "warn", count: 20_001 - (lines.length - 1) }]);
    expect(written).toBeGreaterThan(1_000);
    expect(written).toBeLessThan(20_000);
    expect(lines.at(-1)?.event).toBe(last);
  });

  test("goes on after a while in which nobody took a line", async () => {
    const { stdout } = await withPipe((place) => {
      const begin = `head -c 100 <${place}/lines >/dev/null`;
      const goOn = `${awaitWords(place, 1)} cat <${place}/lines`;
      return run(
        "json",
        false,
        20_000,
        `${place}/met >${place}/lines 2>${place}/said & ${begin}; ${goOn}; wait`,
        `exec 3<>${place}/said;`,
        meet(place),
      );
    });

    // The first was begun before anybody read.
    const [, ...lines] = stdout.trimEnd().split("\n");
    const events = lines.map((line) => (JSON.parse(line) as { event: string }).event);
    expect(events).toContain("log_lines_dropped");
    expect(events.at(-1)).toBe("stopped");
  });

  test("does not wait for a full disk", async () => {
    const { stderr } = await run("json", false, 20_000, "> /dev/full");

    expect(stderr).toContain("alive");
  });

  test("does not wait for a reader that reads nothing", async () => {
    // The reader ends after the program does: neither would, if the program waited for it.
    const { stderr } = await withPipe((place) =>
      run("json", false, 20_000, `2>${place}/said | { cat ${place}/said >&2; }`),
    );

    expect(stderr).toContain("alive");
  });
});

describe("describeError()", () => {
  test("gives code, reason and cause, or the cause of a defect", () => {
    const cause = Object.assign(new TypeError(CANARY), { code: "ECONNREFUSED" });

    const ours = describeError(discordUnavailable("revoke: the connection failed or was lost", { cause }));
    const other = describeError(cause);

    expect(ours).toMatchObject({ causeName: "TypeError", causeCode: "ECONNREFUSED" });
    expect([ours.code, ours.reason]).toEqual([
      "discord_unavailable",
      "revoke: the connection failed or was lost",
    ]);
    expect(other).toEqual({ ...ours, code: "internal", reason: "unexpected failure" });
    expect(JSON.stringify(ours)).not.toContain(CANARY);
  });
});

describe("describeCause()", () => {
  test("gives the class, the code, and where in the program it arose", () => {
    const cause = Object.assign(new TypeError("text"), { code: "ECONNREFUSED" });

    const { causeName, causeCode, stack } = describeCause(cause);

    expect({ causeName, causeCode }).toEqual({ causeName: "TypeError", causeCode: "ECONNREFUSED" });
    for (const line of stack?.split("\n") ?? []) expect(line).toMatch(/^ +at .+:\d+:\d+\)?$/);
  });

  test("never gives a message, or the cause of a cause", () => {
    const inner = new Error(CANARY);
    const causes = [
      new Error(CANARY),
      new TypeError(CANARY, { cause: inner }),
      new AggregateError([inner], CANARY),
      new DOMException(CANARY, "TimeoutError"),
      Object.assign(new Error(CANARY), { detail: CANARY, query: CANARY, parameters: [CANARY], code: 1 }),
      CANARY,
      { message: CANARY, code: CANARY, stack: `Error\n    at ${CANARY}` },
      [CANARY],
      null,
      undefined,
    ];

    for (const cause of causes) expect(JSON.stringify(describeCause(cause))).not.toContain(CANARY);
  });

  test("never gives a message that looks like a stack", () => {
    const message = fc
      .array(fc.oneof(fc.constantFrom(CANARY, FRAME, "\n", "    at ", "$&", "$`"), fc.string()), {
        maxLength: 5,
      })
      .map((parts) => parts.join(""));

    fc.assert(
      fc.property(message, (text) => {
        expect(JSON.stringify(describeCause(new Error(text)))).not.toContain(CANARY);
      }),
    );
  });

  test("never gives a message that the error had when its stack was made", () => {
    const cause = new Error(FRAME);
    void cause.stack;
    cause.message = "another";

    expect(JSON.stringify(describeCause(cause))).not.toContain(CANARY);
  });
});

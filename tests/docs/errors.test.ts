/** `docs/errors.md` agrees with the program in its codes, titles, reasons, commands and events. */
import { describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { VARIABLES } from "../../lib/config/load.ts";
import type { ErrorCode } from "../../lib/error_codes.ts";
import { ERROR_CODES, isCommandErrorCode, isPublicErrorCode } from "../../lib/error_codes.ts";
import { JanusError } from "../../lib/errors.ts";
import { TEXTS } from "../../lib/pages/texts/languages.ts";
import { LOG_EVENTS } from "../../lib/telemetry/events.ts";
import { LOG_LEVELS } from "../../lib/telemetry/log.ts";
import { LANGUAGES } from "../../lib/text/languages.ts";
import { readCommands } from "../fixtures/deployment.ts";
import { withoutFences } from "../fixtures/markdown.ts";
import { blankComments, listFiles, ROOT, readText } from "../fixtures/source.ts";
import { useDatabase } from "../harness/hooks.ts";

const DOCUMENT = "docs/errors.md";
const PARTS = ["When", "Log", "To do", "Changed"];
/** Names of variables and codes that belong to other programs. */
const FOREIGN_NAMES =
  /^(NODE_[A-Z_]+|BUN_[A-Z_]+|SSL_CERT_(FILE|DIR)|(HTTPS?|ALL|NO)_PROXY|PLATFORM_NAME|ERR_[A-Z_]+|CONNECT_TIMEOUT|UNABLE_TO_[A-Z_]+|SELF_SIGNED_[A-Z_]+|CERT_[A-Z_]+)$/;

const text = await readText(DOCUMENT);
const [beforeEvents = "", aboutEvents = ""] = text.split("\n## Events of the log\n");

type Entry = { readonly code: string; readonly head: string; readonly body: string };

const entries: readonly Entry[] = beforeEvents
  .split(/^### /m)
  .slice(1)
  .map((section) => {
    const [code = "", , head = "", ...body] = (section.split(/^## /m)[0] ?? "").split("\n");
    return { code, head, body: oneLine(withoutFences(body.join("\n"))) };
  });

/** The code of each source, comments blanked. */
const sources = await Promise.all(
  listFiles("{lib,sql}/**/*.{ts,tsx}").map(async (path) => ({
    path,
    source: blankComments(await readText(path)),
  })),
);
const errorsSource = sources.find(({ path }) => path === "lib/errors.ts")?.source ?? "";

function oneLine(part: string): string {
  return part.replaceAll(/\s+/g, " ").trim();
}

/** The texts between backticks, without fenced blocks. */
function codeSpans(part: string): string[] {
  const spans = withoutFences(part).matchAll(/`([^`]+)`/g);
  return [...spans].map(([, span = ""]) => oneLine(span));
}

/** A text of the program as the document writes it, with … for the parts that vary. */
const withDots = (literal: string): string => literal.replaceAll(/(?:\$\{[^}]*\})+/g, "…");

/** A code as the program has it; `new JanusError` takes no other. */
const errorOf = (code: string): JanusError => new JanusError(code as ErrorCode, "");

describe("the entries of docs/errors.md", () => {
  test("are exactly one for each error code", () => {
    expect(entries.map(({ code }) => code).sort()).toEqual([...ERROR_CODES].sort());
  });

  test.each([...ERROR_CODES])("match the code for %s", (code) => {
    const { head = "", body = "" } = entries.find((entry) => entry.code === code) ?? {};

    if (isPublicErrorCode(code)) {
      const title = TEXTS.en.errors[code].title.replaceAll("{platform}", "PLATFORM_NAME");
      expect(head).toStartWith(`HTTP ${errorOf(code).status}, *${title}*`);
      if (head.includes("exit code")) expect(head).toEndWith(`exit code ${errorOf(code).exitStatus}`);
    } else {
      expect(head).toBe(isCommandErrorCode(code) ? `Exit code ${errorOf(code).exitStatus}` : "On no page");
    }
    for (const part of PARTS) expect(body.toLowerCase()).toContain(`**${part.toLowerCase()}**`);
    const [, todo = ""] = /\*\*to do\*\*: (.*?)(?= - \*\*Changed\*\*|$)/i.exec(body) ?? [];
    expect(todo.length).toBeGreaterThan("nothing".length);
  });

  test("name variables, files and commands that exist", async () => {
    const known: readonly string[] = VARIABLES.map(({ name }) => name);
    const isCommand = readCommands();
    const routes = await readText("index.ts");
    const spans = codeSpans(text);

    const variables = spans.flatMap((span) => /^([A-Z]+(?:_[A-Z]+)+)(?:=.*)?$/.exec(span)?.[1] ?? []);
    const files = spans.filter((span) => /^(lib|sql|docs|tests)\/|^example\.env$/.test(span));
    const commands = spans.flatMap((span) => /^janus ([a-z]+)/.exec(span)?.[1] ?? []);
    const addresses = spans.flatMap((span) => /^(?:[A-Z]+ )?(\/[a-z][a-z/:-]*)$/.exec(span)?.[1] ?? []);

    for (const found of [variables, files, commands, addresses]) expect(found.length).toBeGreaterThan(1);
    const unknown = variables.filter((name) => !known.includes(name) && !FOREIGN_NAMES.test(name));
    expect(unknown).toEqual([]);
    expect(files.filter((file) => !existsSync(join(ROOT, file)))).toEqual([]);
    expect(commands.filter((word) => !isCommand(word))).toEqual([]);
    const own = addresses.filter(
      (path) => !["/api/", "/64"].includes(path) && !path.startsWith("/.well-known"),
    );
    expect(own.filter((path) => !routes.includes(`"${path}"`))).toEqual([]);
  });
});

describe("the reasons in docs/errors.md", () => {
  /** By constructor: `const flowExpired = (…) => new JanusError("flow_expired", …)`. */
  const codes = new Map(
    [...errorsSource.matchAll(/export const (\w+) = [^;]*?(?:new JanusError|ofCommand)\(\s*"(\w+)"/g)].map(
      ([, name = "", code = ""]) => [name, code],
    ),
  );
  const isTold = (code: string, reason: string): boolean => {
    const { body = "" } = entries.find((entry) => entry.code === code) ?? {};
    const spans = codeSpans(body);
    // A reason that ends in a varying part may have one entry for each value.
    if (reason.endsWith(": …")) return spans.some((span) => span.startsWith(reason.slice(0, -1)));
    return spans.includes(reason) || spans.includes(reason.replace(/^[a-z_]+: /, "…: "));
  };

  /** The texts that an error is made with, by what makes it. */
  function* reasonsOf(maker: string): Generator<string> {
    const call = new RegExp(`\\b${maker}\\(\\s*(?:upstream,\\s*)?(["'\`])((?:(?!\\1).)*)\\1`, "g");
    for (const { path, source } of sources) {
      if (path === "lib/errors.ts") continue;
      for (const [, , reason = ""] of source.matchAll(call)) yield withDots(reason);
    }
  }

  test("include every reason of an error, at its code", () => {
    const untold: string[] = [];
    let count = 0;
    for (const [maker, code] of codes) {
      if (isCommandErrorCode(code)) continue;
      for (const reason of reasonsOf(maker)) {
        count += 1;
        if (!isTold(code, reason)) untold.push(`${code}: ${reason}`);
      }
    }

    expect(untold).toEqual([]);
    expect(count).toBeGreaterThan(50);
  });

  test("include the fixed reason of each code that has one", () => {
    const fixed = [...errorsSource.matchAll(/new JanusError\(\s*"(\w+)", "([^"]+)"/g)];

    expect(fixed.length).toBeGreaterThan(5);
    for (const [, code = "", reason = ""] of fixed)
      expect({ code, reason, told: isTold(code, reason) }).toEqual({ code, reason, told: true });
  });

  test.each(["discord", "provider"])("include upstream failures at %s_unavailable", (upstream) => {
    const reasons = [...reasonsOf("upstream\\.unavailable"), ...reasonsOf("unavailable")].filter(
      // Leaves out reasons of one upstream only, and those that consist of varying parts.
      (reason) => !/^(jwks|discovery|userinfo|revoke): |^…: …$/.test(reason),
    );

    expect(reasons.length).toBeGreaterThan(3);
    expect(reasons.filter((reason) => !isTold(`${upstream}_unavailable`, reason))).toEqual([]);
  });

  test("all occur in the program", () => {
    const program = oneLine(sources.map(({ source }) => withDots(source)).join("\n"));
    // `…: answered 401 invalid_client` and the like are put together at run time.
    const isMade = (span: string): boolean => /: answered |^verification failed: |^…/.test(span);
    const quoted = entries.flatMap(({ code, body }) => {
      const [, log = ""] = /\*\*Log\*\*(.*?)(?= - \*\*(?:To do|Changed)\*\*:|$)/.exec(body) ?? [];
      const reasons = codeSpans(log).filter((span) => /[a-z] [a-z]/.test(span) && !isMade(span));
      return reasons.map((reason) => ({ code, reason }));
    });

    expect(quoted.length).toBeGreaterThan(50);
    expect(quoted.filter(({ reason }) => !program.includes(reason.replace(/[…:]$/, "")))).toEqual([]);
  });
});

describe("the public texts of the errors", () => {
  test.each([...LANGUAGES])("in %s are complete for every code", (language) => {
    for (const code of ERROR_CODES.filter(isPublicErrorCode))
      for (const part of ["title", "why", "now"] as const) {
        const said = TEXTS[language].errors[code][part];
        expect(said).toMatch(part === "title" ? /^\S.{6,}[^.]$/ : /^\S.{10,}\.$/);
        if (language !== "en") expect(said).not.toBe(TEXTS.en.errors[code][part]);
      }
  });

  test.each(LANGUAGES.filter((language) => language !== "en"))(
    "in %s contain no English words",
    (language) => {
      const english = /\b(the|you|your|this|that|is|and|again|try|with|not|been|has|which)\b/i;
      const left = Object.values(TEXTS[language].errors).flatMap(({ title, why, now }) =>
        [title, why, now].filter((said) => english.test(said)),
      );

      expect(left).toEqual([]);
    },
  );
});

describe("the events of the log", () => {
  const rows = [...aboutEvents.matchAll(/^\| `([^`]+)` \| ([a-z, ]+) \| (.+) \|$/gm)].map(
    ([, event = "", levels = "", meaning = ""]) => ({ event, levels: levels.split(", "), meaning }),
  );
  const CALL = /\blog(?:\.(debug|info|warn|error)\(|\[([^\]]+)\]\()\s*(?:"([^"]*)")?/g;
  const PREPARED = /\blog\.prepare\(([^,]+),\s*(?:"([^"]*)")?/g;
  // log.ts only passes on the names that its callers give, and those are typed.
  const callers = sources.filter(({ path }) => path !== "lib/telemetry/log.ts");
  const logged = callers.flatMap(({ source }) => [
    ...[...source.matchAll(CALL)].map(([, level, choice = "", event]) => ({
      event,
      levels: level === undefined ? levelsOf(choice, source) : [level],
    })),
    ...[...source.matchAll(PREPARED)].map(([, choice = "", event]) => ({
      event,
      levels: [...choice.matchAll(/"(\w+)"/g)].map(([, level = ""]) => level),
    })),
  ]);

  test("are each once in docs/errors.md, with a meaning", () => {
    expect(logged.filter(({ event }) => event === undefined)).toEqual([]);
    expect(rows.map(({ event }) => event).sort()).toEqual(
      [...new Set(logged.map(({ event = "" }) => event))].sort(),
    );
    expect(rows.map(({ event }) => event).sort()).toEqual([...LOG_EVENTS].sort());
    for (const { meaning } of rows) expect(meaning.length).toBeGreaterThan(10);
  });

  test("are in docs/errors.md with the levels they are logged at", () => {
    for (const { event, levels } of rows) {
      const own = logged.filter((call) => call.event === event).flatMap((call) => call.levels);
      expect({ event, levels: levels.toSorted() }).toEqual({ event, levels: [...new Set(own)].toSorted() });
    }
  });
});

/** The levels that an expression chooses from: those that it names, or that the function it calls may return. */
function levelsOf(choice: string, source: string): string[] {
  const [, name = ""] = /^(\w+)\(/.exec(choice) ?? [];
  const returned = new RegExp(`function ${name}\\(.*\\): ([^{]*) \\{`).exec(source)?.[1] ?? "";
  return LOG_LEVELS.filter((level) => (name === "" ? choice : returned).includes(`"${level}"`));
}

describe("the SQL of errors.md", () => {
  const database = useDatabase();

  const statements = [...text.matchAll(/^ *```sql\n([\s\S]*?)^ *```$/gm)].map(([, sql = ""]) => oneLine(sql));

  test.each(statements.map((statement) => [statement.slice(0, 50), statement] as const))(
    "runs: %s",
    async (_, statement) => {
      expect(await database.rows(statement)).toBeArray();
    },
  );
});

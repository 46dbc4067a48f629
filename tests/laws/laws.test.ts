/** The laws of the code that no compiler holds: who may import whom, who may reach outside, and what a file looks like. */
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { basename, dirname, join, normalize } from "node:path";
import { blank, findLines, listFiles, ROOT, readText } from "../fixtures/source.ts";

// What takes milliseconds may take seconds on a machine that is busy.
setDefaultTimeout(30_000);

/** What may import what: a room imports from lower levels, and from its own. `handlers.ts` of any room is at the top. */
const LEVELS: readonly (readonly string[])[] = [
  ["errors", "crypto", "time", "text", "config", "telemetry"],
  ["database", "oauth"],
  ["discord", "oidc", "rules"],
  ["deps", "flow", "grants", "link", "session", "member", "sync", "operator"],
  ["http", "pages", "api", "cli", "server"],
];
const TOP = LEVELS.length - 1;
const PARTS = 2;

type Import = { readonly from: string; readonly to: string; readonly typeOnly: boolean };
type Source = {
  readonly path: string;
  readonly text: string;
  /** Without comments. */
  readonly bare: string;
  /** Without comments, and without what stands in texts. */
  readonly code: string;
  readonly imports: readonly Import[];
};

const STATEMENT = /(?:^|;)[ \t]*(?:import|export)\s+(type\s+)?(?:([^"';]*?)\s+from\s+)?["']([^"']+)["']/gm;
const CALL = /\b(?:import|require|getBuiltinModule)\(\s*["'`]([^"'`]+)["'`]/g;

const PATHS = ["index.ts", ...listFiles("{lib,sql}/**/*.{ts,tsx}")];
const SOURCES: readonly Source[] = await Promise.all(
  PATHS.map(async (path) => parseSource(path, await readText(path))),
);
const LIB = SOURCES.filter(({ path }) => path.startsWith("lib/") && !path.endsWith(".d.ts"));

function parseSource(path: string, text: string): Source {
  const bare = blank(text, "comments");
  return { path, text, bare, code: blank(text, "comments and texts"), imports: readImports(path, bare) };
}

/** The sources as they are, but one of them begins with a breach: what a law must find. */
function plant(path: string, breach: string): readonly Source[] {
  return SOURCES.map((source) =>
    source.path === path ? parseSource(path, `${breach}\n${source.text}`) : source,
  );
}

/** What a file imports: files of the program by their path, packages by their name. */
function readImports(path: string, bare: string): readonly Import[] {
  const statements = [...bare.matchAll(STATEMENT)].map(([, type, names = "", to = ""]) => {
    const named = /^\{([^}]*)\}$/.exec(names.trim())?.[1]?.split(",") ?? [];
    const allTypes = named.length > 0 && named.every((name) => name.trim() === "" || /^\s*type\s/.test(name));
    return { to, typeOnly: type !== undefined || allTypes };
  });
  const dynamic = [...bare.matchAll(CALL)].map(([, to = ""]) => ({ to, typeOnly: false }));
  return [...statements, ...dynamic].map(({ to, typeOnly }) => ({
    from: path,
    to: to.startsWith(".") ? normalize(join(dirname(path), to)) : to,
    typeOnly,
  }));
}

const nameOf = (path: string): string => path.replace(/^(lib|sql)\//, "").replace(/\.tsx?$/, "");
const roomOf = (path: string): string => nameOf(path).split("/")[0] ?? "";
const levelOf = (path: string): number => {
  if (!path.startsWith("lib/")) return LEVELS.length;
  return /\/handlers\.tsx?$/.test(path) ? TOP : LEVELS.findIndex((rooms) => rooms.includes(roomOf(path)));
};
const isProgram = (path: string): boolean => /\.tsx?$/.test(path) && PATHS.includes(path);
const OWN_IMPORTS = SOURCES.flatMap(({ imports }) => imports).filter(({ to }) => isProgram(to));

/** Where a pattern occurs in code, as `path:line: the line`; `allowed` are the paths where it may. */
function offenders(pattern: RegExp, allowed: readonly string[] = [], sources = SOURCES): string[] {
  return sources
    .filter(({ path }) => !allowed.includes(path))
    .flatMap(({ path, code }) => findLines(code, pattern).map((line) => `${path}:${line}`));
}

/** Who imports a package, or a part of it, and may not. */
function importers(
  isMeant: (to: string) => boolean,
  isAllowed: (path: string) => boolean,
  sources = SOURCES,
): string[] {
  return sources.flatMap(({ path, imports }) =>
    imports.filter(({ to }) => isMeant(to) && !isAllowed(path)).map(({ to }) => `${path} imports ${to}`),
  );
}

const isPackage = (name: string) => (to: string) => to === name || to.startsWith(`${name}/`);

describe("levels", () => {
  test("every file of lib/ is in a room, or is one of the leaves", () => {
    expect(LIB.filter(({ path }) => levelOf(path) < 0).map(({ path }) => path)).toEqual([]);
    expect(LIB.filter(({ path }) => dirname(path) === "lib").map(({ path }) => path)).toEqual([
      "lib/crypto.ts",
      "lib/deps.ts",
      "lib/errors.ts",
      "lib/time.ts",
    ]);
  });

  test("imports lead to a lower level, or to the file's own", () => {
    const upwards = OWN_IMPORTS.filter(({ from, to }) => levelOf(to) > levelOf(from));

    expect(upwards.map(({ from, to }) => `${from} imports ${to}`)).toEqual([]);
    expect(OWN_IMPORTS.length).toBeGreaterThan(50);
  });

  test("discord/, oidc/ and rules/ know nothing of each other but types", () => {
    const sideways = OWN_IMPORTS.filter(
      ({ from, to, typeOnly }) =>
        levelOf(from) === PARTS && levelOf(to) === PARTS && !typeOnly && roomOf(from) !== roomOf(to),
    );

    expect(sideways.map(({ from, to }) => `${from} imports ${to}`)).toEqual([]);
  });

  test("no file is named after its room", () => {
    const named = LIB.filter(({ path }) => basename(path).replace(/\.tsx?$/, "") === basename(dirname(path)));

    expect(named.map(({ path }) => path)).toEqual([]);
  });

  test("no file imports itself by a way round", () => {
    const values = OWN_IMPORTS.filter(({ typeOnly }) => !typeOnly);
    const circles = PATHS.filter((path) => reachable(path, values).has(path));

    expect(circles).toEqual([]);
  });

  test("nobody but the entry points starts the command line", () => {
    const starters = importers(
      (to) => to === "lib/cli/run.ts",
      (path) => path === "index.ts" || path === "sql/migrate.ts",
    );

    expect(starters).toEqual([]);
  });
});

/** Everything that a file leads to. */
function reachable(start: string, imports: readonly Import[]): ReadonlySet<string> {
  const found = new Set<string>();
  const waiting = [start];
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    for (const { from, to } of imports) {
      if (from !== path || found.has(to)) continue;
      found.add(to);
      waiting.push(to);
    }
  }
  return found;
}

/** Who reads the environment: by its name, or by what has it, given away whole or taken apart. */
function environmentReaders(sources: readonly Source[]): string[] {
  const named = /\b(process|Bun|import\.meta)(\?\.|\.)env\b|(?<!\.)\b(process|Bun|import\.meta)\b(?!\.)/;
  return [...offenders(named, ["lib/config/sources.ts"], sources), ...renamers(sources)];
}

/** Who has what Bun and the process can do under names of their own, which the other laws do not know. */
function renamers(sources: readonly Source[]): string[] {
  const modules = /^((node:)?process|bun)$/;
  return [
    ...importers(
      (to) => modules.test(to),
      () => false,
      sources,
    ),
    ...offenders(/\b(globalThis|global)\b|\bself[.[]/, [], sources),
  ];
}

/** What time may be counted with, other than the `sleep` that is passed in: who, with what, and why. */
const TIMERS: Readonly<Record<string, readonly [why: string, ...what: readonly string[]]>> = {
  "lib/cli/commands/healthcheck.ts": ["the deadline of its one request", "AbortSignal.timeout"],
  "lib/time.ts": ["one timer for the deadlines of all statements", "setTimeout"],
  "lib/database/embedded/session.ts": [
    "lets the program have its say between statements; an owner that is idle",
    "node:timers/promises",
    "setImmediate",
    "setTimeout",
  ],
  "lib/http/form.ts": ["the deadline of a form", "setTimeout"],
  "lib/telemetry/line_writer.ts": ["lines written together, and the deadline of the last", "setTimeout"],
  "lib/server/listener.ts": ["passes of the loop before the stop", "node:timers/promises", "setImmediate"],
  "lib/oauth/upstream.ts": [
    "the deadline of a call, and of a request that waits for what others wait for",
    "AbortSignal.timeout",
    "setTimeout",
  ],
  "lib/server/upkeep.ts": ["the beat of the rounds", "setInterval"],
  "lib/server/world.ts": ["makes the sleep of all the others", "node:timers/promises", "setTimeout"],
};

/** What each file counts time with: Node's modules, what all may call, and what Bun and the platform have besides. */
function timersOf(sources: readonly Source[]): Record<string, readonly string[]> {
  const modules = /^(node:)?timers(\/|$)/;
  const called =
    /\bset(?:Timeout|Interval|Immediate)\b|\bBun\.sleep(?:Sync)?\b|\bAbortSignal\.timeout\b|\bscheduler\b|\bAtomics\b|\bnextTick\b/g;
  const found = sources.map(({ path, code, imports }) => {
    const imported = imports.map(({ to }) => to).filter((to) => modules.test(to));
    return [path, [...new Set([...imported, ...(code.match(called) ?? [])])].sort()] as const;
  });
  return Object.fromEntries(found.filter(([, what]) => what.length > 0));
}

describe("the way out", () => {
  test("only config/sources.ts reads the environment", () => {
    expect(environmentReaders(SOURCES)).toEqual([]);
  });

  test.each([
    'import { env } from "node:process";',
    'import { setTimeout as wait } from "node:timers/promises"; import { env } from "node:process";',
    'import surroundings from "process";',
    'import { env as surroundings } from "bun";',
    'const { env } = await import("node:process");',
    'const { env } = require("node:process");',
    'const { env } = process.getBuiltinModule("process");',
    "const port = process.env.PORT;",
    'const port = process["env"].PORT;',
    "const port = process?.env.PORT;",
    "const { env } = process;",
    "const { PORT } = Bun.env;",
    "const { env } = Bun;",
    "const { PORT } = import.meta.env;",
    "const port = globalThis.process.env.PORT;",
    'const port = self["process"].env.PORT;',
  ])("a file other than sources.ts would be found with %s", (breach) => {
    const found = environmentReaders(plant("lib/server/upkeep.ts", breach));

    expect(found).not.toEqual([]);
    expect(found.filter((line) => !line.startsWith("lib/server/upkeep.ts"))).toEqual([]);
  });

  test("only the entry points read the command line, and only the commands print and end the process", () => {
    expect(offenders(/\bargv\b/, ["index.ts", "sql/migrate.ts"])).toEqual([]);
    expect(offenders(/\bprocess\.(stdout|stderr|exitCode)\b/, ["lib/cli/output.ts"])).toEqual([]);
    expect(offenders(/\bprocess\.(exit|on|off)\b/, ["lib/cli/commands/serve.ts"])).toEqual([]);
    expect(offenders(/\bconsole\b/)).toEqual([]);
  });

  test("only oauth/upstream.ts and healthcheck.ts call fetch; world.ts hands the global one over, once", () => {
    const calls = offenders(/\bfetch\s*\(/, ["lib/oauth/upstream.ts", "lib/cli/commands/healthcheck.ts"]);

    expect(calls).toEqual([
      expect.stringMatching(/^lib\/server\/world\.ts:\d+: .*fetch: \(url, init\) => fetch\(url, init\)/),
    ]);
  });

  test("nobody opens another connection: no http client, socket or process", () => {
    const modules =
      /^(node:)?(https?|http2|net|tls|dgram|dns|child_process|worker_threads|undici|axios)(\/|$)/;

    // The driver tells neither whether a request to cancel arrived nor that it failed.
    const allowed = ["lib/database/cancel.ts", "lib/database/connect.ts"];
    expect(
      importers(
        (to) => modules.test(to),
        (path) => allowed.includes(path),
      ),
    ).toEqual([]);
    expect(
      offenders(/\bBun\.(connect|spawn|spawnSync|\$|udpSocket)\b|\bnew WebSocket\b|\bXMLHttpRequest\b/),
    ).toEqual([]);
  });

  test("only queries and migrations import statements", () => {
    const statements = listFiles("lib/database/statements/*.ts");
    const allowed = [...statements, "lib/database/migrations.ts"];

    expect(
      importers(
        (to) => to.endsWith(".sql"),
        (path) => allowed.includes(path),
      ),
    ).toEqual([]);
  });

  test("no SQL stands in TypeScript", () => {
    const statement =
      /["'`]\s*(select|insert into|update|delete from|create|alter|drop|truncate|begin|with)\s+\w+/i;
    const found = SOURCES.filter(({ path }) => path !== "lib/database/embedded/lock_file.ts").flatMap(
      ({ path, bare }) =>
        findLines(bare, statement)
          .filter((line) => /\b(from|into|set|table|values|where|exclusive)\b/i.test(line))
          .map((line) => `${path}:${line}`),
    );

    expect(found).toEqual([]);
  });

  test("the clock is passed in: only world.ts reads it", () => {
    expect(offenders(/\bDate\.now\b|\bnew Date\(\s*\)|\bDate\(\s*\)/, ["lib/server/world.ts"])).toEqual([]);
    expect(offenders(/\bnew Date\(\s*\)/).length).toBe(1);
    // Durations: for the log, and for a deadline as the timer beside it counts.
    const durations = ["upstream", "budget"].map((name) => `lib/oauth/${name}.ts`);
    expect(offenders(/\bperformance\.now\b/, [...durations, "lib/time.ts", "lib/http/edge.ts"])).toEqual([]);
  });

  test("chance that may be guessed is for the wait between two tries alone", () => {
    expect(offenders(/\bMath\.random\b/, ["lib/discord/retries.ts"])).toEqual([]);
    expect(offenders(/\bMath\.random\b/)).toHaveLength(1);
  });

  test("waiting is passed in, too: who has a timer of its own is listed, with the reason", () => {
    const allowed = Object.entries(TIMERS).map(([path, [, ...what]]) => [path, what]);

    expect(timersOf(SOURCES)).toEqual(Object.fromEntries(allowed));
  });

  test.each([
    ["lib/server/upkeep.ts", 'import { setTimeout as wait } from "node:timers/promises";'],
    ["lib/server/upkeep.ts", 'import * as timers from "node:timers";'],
    ["lib/server/upkeep.ts", 'const { setTimeout: wait } = await import("timers/promises");'],
    ["lib/server/upkeep.ts", "setTimeout(look, 1_000);"],
    ["lib/link/provider_leg.ts", "setInterval(look, 1_000);"],
    ["lib/link/provider_leg.ts", "const wait = setImmediate;"],
    ["lib/link/provider_leg.ts", "await Bun.sleep(1_000);"],
    ["lib/link/provider_leg.ts", "Bun.sleepSync(1_000);"],
    ["lib/link/provider_leg.ts", "const signal = AbortSignal.timeout(1_000);"],
    ["lib/link/provider_leg.ts", "await scheduler.wait(1_000);"],
    ["lib/http/form.ts", 'import { setTimeout } from "node:timers/promises";'],
  ])("%s would be found with %s", (path, breach) => {
    const { [path]: found, ...others } = timersOf(plant(path, breach));
    const { [path]: own, ...rest } = timersOf(SOURCES);

    expect(found).not.toEqual(own);
    expect(others).toEqual(rest);
  });
});

describe("packages", () => {
  test.each([
    ["elysia", ["index.ts", "lib/http/response.ts"]],
    ["arctic", ["lib/oauth/authorization.ts"]],
    ["oslo", ["lib/crypto.ts"]],
    ["jose", ["lib/oidc/id_token.ts", "lib/oidc/keys.ts"]],
    [
      "postgres",
      [
        "lib/database/open.ts",
        ...["connect", "connection", "failures"].map((name) => `lib/database/${name}.ts`),
      ],
    ],
    ["@electric-sql/pglite", ["lib/database/embedded/open.ts"]],
    ["bun:sqlite", ["lib/database/embedded/lock_file.ts"]],
    ["pino", ["lib/telemetry/log.ts"]],
    ["pino-pretty", ["lib/telemetry/line_writer.ts"]],
    ["commander", ["lib/cli/program.ts", "lib/cli/command.ts", ...listFiles("lib/cli/commands/*.ts")]],
    ["cookie", ["lib/http/cookies.ts"]],
    ["negotiator", ["lib/http/accept.ts"]],
    ["ipaddr.js", ["lib/http/client_address.ts"]],
    ["proxy-addr", ["lib/config/variables.ts", "lib/http/client_address.ts"]],
    [
      "preact",
      ["lib/pages/link.tsx", "lib/pages/member_sections.tsx", "lib/pages/parts.tsx", "lib/pages/frame.tsx"],
    ],
    ["preact-render-to-string", ["lib/pages/frame.tsx"]],
  ])("%s is known to %j alone", (name, allowed) => {
    expect(importers(isPackage(name), (path) => allowed.includes(path))).toEqual([]);
  });

  test("discord-api-types is there for its types", () => {
    const values = SOURCES.flatMap(({ imports }) => imports).filter(
      ({ to, typeOnly }) => to.startsWith("discord-api-types") && !typeOnly,
    );

    expect(values).toEqual([]);
  });

  test("what is imported is a dependency, and what is a dependency is imported", async () => {
    const { dependencies } = await Bun.file(join(ROOT, "package.json")).json();
    const imported = SOURCES.flatMap(({ imports }) => imports)
      .filter(
        ({ to, typeOnly }) =>
          !typeOnly && !isProgram(to) && !/^(node:|bun:|bun$|lib\/|sql\/|package\.json)/.test(to),
      )
      .map(({ to }) => /^(@[^/]+\/)?[^/]+/.exec(to)?.[0] ?? to);

    // JSX becomes an import of preact.
    if (PATHS.some((path) => path.endsWith(".tsx"))) imported.push("preact");

    expect([...new Set(imported)].sort()).toEqual(Object.keys(dependencies).sort());
  });
});

describe("TypeScript", () => {
  // `satisfies` and `as const` assert nothing that the compiler has not checked; an alias renames.
  const withoutAliases = SOURCES.map((source) => ({
    ...source,
    code: source.code.replaceAll(/^(import|export)\b[^;]*;?$/gm, (statement) =>
      statement.replaceAll(/[^\n]/g, " "),
    ),
  }));

  test("no `as`", () => {
    expect(offenders(/\bas\b(?!\s+const\b)/, ["lib/assets.d.ts"], withoutAliases)).toEqual([]);
  });

  test("no `any`", () => {
    expect(offenders(/(?<![.\w])any\b(?!\s*[(:])/)).toEqual([]);
  });

  test("no `!` where null or undefined may be", () => {
    expect(offenders(/[\w)\]]!(?=[.[(;,)\s]|$)(?!=)/)).toEqual([]);
  });

  test("no enum, namespace, ignored error or switched-off rule", () => {
    const enums = offenders(/^\s*(export\s+)?(const\s+)?(enum|namespace)\s/);
    const ignored = SOURCES.flatMap(({ path, text }) =>
      findLines(text, /@ts-(ignore|nocheck|expect-error)|biome-ignore|eslint-disable/).map(
        (line) => `${path}:${line}`,
      ),
    );

    expect([...enums, ...ignored]).toEqual([]);
  });

  test("one class: the error", () => {
    expect(offenders(/\bclass\s+[A-Z]\w*/)).toEqual([
      expect.stringMatching(/^lib\/errors\.ts:\d+: .*class JanusError/),
    ]);
  });

  test("no default export, and no export of what stands elsewhere", () => {
    expect(offenders(/^export\s+default\b/, ["lib/assets.d.ts"])).toEqual([]);
    expect(offenders(/^export\s+(type\s+)?(\*|\{)/)).toEqual([]);
  });
});

describe("files", () => {
  const BANNED = /^(utils?|helpers?|common|types?|misc|services?|managers?|shared|lib|main)$/;

  test("have a name that says what they do", () => {
    const program = [...PATHS, ...listFiles("sql/**/*.sql")];
    const tests = listFiles("tests/**/*.ts").filter((path) => !/(^|\/)helpers?\.ts$/.test(path));
    const words = (path: string) => basename(path).replace(/\..*$/, "").split(/[_-]/);

    expect(
      [...program, ...tests].filter((path) => words(path).length === 1 && BANNED.test(words(path)[0] ?? "")),
    ).toEqual([]);
    expect(
      LIB.filter(({ path }) => /(_|^)(utils?|helpers?|service|manager)(_|$)/.test(nameOf(path))),
    ).toEqual([]);
  });

  test("stay under 300 lines", () => {
    const long = LIB.map(({ path, text }) => `${path}: ${text.trimEnd().split("\n").length}`).filter(
      (line) => Number(line.split(": ")[1]) > 300,
    );

    expect(long).toEqual([]);
  });

  test("of lib/ open with what they are for, in two lines or more", () => {
    const without = LIB.filter(({ text }) => !/^\/\*\*(?:(?!\*\/)[\s\S]){60,}?\*\/\n(?!export)/.test(text));

    expect(without.map(({ path }) => path)).toEqual([]);
  });

  test("explain every export", () => {
    const bare = SOURCES.flatMap(({ path, text }) => {
      const lines = text.split("\n");
      return lines.flatMap((line, index) => {
        if (!/^export (?!\{|\*|type \{)/.test(line)) return [];
        const before = lines[index - 1] ?? "";
        return /\*\/$/.test(before.trimEnd()) ? [] : [`${path}:${index + 1}: ${line}`];
      });
    });

    expect(bare).toEqual([]);
  });

  test("name no machine: no home, temporary or working folder", () => {
    const named = SOURCES.flatMap(({ path, text }) =>
      findLines(text, /\/(home|Users|tmp|root|work|opt)\/\w/).map((line) => `${path}:${line}`),
    );

    expect(named).toEqual([]);
  });
});

describe("blank()", () => {
  test("leaves code and takes comments, texts, templates and regular expressions", () => {
    const source = [
      "const a = 'as any'; // as any",
      `const b = \`as \${c as string} any \${"as"}\`;`,
      "/* as any */ const d = /as [/] any/.test(e) / 2 as number;",
      'return <p class="as">{f}</p>;',
    ].join("\n");

    const found = blank(source, "comments and texts").match(/\bas\b|\bany\b/g);

    expect(found).toEqual(["as", "as"]);
    expect(
      blank(source, "comments and texts")
        .split("\n")
        .map(({ length }) => length),
    ).toEqual(source.split("\n").map(({ length }) => length));
    expect(blank(source, "comments")).toContain("'as any';");
  });
});

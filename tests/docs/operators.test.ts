/** What is written for operators, held to what the program does. */
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { ROUTES } from "../../index.ts";
import { type Environment, readConfig, readDatabaseConfig, VARIABLES } from "../../lib/config/load.ts";
import { ERROR_CODES } from "../../lib/errors.ts";
import { listFiles, ROOT, readText } from "../fixtures/source.ts";
import { randomKey } from "../harness/janus.ts";

// What takes milliseconds may take seconds on a machine that is busy.
setDefaultTimeout(30_000);

const readme = await readText("README.md");
const exampleLines = (await readText("example.env")).split("\n");

/** The rows of the README's table that has these columns, cells trimmed. */
function readTable(columns: readonly string[]): readonly (readonly string[])[] {
  const lines = readme.split("\n");
  const head = lines.indexOf(`| ${columns.join(" | ")} |`);
  if (head < 0) throw new Error(`README.md has no table ${columns.join(" | ")}`);
  const rest = lines.slice(head + 2);
  const end = rest.findIndex((line) => !line.startsWith("|"));
  return rest.slice(0, end < 0 ? undefined : end).map((line) =>
    line
      .replaceAll("\\|", "\u0000")
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.replaceAll("\u0000", "|").trim()),
  );
}

describe("README.md", () => {
  const table = () => readTable(["Variable", "Default", "Meaning"]);
  const names = () => table().map(([cell = ""]) => /^`(\w+)`/.exec(cell)?.[1] ?? cell);

  test("lists every variable of the configuration, once, and no other", () => {
    expect(names()).toEqual(expect.arrayContaining(VARIABLES.map(({ name }) => name)));
    expect(names()).toHaveLength(VARIABLES.length);
  });

  test.each([...VARIABLES])(
    "says of $name whether it is required, its default, and whether a file may hold it",
    (variable) => {
      const [cell = "", fallback] =
        table().find(([first = ""]) => first.startsWith(`\`${variable.name}\``)) ?? [];

      const expected = variable.required ? "**required**" : variable.default ? `\`${variable.default}\`` : "";
      expect(fallback).toBe(expected);
      expect(cell.endsWith("◆")).toBe(variable.secret);
    },
  );

  test("lists every route, and no other", () => {
    const listed = readTable(["address", "what it does"]).map(([cell = ""]) => cell.replaceAll("`", ""));

    expect(listed).toEqual(ROUTES.map(([method, path]) => `${method} ${path}`));
  });

  test("tells of commands and options that exist", async () => {
    const help = await readText("lib/cli/arguments.ts");
    const options = readTable(["command", "what it does"]).flatMap(
      ([cell = ""]) => cell.match(/(?<=[\s`])--?[a-z]+/g) ?? [],
    );

    expect(options.length).toBeGreaterThan(3);
    for (const option of options) expect(help).toContain(option);
    const { scripts } = await Bun.file(join(ROOT, "package.json")).json();
    const named = [...readme.matchAll(/`bun run (\w+)`/g)].map(([, script = ""]) => script);
    expect(named.filter((script) => scripts[script] === undefined)).toEqual([]);
  });

  test("links to files that exist", () => {
    const targets = [...readme.matchAll(/\]\((?!https?:|#)([^)#]+)\)/g)].map(([, target = ""]) => target);

    expect(targets.length).toBeGreaterThan(0);
    expect(targets.filter((target) => !existsSync(join(ROOT, target)))).toEqual([]);
  });

  test("shows a way to make keys whose result is taken", async () => {
    const command = /`(echo "k1:\$\(openssl[^`]+)`/.exec(readme)?.[1] ?? "false";

    const made = (await new Response(Bun.spawn(["sh", "-c", command]).stdout).text()).trim();

    expect(() => readConfig({ ...filled, TOKEN_KEYS: made })).not.toThrow();
  });
});

describe("docs/proxies.md", async () => {
  const text = await readText("docs/proxies.md");
  const recipes = await Promise.all(["deploy/nginx.conf", "deploy/Caddyfile"].map(readText));

  test("names variables that exist, in values that are taken", () => {
    const known = new Set(VARIABLES.map(({ name }) => name));
    const pattern = /\b(?:[A-Z]+_)+[A-Z]+\b/g;
    const named = [text, ...recipes].flatMap((page) => page.match(pattern) ?? []);
    const given = [text, ...recipes].flatMap((page) => [
      ...page.matchAll(/\b(TRUSTED_PROXIES|DRAIN_SECONDS)=(\S+)/g),
    ]);

    expect(new Set(named).size).toBeGreaterThan(5);
    expect(named.filter((name) => !known.has(name))).toEqual([]);
    expect(given.length).toBeGreaterThan(5);
    for (const [, name = "", value = ""] of given)
      expect(() => readConfig({ ...filled, [name]: value })).not.toThrow();
  });

  test("links to files that exist", () => {
    const targets = [...text.matchAll(/\]\((?!https?:|#)([^)#]+)\)/g)].map(([, target = ""]) => target);

    expect(targets.length).toBeGreaterThan(1);
    expect(targets.filter((target) => !existsSync(join(ROOT, "docs", target)))).toEqual([]);
  });

  test("drains for longer than the recipe for nginx keeps a connection, and gives a replica up", () => {
    const [nginx = ""] = recipes;
    const seconds = (pattern: RegExp) => Number(pattern.exec(nginx)?.[1]);
    const drain = seconds(/DRAIN_SECONDS=(\d+)/);

    expect(drain).toBeGreaterThan(seconds(/^ {2}keepalive_timeout (\d+)s;/m));
    expect(drain).toBeGreaterThan(seconds(/fail_timeout=(\d+)s/));
    expect(text).toContain(`DRAIN_SECONDS=${drain}`);
  });

  test("waits for an answer for longer than Janus does", async () => {
    const own = Number(/IDLE_TIMEOUT_SECONDS = (\d+)/.exec(await readText("lib/server/listener.ts"))?.[1]);

    for (const recipe of recipes) {
      const waits = /(?:proxy_read_timeout|response_header_timeout) (\d+)s/.exec(recipe)?.[1];
      expect(Number(waits)).toBeGreaterThan(own);
    }
  });
});

type Entry = {
  readonly name: string;
  readonly value: string;
  readonly commented: boolean;
  readonly line: number;
};

const entries: readonly Entry[] = exampleLines.flatMap((text, line) => {
  const match = /^(# )?([A-Z][A-Z_]+)=(.*)$/.exec(text);
  if (match === null) return [];
  const [, comment, name = "", value = ""] = match;
  return [{ name, value, commented: comment !== undefined, line }];
});

/** What an operator fills in where the example leaves it empty. */
const filledIn: Environment = {
  PUBLIC_URL: "https://janus.example.org",
  OIDC_ISSUER: "https://auth.example.org/application/o/janus/",
  DISCORD_CLIENT_ID: "1111111111111111111",
  DISCORD_CLIENT_SECRET: "secret",
  OIDC_CLIENT_ID: "janus",
  OIDC_CLIENT_SECRET: "secret",
  TOKEN_KEYS: `k1:${randomKey()}`,
  COOKIE_SECRET: randomKey(),
};
const asGiven = Object.fromEntries(
  entries.filter(({ commented }) => !commented).map(({ name, value }) => [name, value]),
);
const filled: Environment = { ...asGiven, ...filledIn };

describe("example.env", () => {
  test("has every variable of the configuration, once, and no other", () => {
    expect(entries.map(({ name }) => name).sort()).toEqual(VARIABLES.map(({ name }) => name).sort());
  });

  test("shows what the server requires, and keeps the rest in comments with its default", () => {
    const isRequired = new Map(
      VARIABLES.map(({ name, required }) => [name, required && name !== "DISCORD_BOT_TOKEN"]),
    );

    for (const { name, value, commented } of entries) {
      expect({ name, commented }).toEqual({ name, commented: isRequired.get(name) !== true });
      const fallback = VARIABLES.find((variable) => variable.name === name)?.default;
      if (commented && fallback) expect(`${name}=${value}`).toBe(`${name}=${fallback}`);
    }
  });

  test("is a configuration once the empty ones are filled in, and is the defaults with every comment taken away", () => {
    const withAll = { ...Object.fromEntries(entries.map(({ name, value }) => [name, value])), ...filledIn };

    const config = readConfig(filled);
    const whole = readConfig(withAll);

    const { database, oidc, ...rest } = whole;
    expect({ ...config, ...rest }).toEqual(config);
    expect({ ...database, url: config.database.url }).toEqual(config.database);
    expect(oidc).toMatchObject({
      ...config.oidc,
      scopes: oidc.scopes,
      authorizeParams: oidc.authorizeParams,
      tokenAuthMethod: oidc.tokenAuthMethod,
    });
    expect(readDatabaseConfig(withAll).database.url).toBeString();
    expect(whole.oidc.scopes).toContain("openid");
  });

  test("leaves no secret in place, and nothing that a shell or a container would read otherwise", () => {
    const secrets = VARIABLES.filter(({ secret }) => secret).map(({ name }) => name);

    for (const { name, value, commented } of entries) {
      if (secrets.includes(name) && !commented) expect(value).toBe("");
      expect(value).not.toMatch(/["'#$\\]|\s$/);
    }
  });

  test("explains each variable in a comment above it", () => {
    const obvious = ["PORT", "DISCORD_AUTHORIZE_URL"];
    const unexplained = entries.filter(({ line }) => !/^# (?![A-Z_]+=)\S/.test(exampleLines[line - 1] ?? ""));

    expect(unexplained.map(({ name }) => name).filter((name) => !obvious.includes(name))).toEqual([]);
    for (const line of exampleLines) expect(line.length).toBeLessThanOrEqual(120);
  });
});

describe("errors.ts", () => {
  test("has no code that no test produces", async () => {
    const own = ["documentation", "errors_documentation", "pages"].map((name) => `tests/${name}.test.ts`);
    const paths = listFiles("tests/**/*.test.ts").filter((path) => !own.includes(path));
    const texts = await Promise.all(paths.map(readText));

    const named = (code: string) => texts.some((text) => new RegExp(`["'\`]${code}["'\`]`).test(text));

    expect(ERROR_CODES.filter((code) => !named(code))).toEqual([]);
  });
});

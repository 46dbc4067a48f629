/** The documents for operators agree with the program. */
import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { ROUTES } from "../../index.ts";
import { readConfig, readDatabaseConfig, VARIABLES } from "../../lib/config/load.ts";
import type { Environment } from "../../lib/config/sources.ts";
import type { ErrorCode } from "../../lib/error_codes.ts";
import { ERROR_CODES } from "../../lib/error_codes.ts";
import { JanusError } from "../../lib/errors.ts";
import { createProblem } from "../../lib/http/problem.ts";
import { readTable } from "../fixtures/markdown.ts";
import { listFiles, ROOT, readText } from "../fixtures/source.ts";
import { useDatabase } from "../harness/hooks.ts";
import { randomKey } from "../harness/janus.ts";

const configuration = await readText("docs/configuration.md");
const exampleLines = (await readText("example.env")).split("\n");

describe("docs/configuration.md", () => {
  const table = () => readTable(configuration, ["Variable", "Default", "Meaning"]);
  const names = () => table().map(([cell = ""]) => /^`(\w+)`/.exec(cell)?.[1] ?? cell);

  test("lists every variable once and no other", () => {
    expect(names()).toEqual(expect.arrayContaining(VARIABLES.map(({ name }) => name)));
    expect(names()).toHaveLength(VARIABLES.length);
  });

  test.each([...VARIABLES])("describes $name as the code does", (variable) => {
    const [cell = "", fallback] =
      table().find(([first = ""]) => first.startsWith(`\`${variable.name}\``)) ?? [];

    const isRequired = variable.required && variable.name !== "DISCORD_BOT_TOKEN";
    const expected = isRequired ? "**required**" : variable.default ? `\`${variable.default}\`` : "";
    expect(fallback).toBe(expected);
    expect(cell.endsWith("◆")).toBe(variable.secret);
  });
});

test.each(["docs/configuration.md", "docs/install.md", "example.env"])(
  "%s shows commands that print keys which the program accepts",
  async (path) => {
    const commands = (await readText(path)).match(/echo "[A-Z_]+=.*\$\(openssl .*\)"$/gm) ?? [];

    const printed = await new Response(Bun.spawn(["sh", "-c", commands.join("\n")]).stdout).text();
    const made = Object.fromEntries(printed.split("\n", 2).map((line) => line.split("=", 2)));

    expect(Object.keys(made)).toEqual(["TOKEN_KEYS", "COOKIE_SECRET"]);
    expect(commands).toHaveLength(2);
    expect(() => readConfig({ ...filled, ...made })).not.toThrow();
  },
);

describe("docs/install.md", async () => {
  const text = await readText("docs/install.md");
  const ways = [...text.matchAll(/^### ((?:From|With|As) .*)\n([\s\S]*?)(?=^##)/gm)].map(
    ([, way = "", section = ""]) => [way, section] as const,
  );

  test("has every way to run Janus", () => {
    expect(ways.map(([way]) => way)).toEqual([
      ...["From the checkout", "With systemd", "With compose", "From the image", "As a Quadlet"],
    ]);
  });

  test.each(ways)("registers the records and says what to see: %s", (_, section) => {
    expect(section).toContain("register");
    expect(section).toContain("You should now see");
  });

  test("creates the file and the keys before it fills them in", () => {
    const steps = ["cp example.env .env", "TOKEN_KEYS=k1:", "COOKIE_SECRET=", "Fill in the required section"];
    const places = steps.map((step) => text.indexOf(step));

    expect(places).not.toContain(-1);
    expect(places).toEqual(places.toSorted((a, b) => a - b));
  });
});

test("no text puts the bot token into a command, which a shell remembers", async () => {
  const paths = [
    "README.md",
    "example.env",
    ...listFiles("{docs,deploy}/*"),
    ...listFiles("lib/cli/**/*.ts"),
  ];
  const pages = await Promise.all(paths.map(readText));

  expect(pages.flatMap((page) => page.match(/\bDISCORD_BOT_TOKEN=.+/g) ?? [])).toEqual([]);
});

describe("docs/api.md", async () => {
  const text = await readText("docs/api.md");

  test("lists exactly the routes of the program", () => {
    const listed = readTable(text, ["route", "what it does"]).map(([cell = ""]) => cell.replaceAll("`", ""));

    expect(listed).toEqual(ROUTES.map(([method, path]) => `${method} ${path}`));
  });

  test("shows a problem document as the program makes it", () => {
    const example = JSON.parse(/```json\n(\{\n {2}"type"[\s\S]*?)\n```/.exec(text)?.[1] ?? "{}");

    expect(createProblem("sync_too_soon", 429, "en", "Janus")).toEqual(example);
  });

  test("gives every error in its table the status that the program gives it", () => {
    const rows = readTable(text, ["status", "code", "what to do"]);

    expect(rows.length).toBeGreaterThan(5);
    for (const [status = "", codes = ""] of rows)
      for (const [, code = ""] of codes.matchAll(/`([a-z_]+)`/g))
        expect({ code, status: new JanusError(code as ErrorCode, "").status }).toEqual({
          code,
          status: Number(status),
        });
  });
});

describe("docs/commands.md", async () => {
  const text = await readText("docs/commands.md");
  const cells = readTable(text, ["command", "what it does"]).map(([cell = ""]) => cell);

  test("lists exactly the commands of the program", () => {
    const { stdout } = Bun.spawnSync([process.execPath, "run", join(ROOT, "index.ts"), "--help"]);
    const [, listed = ""] = /^Commands:\n((?: .*\n)+)/m.exec(stdout.toString()) ?? [];
    const commands = [...listed.matchAll(/^ {2}([a-z]+(?:-[a-z]+)*)/gm)].map(([, word = ""]) => word);

    const named = cells.flatMap((cell) =>
      [...cell.matchAll(/`janus ([a-z]+(?:-[a-z]+)*)/g)].map(([, word = ""]) => word),
    );

    expect(commands.length).toBeGreaterThan(5);
    expect([...new Set(named)].sort()).toEqual(commands.sort());
  });

  test("names only options that exist", async () => {
    const help = (await Promise.all(listFiles("lib/cli/**/*.ts").map(readText))).join("\n");
    const options = cells.flatMap((cell) => cell.match(/(?<=[\s`[])--?[a-z]+/g) ?? []);

    expect(options.length).toBeGreaterThan(3);
    for (const option of options) expect(help).toContain(option);
  });
});

describe("the SQL for operators", async () => {
  const documents = ["docs/configuration.md", "docs/recovery.md"];
  const statements = (await Promise.all(documents.map(readText))).flatMap((text) =>
    [...text.matchAll(/^ *```sql\n([\s\S]*?)^ *```$/gm)].map(([, sql = ""]) => sql.trim().replace(/;$/, "")),
  );
  const database = useDatabase();

  test.each([...new Set(statements)].map((statement) => [statement.slice(0, 50), statement] as const))(
    "runs: %s",
    async (_, statement) => {
      expect(await database.rows(statement)).toBeArray();
    },
  );
});

describe("docs/proxies.md", async () => {
  const text = await readText("docs/proxies.md");
  const recipes = await Promise.all(["deploy/nginx.conf", "deploy/Caddyfile"].map(readText));

  test("names only variables that exist, with values that are accepted", () => {
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

  test("drains for longer than keepalive_timeout and fail_timeout of nginx", () => {
    const [nginx = ""] = recipes;
    const seconds = (pattern: RegExp) => Number(pattern.exec(nginx)?.[1]);
    const drain = seconds(/DRAIN_SECONDS=(\d+)/);

    expect(drain).toBeGreaterThan(seconds(/^ {2}keepalive_timeout (\d+)s;/m));
    expect(drain).toBeGreaterThan(seconds(/fail_timeout=(\d+)s/));
    expect(text).toContain(`DRAIN_SECONDS=${drain}`);
  });

  test("makes proxies wait for longer than the idle timeout of Janus", async () => {
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

/** The values that an operator fills in where the example leaves them empty. */
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
  test("has every variable once and no other", () => {
    expect(entries.map(({ name }) => name).sort()).toEqual(VARIABLES.map(({ name }) => name).sort());
  });

  test("sets what the server requires, with the rest in comments", () => {
    const isRequired = new Map(
      VARIABLES.map(({ name, required }) => [name, required && name !== "DISCORD_BOT_TOKEN"]),
    );

    for (const { name, value, commented } of entries) {
      expect({ name, commented }).toEqual({ name, commented: isRequired.get(name) !== true });
      const fallback = VARIABLES.find((variable) => variable.name === name)?.default;
      if (commented && fallback) expect(`${name}=${value}`).toBe(`${name}=${fallback}`);
    }
  });

  test("is valid once filled in, and its comments are the defaults", () => {
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

  const secrets = VARIABLES.filter(({ secret }) => secret).map(({ name }) => name);

  test("has no secret, and no value that a shell reads differently", () => {
    for (const { name, value, commented } of entries) {
      if (secrets.includes(name) && !commented) expect(value).toBe("");
      expect(value).not.toMatch(/["'#$\\]|\s$/);
    }
  });

  test("marks every secret and nothing else", () => {
    const marked = entries.filter(({ line }) => {
      const above = exampleLines.slice(0, line);
      return above.slice(above.lastIndexOf("")).some((text) => text.startsWith("# ◆ "));
    });

    expect(marked.map(({ name }) => name).sort()).toEqual([...secrets].sort());
  });

  test("explains each variable above it, in lines of at most 120", () => {
    const obvious = ["PORT", "DISCORD_AUTHORIZE_URL"];
    const unexplained = entries.filter(({ line }) => !/^# (?![A-Z_]+=)\S/.test(exampleLines[line - 1] ?? ""));

    expect(unexplained.map(({ name }) => name).filter((name) => !obvious.includes(name))).toEqual([]);
    for (const line of exampleLines) expect(line.length).toBeLessThanOrEqual(120);
  });
});

describe("errors.ts", () => {
  test("has no code that no test names", async () => {
    const tables = /^tests\/(docs|pages)\//;
    const paths = listFiles("tests/**/*.test.ts").filter((path) => !tables.test(path));
    const texts = await Promise.all(paths.map(readText));

    const named = (code: string) => texts.some((text) => new RegExp(`["'\`]${code}["'\`]`).test(text));

    expect(ERROR_CODES.filter((code) => !named(code))).toEqual([]);
  });
});

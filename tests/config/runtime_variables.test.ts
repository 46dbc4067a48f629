/** Variables that Bun reads and Janus does not: from where each takes effect, as docs/errors.md says, and the warnings. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Environment } from "../fixtures/command.ts";
import { run, serve } from "../fixtures/command.ts";
import { useFolder } from "../harness/hooks.ts";
import { environmentFor } from "../harness/janus.ts";

const STANDIN = { apiUrl: "https://d.test", authorizeUrl: "https://d.test/a", cdnUrl: "https://c.test" };
const ENVIRONMENT = {
  ...environmentFor("http://localhost:3000", STANDIN, "http://127.0.0.1:1"),
  PORT: "0",
  DATABASE_URL: "postgres://127.0.0.1:1/janus",
  DATABASE_WAIT_SECONDS: "600",
};
const EFFECTLESS = " has no effect: Bun reads it from the environment that Janus is started with";

const root = useFolder("runtime");
let folders = 0;

/** A folder to start in, with a `.env` in it. */
async function folderWith(dotenv: string): Promise<string> {
  folders += 1;
  const folder = join(root, String(folders));
  await mkdir(folder);
  await Bun.write(join(folder, ".env"), dotenv);
  return folder;
}

const lineOf = (variables: Environment): string =>
  Object.entries(variables)
    .map(([name, value]) => `${name}=${value}\n`)
    .join("");

async function warningsOf(folder: string, environment: Environment, args: readonly string[] = []) {
  const { stdout } = await run(folder, "index.ts", ["config", "check", "--json", ...args], {
    ...ENVIRONMENT,
    ...environment,
  });
  const { warnings } = JSON.parse(stdout) as { readonly warnings: readonly string[] };
  return warnings;
}

describe("janus config check", () => {
  test.each(["NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE", "SSL_CERT_DIR"])(
    "warns of %s in files, not in the environment",
    async (name) => {
      const variable = { [name]: "/nowhere" };
      const [own, empty] = [await folderWith(lineOf(variable)), await folderWith("")];
      const file = join(empty, "other.env");
      await Bun.write(file, lineOf(variable));

      const inDotenv = await warningsOf(own, {});
      const inFile = await warningsOf(empty, {}, ["--env-file", file]);
      const inEnvironment = await warningsOf(own, variable);

      // What the system does not tell cannot be told apart.
      const expected =
        process.platform === "linux" ? [expect.stringContaining(`${name} in .env${EFFECTLESS}`)] : [];
      expect(inDotenv).toEqual(expected);
      expect(inFile).toEqual([expect.stringContaining(`${name} in "${file}"${EFFECTLESS}`)]);
      expect(inEnvironment).toEqual([]);
    },
  );

  test("warns of NODE_TLS_REJECT_UNAUTHORIZED=0 in .env", async () => {
    const folder = await folderWith("NODE_TLS_REJECT_UNAUTHORIZED=0\n");

    expect(await warningsOf(folder, {})).toEqual([
      expect.stringMatching(
        /^NODE_TLS_REJECT_UNAUTHORIZED=0 turns off every certificate check\. Anybody on the network path can read/,
      ),
    ]);
  });
});

test("janus serve logs warnings of Bun's variables when it starts", async () => {
  const folder = await folderWith("NODE_EXTRA_CA_CERTS=/nowhere\n");
  const server = await serve(folder, { ...ENVIRONMENT, NODE_TLS_REJECT_UNAUTHORIZED: "0" });
  const expected = process.platform === "linux" ? 2 : 1;
  const warnings = () => server.lines.filter((line) => line.includes("configuration_unwise"));
  while (warnings().length < expected) await Bun.sleep(10);
  await server.stop();

  expect(warnings()[0]).toContain("NODE_TLS_REJECT_UNAUTHORIZED=0 turns off");
  if (expected === 2) expect(warnings()[1]).toContain("NODE_EXTRA_CA_CERTS in .env has no effect");
});

describe.skipIf(Bun.which("openssl") === null)("Bun", () => {
  let server: Bun.Server<undefined>;
  let proxy: Bun.Server<undefined>;
  let certificate: string;
  beforeAll(async () => {
    const key = join(root, "key.pem");
    certificate = join(root, "certificate.pem");
    const made = Bun.spawnSync([
      ...["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"],
      ...["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate],
    ]);
    expect(made.exitCode).toBe(0);
    const tls = { key: Bun.file(key), cert: Bun.file(certificate) };
    server = Bun.serve({ hostname: "127.0.0.1", port: 0, tls, fetch: () => new Response("direct") });
    proxy = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => new Response("by the proxy") });
  });
  afterAll(() => Promise.all([server?.stop(true), proxy?.stop(true)]));

  /** What a program gets from the address, or the code of what it met. */
  async function ask(address: string, dotenv: Environment, environment: Environment): Promise<string> {
    const program = `console.log(await fetch("${address}").then((answer) => answer.text(), (error) => error.code))`;
    const child = Bun.spawn([process.execPath, "-e", program], {
      cwd: await folderWith(lineOf(dotenv)),
      env: { ...environment },
      stdout: "pipe",
      stderr: "ignore",
    });
    return (await new Response(child.stdout).text()).trim();
  }

  test.each(["NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE"])("takes %s from its environment alone", async (name) => {
    const address = server.url.origin;
    const variable = { [name]: certificate };

    expect(await ask(address, {}, variable)).toBe("direct");
    expect(await ask(address, variable, {})).not.toBe("direct");
  });

  test("also takes NODE_TLS_REJECT_UNAUTHORIZED from .env", async () => {
    const address = server.url.origin;

    expect(await ask(address, {}, {})).not.toBe("direct");
    expect(await ask(address, { NODE_TLS_REJECT_UNAUTHORIZED: "0" }, {})).toBe("direct");
    expect(await ask(address, { NODE_TLS_REJECT_UNAUTHORIZED: "false" }, {})).not.toBe("direct");
  });

  test.each(["HTTP_PROXY", "http_proxy", "ALL_PROXY"])("also takes %s from .env", async (name) => {
    const variable = { [name]: proxy.url.origin };

    expect(await ask("http://janus.test/", variable, {})).toBe("by the proxy");
    expect(await ask("http://janus.test/", {}, variable)).toBe("by the proxy");
  });
});

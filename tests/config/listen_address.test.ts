/** HOST: what is taken, where Janus then listens, what the log says of it, and where the health check asks. */
import { describe, expect, test } from "bun:test";
import { lookup } from "node:dns/promises";
import { hostname } from "node:os";
import { checkHealth } from "../../lib/cli/commands/healthcheck.ts";
import { readConfig } from "../../lib/config/load.ts";
import { FIXES } from "../../lib/config/variables.ts";
import { asJanusError } from "../../lib/errors.ts";
import { listen } from "../../lib/server/listener.ts";
import { run, serve } from "../fixtures/command.ts";
import { useFolder } from "../harness/hooks.ts";
import { environmentFor } from "../harness/janus.ts";
import { freePort } from "../harness/ports.ts";

const STANDIN = { apiUrl: "https://d.test", authorizeUrl: "https://d.test/a", cdnUrl: "https://c.test" };
const ENVIRONMENT = environmentFor("http://localhost:3000", STANDIN, "http://127.0.0.1:1");

const folder = useFolder("listen");

const hostOf = (HOST: string): string => readConfig({ ...ENVIRONMENT, HOST }).host;

describe("readConfig()", () => {
  test.each([
    ["127.0.0.1", "127.0.0.1"],
    ["0.0.0.0", "0.0.0.0"],
    [" 10.0.0.7 ", "10.0.0.7"],
    ["127.1", "127.0.0.1"],
    ["0", "0.0.0.0"],
    ["::1", "::1"],
    ["[::1]", "::1"],
    ["::", "::"],
    ["[::]", "::"],
    ["0:0:0:0:0:0:0:1", "::1"],
    ["2001:DB8::7", "2001:db8::7"],
    ["fe80::1%eth0", "fe80::1%eth0"],
    ["[fe80::1%eth0]", "fe80::1%eth0"],
    ["localhost", "127.0.0.1"],
    ["LocalHost", "127.0.0.1"],
    ["localhost.", "127.0.0.1"],
    ["Janus.internal", "janus.internal"],
    ["my_container-1", "my_container-1"],
    ["å.example.org", "xn--5ca.example.org"],
  ])("takes HOST=%j for %s", (given, host) => {
    expect(hostOf(given)).toBe(host);
  });

  test.each([
    "http://localhost",
    "http://localhost:3000",
    "https://janus.example.org",
    "//localhost",
    "localhost:3000",
    "127.0.0.1:3000",
    "[::1]:3000",
    "janus.internal:80",
    "a/b",
    "127.0.0.1/8",
    "localhost/",
    "localhost?x",
    "localhost#x",
    "user@localhost",
    "a\\b",
    "[::1",
    "::1]",
    "[127.0.0.1]",
    "[localhost]",
    "[]",
    "1.2.3.4.5",
    "256.1.1.1",
    "::1::2",
    "12345::",
    "::1%",
    "fe80::1%a/b",
    "*",
    "*:3000",
    ":3000",
    "a..b",
    "-a",
    "no host",
    "0.0.0.0, ::",
    "a%20b",
    `"127.0.0.1"`,
    `${"a".repeat(64)}.test`,
  ])("refuses HOST=%j", (HOST) => {
    let message = "";
    try {
      hostOf(HOST);
    } catch (error) {
      message = asJanusError(error).message;
    }

    expect(message).toStartWith(
      "The configuration has 1 fault:\n  HOST must be an IP address or a host name",
    );
    expect(message).toEndWith(`: ${FIXES.HOST}`);
  });
});

describe("listen()", () => {
  test.each([
    ["localhost", "127.0.0.1"],
    ["127.0.0.1", "127.0.0.1"],
    ["0.0.0.0", "0.0.0.0"],
    ["[::1]", "[::1]"],
    ["::", "[::]"],
  ])("says for HOST=%s that it listens on %s, where it answers", async (HOST, told) => {
    const PORT = String(freePort());
    const config = readConfig({ ...ENVIRONMENT, HOST, PORT });
    const listening = listen(config, { fetch: () => Response.json({ status: "alive" }) });

    const answer = await fetch(listening.address);
    const healthy = await checkHealth({ json: false, ready: false }, { HOST, PORT });
    await listening.forceClose();

    expect(listening.address).toBe(`http://${told}:${PORT}`);
    expect(answer.status).toBe(200);
    expect(healthy).toBe("alive");
  });

  test("says its address by number if HOST is a name", async () => {
    // Not every machine knows its own name.
    const HOST = await lookup(hostname()).then(hostname, () => "localhost");
    const config = readConfig({ ...ENVIRONMENT, HOST, PORT: "0" });
    const listening = listen(config, { fetch: () => new Response() });
    await listening.forceClose();

    expect(listening.address).toMatch(/^http:\/\/(127(\.\d+){3}|(\d+\.){3}\d+|\[[0-9a-f:]+\]):\d+$/);
  });

  test("puts an IPv6 address that it cannot have in brackets", () => {
    const config = readConfig({ ...ENVIRONMENT, HOST: "2001:db8::7", PORT: "3000" });
    const start = () => listen(config, { fetch: () => new Response() });

    expect(start).toThrow(/^Cannot listen on \[2001:db8::7\]:3000 \(EADDRNOTAVAIL\): set HOST and PORT/);
  });
});

describe("janus", () => {
  test.each([["config check"], ["serve"], ["healthcheck"]])(
    "exits with 2 for HOST=http://… in %s",
    async (command) => {
      const environment = { ...ENVIRONMENT, HOST: "http://localhost", PORT: "3000" };

      const { exitCode, stderr } = await run(folder, "index.ts", command.split(" "), environment);

      expect(exitCode).toBe(2);
      expect(stderr).toContain("HOST must be an IP address or a host name");
    },
  );

  test("serves on 127.0.0.1 for HOST=localhost, and logs that", async () => {
    const server = await serve(folder, {
      ...ENVIRONMENT,
      HOST: "localhost",
      PORT: "0",
      DATABASE_URL: "postgres://127.0.0.1:1/janus",
    });
    const { status } = await server.get("/healthz");
    await server.stop();

    expect(server.address).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    expect(status).toBe(200);
  });
});

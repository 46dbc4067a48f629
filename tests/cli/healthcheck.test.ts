/** `janus healthcheck` against servers that are well, unwell, slow, or somebody else. */
import { afterEach, describe, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { checkHealth } from "../../lib/cli/commands/healthcheck.ts";
import { JanusError } from "../../lib/errors.ts";
import { run } from "../fixtures/command.ts";
import { freePort } from "../harness/ports.ts";
import { useStillTime } from "../harness/still_time.ts";

const time = useStillTime();
const stops: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  await Promise.all(stops.splice(0).map((stop) => stop()));
});

const ALIVE = { status: "alive" };
const READY = { status: "ready", database: "ready", provider: "ready" };

/** A server on a port of its own; returns the environment that leads to it, and the paths it was asked for. */
function listen(answer: (path: string) => Response | Promise<Response>, hostname = "127.0.0.1") {
  const paths: string[] = [];
  const server = Bun.serve({
    hostname,
    port: 0,
    fetch: (request) => {
      const { pathname } = new URL(request.url);
      paths.push(pathname);
      return answer(pathname);
    },
  });
  stops.push(() => server.stop(true));
  return { environment: { HOST: hostname, PORT: String(server.port) }, paths, port: server.port };
}

async function refusalOf(environment: Record<string, string>, ready = false): Promise<JanusError> {
  try {
    await checkHealth({ json: false, ready }, environment);
  } catch (error) {
    if (error instanceof JanusError) return error;
    throw error;
  }
  throw new Error("it is well");
}

describe("checkHealth()", () => {
  test.each([
    ["127.0.0.1", "127.0.0.1"],
    ["0.0.0.0", "127.0.0.1"],
    ["::1", "[::1]"],
    ["::", "[::1]"],
  ])("asks a server that listens on %s at %s", async (host, asked) => {
    const { environment, paths, port } = listen(() => Response.json(ALIVE), host);

    const plain = await checkHealth({ json: false, ready: false }, environment);
    const json = await checkHealth({ json: true, ready: false }, environment);

    expect(plain).toBe("alive");
    expect(JSON.parse(json)).toEqual({ healthy: true, url: `http://${asked}:${port}/healthz` });
    expect(paths).toEqual(["/healthz", "/healthz"]);
  });

  test("says with ready what the server lacks to serve members", async () => {
    const well = listen(() => Response.json(READY));
    const warnings = ["records_not_registered", "a\u001bb"];
    const warned = listen(() => Response.json({ ...READY, warnings }));
    const unwell = listen(() =>
      Response.json(
        { ...READY, status: "not_ready", database: "database_unavailable", warnings },
        { status: 503 },
      ),
    );
    const stopping = listen(() => Response.json({ ...READY, status: "stopping" }, { status: 503 }));

    const said = await checkHealth({ json: false, ready: true }, well.environment);
    const { code, exitStatus, message } = await refusalOf(unwell.environment, true);
    const last = await refusalOf(stopping.environment, true);

    expect(said).toBe("ready");
    expect(await checkHealth({ json: false, ready: true }, warned.environment)).toBe(
      "ready\nwarning: records_not_registered\nwarning: a\\u{1b}b",
    );
    expect(JSON.parse(await checkHealth({ json: true, ready: true }, warned.environment))).toMatchObject({
      healthy: true,
      warnings: ["records_not_registered", "a\u001bb"],
    });
    expect([well.paths, unwell.paths]).toEqual([["/readyz"], ["/readyz"]]);
    expect({ code, exitStatus }).toEqual({ code: "unhealthy", exitStatus: 1 });
    expect(message).toBe(`http://127.0.0.1:${unwell.port}/readyz: database: database_unavailable`);
    expect(last.message).toEndWith("/readyz: status: stopping");
  });

  test.each([
    [
      "another program's page",
      () => new Response("<h1>It works!</h1>"),
      "answered 200, but not as Janus does",
    ],
    ["another program's JSON", () => Response.json({ ok: true }), "answered 200, but not as Janus does"],
    ["another word", () => Response.json({ status: "\u001b[2Jwell" }), "status: \\u{1b}[2Jwell"],
    ["another status", () => Response.json(ALIVE, { status: 500 }), "status: alive"],
    [
      "a redirect",
      () => Response.redirect("http://127.0.0.1:1/", 302),
      "answered 302, but not as Janus does",
    ],
    ["too much", () => new Response("x".repeat(300_000)), "the answer is over 262144 bytes"],
  ])("does not accept %s", async (_, answer, why) => {
    const { environment, paths } = listen(answer);

    const { code, message } = await refusalOf(environment);

    expect(code).toBe("unhealthy");
    expect(message).toContain(why);
    expect(message.length).toBeLessThan(300);
    expect(paths).toEqual(["/healthz"]);
  });

  test("gives up on an answer and on a body after three seconds", async () => {
    const asked = Promise.withResolvers<void>();
    const silent = listen(() => {
      asked.resolve();
      return new Promise<Response>(() => undefined);
    });
    const dripped = Promise.withResolvers<void>();
    const dripping = listen(
      () =>
        new Response(
          new ReadableStream({
            start: (it) => it.enqueue("{"),
            pull: () => dripped.resolve(),
          }),
        ),
    );

    const refusing = Promise.all([refusalOf(silent.environment), refusalOf(dripping.environment)]);
    await Promise.all([asked.promise, dripped.promise]);
    time.pass(3_000);
    const refused = await refusing;

    expect(refused.map(({ message }) => message.replace(/^\S+ /, ""))).toEqual([
      "no answer within 3000 ms",
      "no answer within 3000 ms",
    ]);
  });

  test.each([
    [{ PORT: "0" }, "PORT is 0"],
    [{ PORT: "no number" }, "PORT must be"],
    [{ HOST: "no host\u0007" }, "HOST must not contain"],
    [{ HOST: "no host" }, "HOST must be an IP address or a host name"],
    [{ HOST: "user@somewhere" }, "HOST must be an IP address or a host name"],
    [{ HOST: "somewhere/path" }, "HOST must be an IP address or a host name"],
    [{ HOST: "fe80::1%eth0" }, "HOST names an interface"],
  ])("refuses %j as a fault of the configuration", async (environment, why) => {
    const { code, message } = await refusalOf(environment);

    expect(code).toBe("config_invalid");
    expect(message).toContain(why);
  });
});

describe("janus healthcheck", () => {
  test("needs no secret, uses no proxy, and exits with 0 or 1", async () => {
    const folder = await mkdtemp(join(tmpdir(), "janus-healthcheck-"));
    const proxied = listen(() => Response.json(ALIVE));
    const proxy = `http://127.0.0.1:${proxied.port}`;
    const proxies = { HTTP_PROXY: proxy, http_proxy: proxy, ALL_PROXY: proxy, all_proxy: proxy };
    const { environment, paths } = listen((path) => Response.json(path === "/healthz" ? ALIVE : READY));
    const nobody = { ...proxies, PORT: String(freePort()) };

    const alive = await run(folder, "index.ts", ["healthcheck"], { ...environment, ...proxies });
    const ready = await run(folder, "index.ts", ["healthcheck", "--ready", "--json"], environment);
    const gone = await run(folder, "index.ts", ["healthcheck"], nobody);
    const goneJson = await run(folder, "index.ts", ["healthcheck", "--json"], nobody);
    await rm(folder, { recursive: true });

    const url = `http://127.0.0.1:${nobody.PORT}/healthz`;
    const reason = `${url}: the connection failed or was lost`;
    expect(alive).toEqual({ exitCode: 0, stdout: "alive\n", stderr: "" });
    expect(ready).toMatchObject({ exitCode: 0, stderr: "" });
    expect(gone).toEqual({ exitCode: 1, stdout: "", stderr: `janus: ${reason}\n` });
    expect(goneJson.exitCode).toBe(1);
    expect(JSON.parse(goneJson.stderr)).toEqual({ error: { code: "unhealthy", message: reason } });
    expect(JSON.parse(goneJson.stdout)).toEqual({ healthy: false, url, reason });
    expect(paths).toEqual(["/healthz", "/readyz"]);
    expect(proxied.paths).toEqual([]);
  });
});

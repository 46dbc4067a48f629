/** `janus serve` logs the warnings of `janus config check` when it starts. */
import { expect, test } from "bun:test";
import { run, serve } from "../fixtures/command.ts";
import { useFolder } from "../harness/hooks.ts";
import { randomKey } from "../harness/janus.ts";

const folder = useFolder("start-warnings");

/** A configuration without risky settings, with which Janus asks no other server. */
const WISE = {
  PUBLIC_URL: "http://localhost:3000",
  PORT: "0",
  DISCORD_CLIENT_ID: "1111111111111111111",
  DISCORD_CLIENT_SECRET: "secret",
  DISCORD_API_URL: "http://127.0.0.1:1",
  OIDC_ISSUER: "http://127.0.0.1:1/",
  OIDC_CLIENT_ID: "janus",
  OIDC_CLIENT_SECRET: "secret",
  TOKEN_KEYS: `k1:${randomKey()}`,
  COOKIE_SECRET: randomKey(),
  DATABASE_URL: "postgres://127.0.0.1:1/janus",
  DATABASE_WAIT_SECONDS: "600",
  DRAIN_SECONDS: "0",
};
type Line = { readonly level: string; readonly event: string; readonly reason?: string };

/** The warnings that a server logs when it starts; waits until as many as expected are there. */
async function reasonsAtStart(environment: Record<string, string>, expected: number): Promise<string[]> {
  const server = await serve(folder, environment);
  const parsed = () => server.lines.map((line) => JSON.parse(line) as Line);
  const reasons = () =>
    parsed().flatMap(({ level, event, reason }) =>
      event === "configuration_unwise" && level === "warn" ? [reason ?? ""] : [],
    );
  while (reasons().length < expected) await Bun.sleep(10);
  await server.stop();
  return reasons();
}

test("janus serve logs each warning of config check once, without any value", async () => {
  const unwise = {
    ...WISE,
    OIDC_CLIENT_SECRET: `"canary"`,
    DISCORD_CLIENT_SECRET: "canary ",
    TRUSTED_PROXIES: "128.0.0.0/1",
    OIDC_SCOPE: "canary",
  };

  const checked = await run(folder, "index.ts", ["config", "check", "--json"], unwise);
  const logged = await reasonsAtStart(unwise, 4);

  const { warnings } = JSON.parse(checked.stdout) as { readonly warnings: string[] };
  expect(warnings).toHaveLength(4);
  expect(logged).toEqual(warnings);
  expect(logged.join("")).not.toContain("canary");
});

test("janus serve logs no warning for a configuration without risky settings", async () => {
  expect(await reasonsAtStart(WISE, 0)).toEqual([]);
});

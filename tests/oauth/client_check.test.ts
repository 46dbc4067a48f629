/** The question whether a server knows Janus as its client: which answers say so, and that it makes no token. */
import { describe, expect, test } from "bun:test";
import { useDatabase, useJanus } from "../harness/hooks.ts";
import { CANARY, startJanusWithForger } from "../harness/janus.ts";
import { rejection } from "../harness/rejection.ts";
import { linesOf } from "../harness/seen.ts";
import type { Behaviour } from "../standins/faults.ts";

const database = useDatabase();
const janus = useJanus(() => startJanusWithForger({ database, deadlineMs: 400 }));

const answer = (status: number, error: unknown): Behaviour => ({ status, body: { error } });

const REFUSALS: readonly (readonly [what: string, behaviour: Behaviour])[] = [
  ["401 invalid_client", answer(401, "invalid_client")],
  ["400 invalid_client", answer(400, "invalid_client")],
  ["401 unauthorized_client, as Keycloak says", answer(401, "unauthorized_client")],
  ["400 incorrect_client_credentials", answer(400, "incorrect_client_credentials")],
  ["401 access_denied, as Auth0 says", answer(401, "access_denied")],
];
const UNTOLD: readonly (readonly [what: string, behaviour: Behaviour])[] = [
  ["400 invalid_request", answer(400, "invalid_request")],
  ["400 redirect_uri_mismatch", answer(400, "redirect_uri_mismatch")],
  ["401 with a word for the code", answer(401, "invalid_code")],
  ["403 access_denied", answer(403, "access_denied")],
];
const UNKNOWN: readonly (readonly [what: string, behaviour: Behaviour])[] = [
  ["500", answer(500, "invalid_client")],
  ["429", answer(429, "invalid_client")],
  ["401 Unauthorized of a gateway", { status: 401, body: "<h1>Unauthorized</h1>" }],
  ["403 Forbidden", answer(403, "Forbidden")],
  ["400 temporarily_unavailable", answer(400, "temporarily_unavailable")],
  ["200 with an error, as GitHub says", answer(200, "incorrect_client_credentials")],
  ["a page", { status: 200, body: "<h1>Please log in</h1>" }],
  ["a redirect", "redirect"],
  ["nothing at all", "hang"],
  ["a lost connection", "drop"],
];

const SERVERS = [
  ["discord", () => janus.discord.failNext.bind(null, "token_code"), () => janus.deps.discord.checkClient()],
  ["provider", () => janus.provider.failNext.bind(null, "token"), () => janus.deps.oidc.checkClient()],
] as const;

describe.each(SERVERS)("checkClient() at the %s", (name, failNext, check) => {
  test("is accepted with the right secret, and makes no token", async () => {
    const from = janus.logLines.length;

    expect(await check()).toBe("accepted");

    const calls = linesOf({ logLines: janus.logLines.slice(from) }, "upstream_call");
    expect(calls.filter(({ operation }) => operation === "client_check")).toMatchObject([
      { upstream: name, status: 400 },
    ]);
    expect(janus.provider.liveRefreshTokens()).toEqual([]);
  });

  test.each(REFUSALS)("is refused by %s", async (_, behaviour) => {
    failNext()(behaviour);

    const { code, message } = await rejection(check());

    expect(code).toBe(`${name}_client_rejected`);
    expect(message).toMatch(
      name === "discord" ? /DISCORD_CLIENT_SECRET again$/ : /OIDC_CLIENT_SECRET again$/,
    );
  });

  test.each(UNTOLD)("is not told by %s", async (_, behaviour) => {
    failNext()(behaviour);

    expect(await check()).toBe("untold");
  });

  test.each(UNKNOWN)("leaves it unknown after %s", async (_, behaviour) => {
    failNext()(behaviour);

    const { code, message } = await rejection(check());

    expect(code).toBe(`${name}_unavailable`);
    expect(message).toStartWith("client_check: ");
  });
});

test("checkClient() at the provider names a setting if the secret may be misread", async () => {
  janus.provider.failNext("token", { status: 401, body: { error: "invalid_client" } });

  const { message } = await rejection(janus.deps.oidc.checkClient());

  expect(message).toContain("set OIDC_TOKEN_AUTH_METHOD=client_secret_post");
  expect(message).not.toContain(CANARY.oidcClientSecret);
});

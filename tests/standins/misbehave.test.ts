/** The stand-ins misbehave when a test orders it, and the providers follow the protocol otherwise. */
import { afterEach, expect, test } from "bun:test";
import { createRemoteJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify } from "jose";
import {
  ANNA,
  authorizeAtForger,
  authorizeUrl,
  CALLBACK,
  CLIENT,
  discordStandin,
  exchange,
  oidcExchange,
  oidcUrl,
  paramsOf,
  tokenCall,
  tokensOf,
  USER_AGENT,
} from "./client.ts";
import type { ForgerStandin } from "./forger.ts";
import { createKey, encryptToken, startForger } from "./forger.ts";
import { approveDiscord, cancelAtProvider, createJar, signInAtProvider, visit } from "./member.ts";
import { startProvider } from "./provider.ts";

const started: { readonly stop: () => Promise<void> }[] = [];
afterEach(async () => {
  await Promise.all(started.splice(0).map((standin) => standin.stop()));
});

test("failNext() fails the next calls as ordered, and stop() ends those that hang", async () => {
  const discord = start(discordStandin());
  const call = (signal?: AbortSignal) =>
    fetch(`${discord.apiUrl}/oauth2/token`, {
      method: "POST",
      headers: { "user-agent": USER_AGENT },
      ...(signal ? { signal } : {}),
    });
  discord.failNext("token_code", { status: 429, headers: { "retry-after": "3" }, body: { retry_after: 3 } });
  discord.failNext("token_code", "drop");
  discord.failNext("token_code", "redirect");

  const limited = await call();

  expect([limited.status, limited.headers.get("retry-after")]).toEqual([429, "3"]);
  await expect(call()).rejects.toThrow();
  expect((await call()).status).toBe(404);
  expect(discord.unexpected).toEqual(["POST /redirected/api/v10/oauth2/token"]);

  discord.failNext("token_code", "hang");
  discord.failNext("token_code", "trickle");
  discord.failNext("token_code", "huge");
  const hanging = call();
  const endless = [await call(), await call()];
  const bodies = endless.map((response) => response.text());
  await discord.stop();

  for (const result of await Promise.allSettled([hanging, ...bodies])) expect(result.status).toBe("rejected");
});

test("gate() holds a call until it is released", async () => {
  const discord = start(discordStandin());
  const callback = await approveDiscord(authorizeUrl(discord), ANNA);
  const [before, after] = [discord.gate("token_code"), discord.gate("token_code", "answer")];

  const exchanging = exchange(discord, callback);
  await before.arrived;
  const whenHeld = discord.grants(ANNA);
  before.release();
  await after.arrived;
  const whenDone = discord.grants(ANNA);
  after.release();

  expect((await exchanging).status).toBe(200);
  expect([whenHeld, whenDone]).toEqual([0, 2]);
});

test("direct() decides on calls that have no order, and is told of those that ran", async () => {
  const discord = start(discordStandin());
  const callback = await approveDiscord(authorizeUrl(discord), ANNA);
  const done: string[] = [];
  discord.direct({
    choose: ({ operation, userId }) => (operation === "token_code" && userId === ANNA ? "silent" : undefined),
    done: async ({ operation, headers }, behaviour, answer) => {
      const { scope } = (await answer.clone().json()) as { readonly scope?: string };
      done.push([operation, headers.get("user-agent"), behaviour, scope].join(" "));
    },
  });
  discord.failNext("token_code", { status: 500 });
  const given = Promise.withResolvers<void>();

  const ordered = await exchange(discord, callback);
  const silent = exchange(discord, callback).catch(() => given.resolve());
  while (done.length === 0) await Bun.sleep(5);
  const tokens = discord.grants(ANNA);
  discord.direct(undefined);
  const replayed = await exchange(discord, callback);
  await discord.stop();
  await Promise.all([silent, given.promise]);

  expect(ordered.status).toBe(500);
  expect(done).toEqual([`token_code ${USER_AGENT} silent identify role_connections.write`]);
  expect(tokens).toBe(2);
  expect(await replayed.json()).toMatchObject({ error: "invalid_grant" });
});

test("startProvider() ends a sign-in with code, state and iss, and gives valid tokens", async () => {
  const provider = start(await startProvider({ ...CLIENT, redirectUris: [CALLBACK] }));
  const url = oidcUrl(`${provider.issuer}/auth`, { prompt: "consent" });

  const callback = await signInAtProvider(url, "anna");
  const tokens = await tokensOf(await oidcExchange(`${provider.issuer}/token`, callback));
  const cancelled = paramsOf(await cancelAtProvider(url));

  expect(paramsOf(callback)).toMatchObject({ state: "the-state", iss: provider.issuer });
  expect(tokens.refresh_token).toBeString();
  expect(cancelled.error).toBe("access_denied");
  const userInfo = await fetch(`${provider.issuer}/me`, {
    headers: { authorization: `Bearer ${tokens.access_token}` },
  });
  expect(await userInfo.json()).toMatchObject({ preferred_username: "anna", groups: ["members", "board"] });
  const { payload } = await jwtVerify(
    tokens.id_token,
    createRemoteJWKSet(new URL(`${provider.issuer}/jwks`)),
  );
  expect(payload).toMatchObject({ nonce: "the-nonce", aud: CLIENT.clientId });
  expect(payload.groups).toBeUndefined();
  expect(provider.calls).toEqual(["authorize", "token", "authorize", "userinfo", "jwks"]);
  expect(provider.unexpected).toEqual([]);
});

test("startProvider() rotates its keys, and ends the grant of a removed account", async () => {
  const options = {
    ...CLIENT,
    redirectUris: [CALLBACK],
    groupsIn: "id_token",
    idTokenSignedResponseAlg: "ES256",
  } as const;
  const provider = start(await startProvider(options));
  const url = oidcUrl(`${provider.issuer}/auth`, { prompt: "consent" });
  const tokens = await tokensOf(
    await oidcExchange(`${provider.issuer}/token`, await signInAtProvider(url, "bo")),
  );

  provider.rotateKeys();
  const form = { grant_type: "refresh_token", refresh_token: tokens.refresh_token };
  const refreshed = await tokensOf(await tokenCall(`${provider.issuer}/token`, form));
  provider.removeUser("bo");
  const ended = await tokenCall(`${provider.issuer}/token`, {
    ...form,
    refresh_token: refreshed.refresh_token,
  });

  const { kid } = decodeProtectedHeader(tokens.id_token);
  const jwks = createRemoteJWKSet(new URL(`${provider.issuer}/jwks`));
  expect(decodeProtectedHeader(refreshed.id_token).kid).not.toBe(kid);
  await expect(jwtVerify(tokens.id_token, jwks)).rejects.toThrow();
  expect((await jwtVerify(refreshed.id_token, jwks)).payload.groups).toEqual(["members"]);
  expect(await ended.json()).toMatchObject({ error: "invalid_grant" });
});

test("startForger() follows the protocol when nothing is ordered", async () => {
  const forger = start(
    startForger({ ...CLIENT, redirectUris: [CALLBACK], issuerPath: "/application/o/janus/" }),
  );
  const callback = await authorizeAtForger(`${forger.url}/authorize`);

  const tokens = await tokensOf(await oidcExchange(`${forger.url}/token`, callback));

  const discovery = await fetch(`${forger.issuer}.well-known/openid-configuration`);
  expect(await discovery.json()).toMatchObject({ issuer: forger.issuer });
  expect(paramsOf(callback).iss).toBe(forger.issuer);
  const expected = { issuer: forger.issuer, audience: CLIENT.clientId };
  const { payload } = await jwtVerify(
    tokens.id_token,
    createRemoteJWKSet(new URL(`${forger.url}/jwks`)),
    expected,
  );
  expect(payload).toMatchObject({ nonce: "the-nonce", preferred_username: "anna" });
  expect((await oidcExchange(`${forger.url}/token`, callback)).status).toBe(400);
  expect(
    (
      await oidcExchange(
        `${forger.url}/token`,
        await authorizeAtForger(`${forger.url}/authorize`),
        "x".repeat(43),
      )
    ).status,
  ).toBe(400);
});

test("startForger() forges ID Tokens and iss as ordered", async () => {
  const forger = start(
    startForger({ ...CLIENT, redirectUris: [CALLBACK], freshSubjects: true, key: createKey("EdDSA") }),
  );
  const forge = async () => {
    const callback = await authorizeAtForger(`${forger.url}/authorize`);
    return (await tokensOf(await oidcExchange(`${forger.url}/token`, callback))).id_token;
  };

  forger.override({
    idToken: (claims, sign) => sign(claims, { alg: "none", kid: undefined }),
    iss: "absent",
  });
  const unsigned = await forge();
  forger.override({ idToken: (claims) => encryptToken(claims, CLIENT.clientSecret) });
  const encrypted = await forge();
  forger.override({
    idToken: (claims, sign) => sign({ ...claims, aud: "other" }, { jku: "https://x.example" }, "secret"),
  });
  const hmac = await forge();

  expect(unsigned.endsWith(".")).toBe(true);
  expect(encrypted.split(".")).toHaveLength(5);
  expect(decodeProtectedHeader(hmac)).toEqual({ alg: "HS256", typ: "JWT", jku: "https://x.example" });
  expect(paramsOf(await authorizeAtForger(`${forger.url}/authorize`)).iss).toBeUndefined();
});

test("startForger() signs with every algorithm that createKey() supports", async () => {
  for (const alg of ["RS256", "PS256", "ES256", "EdDSA"] as const) {
    const forger = start(startForger({ ...CLIENT, redirectUris: [CALLBACK], key: createKey(alg) }));

    const signed = forger.sign({ sub: "anna" });

    const verified = await jwtVerify(signed, createRemoteJWKSet(new URL(`${forger.url}/jwks`)));
    expect(verified.protectedHeader.alg).toBe(alg);
  }
});

test("startProvider() asks for a login on prompt=login, and lets the account change", async () => {
  const provider = start(await startProvider({ ...CLIENT, redirectUris: [CALLBACK] }));
  const jar = createJar();
  const prompted = (prompt: string) => oidcUrl(`${provider.issuer}/auth`, { prompt });
  const formOf = async (prompt: string) => {
    const interaction = (await visit(prompted(prompt), jar)).headers.get("location") ?? "";
    return await (await visit(new URL(interaction, provider.issuer), jar)).text();
  };
  const subjectOf = async (callback: string) => {
    const tokens = await tokensOf(await oidcExchange(`${provider.issuer}/token`, callback));
    return decodeJwt(tokens.id_token).sub;
  };
  await signInAtProvider(prompted("consent"), "anna", jar);

  const [consent, login] = [await formOf("consent"), await formOf("login")];
  const subjects = [
    await subjectOf(await signInAtProvider(prompted("login"), "anna", jar)),
    await subjectOf(await signInAtProvider(prompted("login consent"), "bo", jar)),
  ];
  const nowKnown = await formOf("consent");

  expect(consent).toContain("You are signed in as");
  expect(consent).not.toContain('type="password"');
  expect(login).toContain('type="password"');
  expect(subjects).toEqual(["sub-of-anna", "sub-of-bo"]);
  expect(nowKnown).toContain("Bo Bengtsson");
});

test("startProvider() lets only its client end a grant, by revoking the refresh token", async () => {
  const provider = start(await startProvider({ ...CLIENT, redirectUris: [CALLBACK] }));
  const discovery = await (await fetch(`${provider.issuer}/.well-known/openid-configuration`)).json();
  const url = oidcUrl(`${provider.issuer}/auth`, { prompt: "consent" });
  const tokensFor = async (login: string) =>
    await tokensOf(await oidcExchange(`${provider.issuer}/token`, await signInAtProvider(url, login)));
  const [first, second] = [await tokensFor("anna"), await tokensFor("bo")];
  const lives = () => [first.refresh_token, first.access_token, second.refresh_token].map(provider.isLive);
  const form = { token: first.refresh_token, token_type_hint: "refresh_token" };

  const stranger = await fetch(discovery.revocation_endpoint, {
    method: "POST",
    body: new URLSearchParams(form),
  });
  provider.failNext("revoke", { status: 503 });
  const failed = await tokenCall(discovery.revocation_endpoint, form);
  const livesBefore = lives();
  const revoked = await tokenCall(discovery.revocation_endpoint, form);

  expect([stranger.ok, failed.status, revoked.status]).toEqual([false, 503, 200]);
  expect(livesBefore).toEqual([true, true, true]);
  expect(lives()).toEqual([false, false, true]);
  expect([provider.refreshTokens("anna"), provider.refreshTokens("bo")]).toEqual([0, 1]);
  const refreshForm = { grant_type: "refresh_token", refresh_token: first.refresh_token };
  const dead = await tokenCall(`${provider.issuer}/token`, refreshForm);
  expect(await dead.json()).toMatchObject({ error: "invalid_grant" });
  expect(provider.calls.filter((operation) => operation === "revoke")).toHaveLength(3);
  expect(provider.unexpected).toEqual([]);
});

test("startForger() revokes as RFC 7009 says, and fails as ordered", async () => {
  const forger = start(startForger({ ...CLIENT, redirectUris: [CALLBACK] }));
  const tokens = await forgedTokens(forger);
  const other = await forgedTokens(forger);
  const endpoint = `${forger.url}/revoke`;
  const form = { token: tokens.refresh_token, token_type_hint: "refresh_token" };
  const lives = () => [tokens.refresh_token, tokens.access_token, other.refresh_token].map(forger.isLive);

  const discovery = await (await fetch(`${forger.issuer}/.well-known/openid-configuration`)).json();
  forger.failNext("revoke", { status: 503 });
  const refused = [
    await tokenCall(endpoint, form),
    await fetch(endpoint, { method: "POST", body: new URLSearchParams(form) }),
    await tokenCall(endpoint, { token_type_hint: "refresh_token" }),
    await tokenCall(endpoint, { ...form, token_type_hint: "id_token" }),
  ];
  const livesBefore = lives();
  const revoked = [
    await tokenCall(endpoint, form),
    await tokenCall(endpoint, form),
    await tokenCall(endpoint, { token: other.access_token }),
  ];

  expect(discovery.revocation_endpoint).toBe(endpoint);
  expect(refused.map(({ status }) => status)).toEqual([503, 401, 400, 400]);
  expect(livesBefore).toEqual([true, true, true]);
  expect(revoked.map(({ status }) => status)).toEqual([200, 200, 200]);
  expect(lives()).toEqual([false, false, true]);
  expect(forger.isLive(other.access_token)).toBe(false);
  expect(forger.calls.filter((operation) => operation === "revoke")).toHaveLength(7);
});

test("startForger() ends a whole grant when its newest refresh token is revoked", async () => {
  const forger = start(startForger({ ...CLIENT, redirectUris: [CALLBACK] }));
  const first = await forgedTokens(forger);
  const form = { grant_type: "refresh_token", refresh_token: first.refresh_token };
  const second = await tokensOf(await tokenCall(`${forger.url}/token`, form));

  await tokenCall(`${forger.url}/revoke`, { token: second.refresh_token });

  for (const secret of [first.access_token, second.access_token, second.refresh_token]) {
    expect(forger.isLive(secret)).toBe(false);
  }
});

test("startForger() can be started without a revocation endpoint", async () => {
  const forger = start(startForger({ ...CLIENT, redirectUris: [CALLBACK], revocationEndpoint: false }));

  const discovery = await (await fetch(`${forger.issuer}/.well-known/openid-configuration`)).json();
  const revoked = await tokenCall(`${forger.url}/revoke`, { token: "x" });

  expect(discovery.revocation_endpoint).toBeUndefined();
  expect(revoked.status).toBe(404);
  expect(forger.unexpected).toEqual(["POST /revoke"]);
});

async function forgedTokens(forger: ForgerStandin) {
  const callback = await authorizeAtForger(`${forger.url}/authorize`);
  return await tokensOf(await oidcExchange(`${forger.url}/token`, callback));
}

function start<Standin extends { readonly stop: () => Promise<void> }>(standin: Standin): Standin {
  started.push(standin);
  return standin;
}

test("createJar() keeps Secure cookies to https, and checks __Host- cookies", () => {
  const [secure, plain] = [new URL("https://127.0.0.1/"), new URL("http://127.0.0.1/")];
  const kept = (url: URL, line: string): string => {
    const jar = createJar();
    jar.keep(url, new Response(null, { headers: { "set-cookie": line } }));
    return `${jar.header(secure)}|${jar.header(plain)}`;
  };

  expect(kept(secure, "a=1; Path=/; Secure")).toBe("a=1|");
  expect(kept(plain, "a=1; Path=/; Secure")).toBe("|");
  expect(kept(plain, "a=1; Path=/")).toBe("a=1|a=1");
  expect(kept(secure, "__Host-a=1; Path=/; Secure; HttpOnly")).toBe("__Host-a=1|");
  expect(kept(secure, "__Host-a=1; Path=/")).toBe("|");
  expect(kept(secure, "__Host-a=1; Path=/b; Secure")).toBe("|");
  expect(kept(secure, "__Host-a=1; Secure")).toBe("|");
  expect(kept(secure, "__Host-a=1; Path=/; Secure; Domain=127.0.0.1")).toBe("|");
});

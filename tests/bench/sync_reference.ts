/**
 * What a check of a link costs with nothing around it: the same claim of twenty links, the same refresh, the same
 * verification, the same sealing and the same two statements, in a loop. The benchmark measures Janus's sync against this
 * program. Its statements and its sealing are Janus's own. `GET /sync` lets it check all links that are due.
 *
 * It leaves out everything else that a sync needs: rules, the budget that all processes share, deadlines and body caps,
 * failures of any kind, new keys of the provider, the log, and whatever else a server does. Do not deploy it.
 */
import { createRemoteJWKSet, jwtVerify } from "jose";
import postgres from "postgres";
import { createSealer } from "../../lib/crypto.ts";
import { STATEMENTS } from "../../lib/database/queries.ts";
import type { QueryOf, Statement } from "../../lib/database/statement.ts";

const env = process.env as Record<string, string>;
const { OIDC_ISSUER = "", OIDC_CLIENT_ID = "", OIDC_CLIENT_SECRET = "" } = env;
const BATCH = 20;
const LEASE_SECONDS = 390;
const DAY_SECONDS = 86_400;

const sql = postgres(env.DATABASE_URL ?? "", { max: 10, fetch_types: false, transform: postgres.toCamel });
type Value = string | Date | object | null;

/** Runs one of Janus's statements. A parameter that it has and this program does not give does not compile. */
async function run<S extends Statement>({ text, parameters }: S, values: Parameters<QueryOf<S>>[0]) {
  const byName = values as Readonly<Record<string, Value>>;
  const list = Object.keys(parameters).map((name) => byName[name] ?? null);
  return (await sql.unsafe(text, list as string[], { prepare: true })) as readonly Record<string, string>[];
}

const provider = (await (await fetch(`${OIDC_ISSUER}/.well-known/openid-configuration`)).json()) as Record<
  string,
  string
>;
const keys = createRemoteJWKSet(new URL(provider.jwks_uri ?? ""));
const authorization = `Basic ${Buffer.from(`${OIDC_CLIENT_ID}:${OIDC_CLIENT_SECRET}`).toString("base64")}`;

const [keyId = "", keyText = ""] = env.TOKEN_KEYS?.split(":") ?? [];
const sealer = createSealer([{ id: keyId, key: Buffer.from(keyText, "base64url") }], "link tokens");

const inSeconds = (now: Date, seconds: number) => new Date(now.getTime() + seconds * 1_000);

async function check(link: Record<string, string>, leasedUntil: Date): Promise<void> {
  const { discordUserId = "", issuer = "", subject = "", organisationRefreshTokenSealed = "" } = link;
  const row = JSON.stringify([issuer, subject]);
  const answer = await fetch(provider.token_endpoint ?? "", {
    method: "POST",
    // As Janus does it: a refresh token is good once, and a connection that was kept may have died.
    keepalive: false,
    headers: { authorization },
    body: new URLSearchParams({
      grant_type: "refresh_token",
      refresh_token:
        sealer.open(organisationRefreshTokenSealed, `organisation_token.refresh_token:${row}`) ?? "",
    }),
  });
  const tokens = (await answer.json()) as Record<string, string>;
  const { payload } = await jwtVerify(tokens.id_token ?? "", keys, {
    issuer: OIDC_ISSUER,
    audience: OIDC_CLIENT_ID,
    algorithms: ["RS256"],
  });
  if (payload.sub !== subject) throw new Error("somebody else's ID Token");
  const now = new Date();
  const refreshed = {
    subject,
    spent_refresh_token: organisationRefreshTokenSealed,
    access_token: sealer.seal(tokens.access_token ?? "", `organisation_token.access_token:${row}`),
    refresh_token: sealer.seal(tokens.refresh_token ?? "", `organisation_token.refresh_token:${row}`),
    expires_at: inSeconds(now, Number(tokens.expires_in)),
    obtained_at: now,
  };
  await run(STATEMENTS.setProviderRefreshed, { issuer, tokens: [refreshed] });
  const found = {
    discord_user_id: discordUserId,
    leased_until: leasedUntil,
    issuer,
    subject,
    claims: { preferred_username: payload.preferred_username, groups: payload.groups },
    sources: {},
    check_due_at: inSeconds(now, DAY_SECONDS),
    is_push_due: false,
    is_loss: false,
    is_reconciled: false,
    is_disconnected: false,
    is_drifted: false,
    is_gone: false,
    is_granted: true,
  };
  await run(STATEMENTS.setChecked, { checks: [found], now });
}

async function checkAll(): Promise<number> {
  for (let checked = 0; ; ) {
    const now = new Date();
    const leasedUntil = inSeconds(now, LEASE_SECONDS);
    const due = await run(STATEMENTS.claimCheckDue, { limit: BATCH, leasedUntil, now, isAwaited: false });
    if (due.length === 0) return checked;
    await Promise.all(due.map((link) => check(link, leasedUntil)));
    checked += due.length;
  }
}

Bun.serve({
  hostname: "127.0.0.1",
  port: Number(env.PORT),
  idleTimeout: 0,
  fetch: async (request) =>
    new URL(request.url).pathname === "/sync" ? Response.json(await checkAll()) : new Response(null),
});

/** The member and the two servers, as light as they can be: they share a core, and must not be what is measured. */
import { join } from "node:path";
import type { DiscordStandin } from "../standins/discord.ts";
import { startDiscord } from "../standins/discord.ts";
import type { ForgerStandin } from "../standins/forger.ts";
import { startForger } from "../standins/forger.ts";
import type { Environment } from "./programs.ts";

export type Standins = {
  readonly discord: DiscordStandin;
  readonly provider: ForgerStandin;
  readonly stop: () => Promise<void>;
};

/** What members call it; the driver asks the program itself, as the proxy before it would. */
const PUBLIC_URL = "https://janus.example.org";
const DISCORD_CLIENT = { clientId: "1111111111111111111", clientSecret: "discord-client-secret" };
const OIDC_CLIENT = { clientId: "janus", clientSecret: "oidc-client-secret" };
const FIRST_DISCORD_USER_ID = 200_000_000_000_000_000n;

/** Both stand-ins, with new accounts for every flow and all claims in the ID Token. */
export function startStandins(): Standins {
  const discord = startDiscord({
    ...DISCORD_CLIENT,
    botToken: "unused",
    redirectUris: [`${PUBLIC_URL}/discord-oauth-callback`],
    users: [],
    acceptAnyUser: true,
  });
  const provider = startForger({
    ...OIDC_CLIENT,
    redirectUris: [`${PUBLIC_URL}/dsek-oauth-callback`],
    freshSubjects: true,
  });
  return {
    discord,
    provider,
    stop: async () => {
      await Promise.all([discord.stop(), provider.stop()]);
    },
  };
}

/** The environment of a program between these two, without a database: a production server's, with the default log. */
export function environmentFor({ discord, provider }: Standins): Environment {
  return {
    NODE_ENV: "production",
    LOG_LEVEL: "info",
    // The whole load comes from one address: the limit counts it, and is too high to be reached.
    RATE_LIMIT_PER_MINUTE: "999999",
    PUBLIC_URL,
    DISCORD_CLIENT_ID: DISCORD_CLIENT.clientId,
    DISCORD_CLIENT_SECRET: DISCORD_CLIENT.clientSecret,
    DISCORD_API_URL: discord.apiUrl,
    DISCORD_AUTHORIZE_URL: discord.authorizeUrl,
    OIDC_ISSUER: provider.issuer,
    OIDC_CLIENT_ID: OIDC_CLIENT.clientId,
    OIDC_CLIENT_SECRET: OIDC_CLIENT.clientSecret,
    TOKEN_KEYS: `k1:${randomKey()}`,
    COOKIE_SECRET: randomKey(),
    PLATFORM_NAME: "D-sektionen",
    // Rules as an operator has them: three records, of which two read the groups.
    RULES_FILE: join(import.meta.dir, "../../example.rules.toml"),
  };
}

/** Walks `count` members through the whole flow, `concurrency` at a time. Throws if one does not arrive. */
export async function walkFlows(port: number, count: number, concurrency: number): Promise<void> {
  let left = count;
  const walkSome = async () => {
    while (left-- > 0) await walkFlow(`http://127.0.0.1:${port}`);
  };
  await Promise.all(Array.from({ length: concurrency }, walkSome));
}

let usersSoFar = 0n;

/** Walks one member through the flow: who it is, and the Cookie header of the session that it ends with. */
export async function signInByFlow(
  port: number,
): Promise<{ readonly userId: string; readonly cookie: string }> {
  const end = await walkFlow(`http://127.0.0.1:${port}`);
  const lines = end.headers.getSetCookie().filter((line) => /^session(Id|Key)=./.test(line));
  if (lines.length !== 2) throw new Error("the flow ended without a session");
  const cookie = lines.map((line) => line.slice(0, line.indexOf(";"))).join("; ");
  return { userId: String(FIRST_DISCORD_USER_ID + usersSoFar), cookie };
}

async function walkFlow(base: string): Promise<Response> {
  const start = await fetch(`${base}/linked-role`, { redirect: "manual" });
  usersSoFar += 1n;
  const atDiscord = await fetch(locationOf(start), {
    method: "POST",
    body: new URLSearchParams({ user_id: String(FIRST_DISCORD_USER_ID + usersSoFar) }),
    redirect: "manual",
  });
  const between = await comeBack(base, atDiscord, start);
  const atProvider = await fetch(locationOf(between), { redirect: "manual" });
  const end = await comeBack(base, atProvider, between);
  const text = await showResult(base, end);
  if (!text.includes("inked")) throw new Error(`the flow ended with ${end.status}: ${text}`);
  return end;
}

/** The page that the last callback leads to, with the cookie that the answer has set. */
async function showResult(base: string, end: Response): Promise<string> {
  if (end.status !== 303) return end.text();
  const cookie = end.headers
    .getSetCookie()
    .filter((line) => !line.includes("Max-Age=0;"))
    .map((line) => line.slice(0, line.indexOf(";")))
    .join("; ");
  const page = await fetch(base + locationOf(end), { redirect: "manual", headers: { cookie } });
  const text = await page.text();
  if (page.status !== 200) throw new Error(`the page of the result is ${page.status}: ${text}`);
  return text;
}

/** Follows a server's redirect to the program, with the cookie that the program's last answer set. */
function comeBack(base: string, response: Response, last: Response): Promise<Response> {
  const callback = locationOf(response);
  if (!callback.startsWith(PUBLIC_URL)) throw new Error("a redirect leads elsewhere");
  const set = last.headers.getSetCookie().find((line) => !line.includes("Max-Age=0;")) ?? "";
  const cookie = set.slice(0, set.indexOf(";"));
  return fetch(base + callback.slice(PUBLIC_URL.length), { redirect: "manual", headers: { cookie } });
}

function locationOf(response: Response): string {
  const location = response.headers.get("location");
  if (location === null) throw new Error(`no redirect: ${response.status}`);
  return location;
}

function randomKey(): string {
  return crypto.getRandomValues(new Uint8Array(32)).toBase64({ alphabet: "base64url", omitPadding: true });
}

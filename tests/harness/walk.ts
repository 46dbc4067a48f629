/** The flow as a member walks it, leg by leg or whole. */
import { expect } from "bun:test";
import type { ForgerStandin } from "../standins/forger.ts";
import { createJar, signInAtProvider, visit } from "../standins/member.ts";
import type { Browser } from "./janus.ts";
import { createBrowser, locationOf } from "./janus.ts";

type At = { readonly url: string };
type AtForger = At & { readonly provider: Pick<ForgerStandin, "signInAs"> };

let lastUser = 300_000_000_000_000_000n;

/** A Discord user whom no other test of the file knows, so that tests may run in any order. */
export const newUser = (): string => String(++lastUser);

/** The subject of such a user at the forger. */
export const subjectOf = (discordUserId: string): string => `subject-of-${discordUserId}`;

/** From the Linked Roles link to the callback at Janus, not yet visited. Any user id will do: Discord makes it. */
export async function reachDiscordCallback(browser: Browser, discordUserId: string): Promise<string> {
  const authorizationUrl = locationOf(await browser.get("/linked-role"));
  return locationOf(await visit(authorizationUrl, createJar(), { user_id: discordUserId }));
}

/** Through the Discord leg and the certified provider's sign-in to the second callback, not yet visited. */
export async function reachProviderCallback(
  browser: Browser,
  discordUserId: string,
  login: string,
): Promise<string> {
  const departure = await browser.get(await reachDiscordCallback(browser, discordUserId));
  return signInAtProvider(locationOf(departure), login);
}

/** The same with the forger, which asks nobody. */
export async function reachForgerCallback(browser: Browser, discordUserId: string): Promise<string> {
  const departure = await browser.get(await reachDiscordCallback(browser, discordUserId));
  const response = await fetch(locationOf(departure), { redirect: "manual" });
  return locationOf(response);
}

/** The whole flow; the last answer. */
export async function linkAccounts(janus: At, discordUserId: string, login: string): Promise<Response> {
  const browser = createBrowser(janus.url);
  return browser.get(await reachProviderCallback(browser, discordUserId, login));
}

/** The Discord leg alone; its answer, which leads on to the provider. */
export async function walkDiscordLeg(janus: At, discordUserId: string): Promise<Response> {
  const browser = createBrowser(janus.url);
  return browser.get(await reachDiscordCallback(browser, discordUserId));
}

/** Links a member with the account that the forger signs in; their browser. */
export async function linkMember(janus: At, discordUserId: string): Promise<Browser> {
  const browser = createBrowser(janus.url);
  const { status } = await browser.get(await reachForgerCallback(browser, discordUserId));
  expect(status).toBe(200);
  return browser;
}

/** A new member, linked with an account of their own at the forger, which says this of them; their id. */
export async function linkNewMember(
  janus: AtForger,
  claims: Readonly<Record<string, unknown>> = {},
): Promise<string> {
  const user = newUser();
  janus.provider.signInAs({ sub: subjectOf(user), ...claims });
  await linkMember(janus, user);
  return user;
}

/** The state in the form that asks whether to move a link. */
export const moveStateIn = (page: string): string => /name="state" value="([^"]+)"/.exec(page)?.[1] ?? "";

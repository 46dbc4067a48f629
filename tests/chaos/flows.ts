/** The link flow as a member walks it, to its end or not, and what its answers say of the member's links. */
import { cancelAtProvider, signInAtProvider } from "../standins/member.ts";
import type { Answer, Browser } from "./browser.ts";
import { consent, nameOf } from "./browser.ts";
import type { Chance } from "./chance.ts";
import type { Journal } from "./journal.ts";
import type { Told } from "./worlds.ts";
import { inConflict, linked, moved, perhaps } from "./worlds.ts";

/** Who walks, and as whom. */
type Walk = {
  readonly person: number;
  readonly userId: string;
  /** Places of the two accounts among the person's. */
  readonly discord: number;
  readonly organisation: number;
};

/** How a walk ended. */
export type Walked = {
  readonly told: readonly Told[];
  /** Whether a page said that the two are linked, or that they were moved. */
  readonly outcome: "linked" | "moved" | "perhaps" | "nothing";
  /** Whether the browser has a new session. */
  readonly isSignedIn: boolean;
};

const NOTHING: Walked = { told: [], outcome: "nothing", isSignedIn: false };

/** Where a member turns away; most do not. */
const WAYS = {
  whole: 80,
  "cancel at Discord": 3,
  "leave at Discord": 4,
  "cancel at the provider": 3,
  "leave at the provider": 4,
  again: 6,
};

/** Walks once. */
export async function walk(
  browser: Browser,
  walking: Walk,
  chance: Chance,
  journal: Journal,
): Promise<Walked> {
  const way = chance.weigh(WAYS);
  const path = chance.falls(0.2) ? "/linked-role/another" : "/linked-role";
  const departure = await browser.ask(chance, path);
  if (departure?.status !== 302) return NOTHING;
  const atDiscord = await consent(departure.location, way === "cancel at Discord" ? null : walking.userId);
  if (atDiscord === undefined || way === "leave at Discord") return NOTHING;
  const [arrived] = await Promise.all([
    browser.ask(chance, atDiscord),
    way === "again" ? browser.ask(chance, atDiscord) : undefined,
  ]);
  if (arrived?.status !== 302) return NOTHING;
  const callback = await signIn(arrived.location, walking, way === "cancel at the provider", journal);
  if (callback === undefined || way === "leave at the provider") return NOTHING;
  if (way === "cancel at the provider") {
    await browser.ask(chance, callback);
    return NOTHING;
  }
  return finish(browser, walking, callback, chance, way === "again");
}

async function signIn(
  location: string,
  { person, organisation }: Walk,
  isCancelled: boolean,
  journal: Journal,
): Promise<string | undefined> {
  try {
    if (isCancelled) return await cancelAtProvider(location);
    return await signInAtProvider(location, nameOf("org", person, organisation));
  } catch (error) {
    // A page of the provider's that leads no further, which is no fault of Janus's.
    journal.count(`the provider's page: ${String(error).slice(0, 60)}`);
    return undefined;
  }
}

async function finish(
  browser: Browser,
  walking: Walk,
  callback: string,
  chance: Chance,
  isAgain: boolean,
): Promise<Walked> {
  const { discord, organisation } = walking;
  const answers = await Promise.all([
    browser.ask(chance, callback),
    ...(isAgain ? [browser.ask(chance, callback)] : []),
  ]);
  const page = answers.find((answer) => answer?.status === 200 || answer?.status === 409) ?? answers[0];
  const isSignedIn = answers.some((answer) => answer?.isSignedIn === true);
  if (page?.status === 200)
    return { told: [linked(discord, organisation)], outcome: "linked", isSignedIn: isSignedIn && !isAgain };
  if (page?.status !== 409)
    return { told: [perhaps(linked(discord, organisation))], outcome: "perhaps", isSignedIn: false };
  return decide(browser, walking, page, chance);
}

/** Confirms the move, or leaves the question. */
async function decide(
  browser: Browser,
  { discord, organisation }: Walk,
  page: Answer,
  chance: Chance,
): Promise<Walked> {
  const met = inConflict(discord, organisation);
  const state = /name="state" value="([^"]+)"/.exec(page.text)?.[1];
  if (state === undefined || chance.falls(0.25)) return { ...NOTHING, told: [met] };
  const answer = await browser.ask(chance, "/link/move", { method: "POST", form: { state } });
  if (answer?.status === 200)
    return { told: [met, moved(discord, organisation)], outcome: "moved", isSignedIn: answer.isSignedIn };
  return { told: [met, perhaps(moved(discord, organisation))], outcome: "perhaps", isSignedIn: false };
}

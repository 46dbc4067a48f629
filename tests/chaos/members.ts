/**
 * What members do, and what they remember: which links the answers left them with, and which sessions. A person has two
 * accounts on each side and two browsers, and does one thing after the other, or two in two tabs.
 */
import { ACCOUNTS, places, userIdOf } from "./accounts.ts";
import type { Answer, Browser } from "./browser.ts";
import { consent, createBrowser, nameOf } from "./browser.ts";
import type { Chance } from "./chance.ts";
import { createChance } from "./chance.ts";
import type { FastClock } from "./fast_clock.ts";
import { wallClock } from "./fast_clock.ts";
import type { Walked } from "./flows.ts";
import { walk } from "./flows.ts";
import type { Journal } from "./journal.ts";
import type { Replicas } from "./replicas.ts";
import type { Told, World, Worlds } from "./worlds.ts";
import { NO_LINKS, notLinked, perhaps, seenLinked, together, unlinked } from "./worlds.ts";

/** Where members are. */
type Place = {
  readonly seed: number;
  readonly url: string;
  readonly clock: FastClock;
  readonly replicas: Replicas;
  readonly journal: Journal;
  /** Life of an access token at Discord. */
  readonly accessTokenSeconds: number;
};

/** A session that a browser was given and that nothing it heard of has ended. */
type Session = {
  readonly discord: number;
  /** That of a link ends with its access token. */
  readonly isOfLink: boolean;
  /** By the machine's clock, and by Janus's. */
  readonly since: number;
  readonly began: Date;
};

type Held = { readonly browser: Browser; session: Session | undefined };

/** A person, and what they may have. */
export type Person = {
  readonly place: Place;
  readonly number: number;
  readonly browsers: readonly Held[];
  worlds: Worlds;
};

/** Lets so many persons be at it until `leave`, which lets them finish. */
export function gather(place: Place, persons: number) {
  let isOver = false;
  const all = Array.from({ length: persons }, (_, number) => meet(place, number));
  const living = all.map(async (person) => {
    for (let turn = 0; !isOver; turn += 1) {
      const chance = createChance(place.seed, `person ${person.number} turn ${turn}`);
      await act(person, chance);
      await Bun.sleep(chance.between(50, 700));
    }
  });
  return {
    persons: all,
    leave: async (): Promise<void> => {
      isOver = true;
      await Promise.all(living);
    },
  };
}

function meet(place: Place, number: number): Person {
  const browsers = places.map(() => ({
    browser: createBrowser(place.url, number, place),
    session: undefined,
  }));
  return { place, number, browsers, worlds: NO_LINKS };
}

const ACTS = { link: 30, "two tabs": 7, "log in": 12, unlink: 16, sync: 10, look: 20, "log out": 5 };

async function act(person: Person, chance: Chance): Promise<void> {
  const held = person.browsers[chance.below(ACCOUNTS)] as Held;
  const what = chance.weigh(ACTS);
  person.place.journal.count(what);
  switch (what) {
    case "link":
      return link(person, held, chance);
    case "two tabs":
      return linkInTwoTabs(person, held, chance);
    case "log in":
      return logIn(person, held, chance.below(ACCOUNTS), chance);
    case "log out":
      return logOut(person, held, chance);
    case "look":
      return look(person, held, chance);
    default:
      // Without a session they sign in first.
      if (held.session === undefined) await logIn(person, held, chance.below(ACCOUNTS), chance);
      return what === "unlink" ? unlink(person, held, chance) : sync(person, held, chance);
  }
}

/** Believes an answer; one that no world has room for breaks a promise. */
function believe(person: Person, told: Told, what: string): void {
  const after = told(person.worlds);
  if (after.size > 0) {
    person.worlds = after;
    return;
  }
  const { journal } = person.place;
  journal.addViolation(
    `person ${person.number}: ${what}, which cannot be with ${describeWorlds(person.worlds)}`,
  );
  person.worlds = ALL_WORLDS;
}

const ALL_WORLDS: ReadonlySet<World> = new Set(["", "00", "01", "10", "11", "00,11", "01,10"]);

/** Links by the places of their accounts, for a message. */
export const describeWorlds = (worlds: Worlds): string =>
  [...worlds].map((world) => `[${world || "no link"}]`).join(" or ");

async function link(person: Person, held: Held, chance: Chance): Promise<void> {
  const since = stamp(person);
  const walking = draw(person, chance);
  const walked = await walk(held.browser, walking, chance, person.place.journal);
  for (const told of walked.told)
    believe(person, told, `link ${walking.discord}${walking.organisation}: ${walked.outcome}`);
  remember(person, held, walking.discord, walked, since);
}

async function linkInTwoTabs(person: Person, held: Held, chance: Chance): Promise<void> {
  const since = stamp(person);
  const walks = [draw(person, chance), draw(person, chance)] as const;
  const chances = walks.map((_, tab) => createChance(chance.below(2 ** 31), `tab ${tab}`));
  const [one, other] = await Promise.all(
    walks.map((walking, tab) => walk(held.browser, walking, chances[tab] as Chance, person.place.journal)),
  );
  if (one === undefined || other === undefined) return;
  const outcomes = [one, other].map(
    ({ outcome }, tab) => `${walks[tab]?.discord}${walks[tab]?.organisation} ${outcome}`,
  );
  believe(person, together(one.told, other.told), `two tabs: ${outcomes.join(", ")}`);
  for (const [tab, walked] of [one, other].entries())
    remember(person, held, walks[tab]?.discord ?? 0, { ...walked, isSignedIn: false }, since);
}

function draw({ number }: Person, chance: Chance) {
  // Most use what they use always.
  const [discord, organisation] = chance.falls(0.55)
    ? [0, 0]
    : [chance.below(ACCOUNTS), chance.below(ACCOUNTS)];
  return { person: number, userId: userIdOf(number, discord), discord, organisation };
}

type Stamp = Pick<Session, "since" | "began">;
const stamp = ({ place }: Person): Stamp => ({ since: wallClock(), began: place.clock.now() });

/** What a walk has done to sessions: begun one, in the place of the browser's own, or ended those of the other account. */
function remember(person: Person, held: Held, discord: number, walked: Walked, since: Stamp): void {
  if (walked.outcome === "nothing") return;
  held.session = walked.isSignedIn ? { discord, isOfLink: true, ...since } : undefined;
  if (walked.outcome === "linked") return;
  for (const other of person.browsers)
    if (other.session !== undefined && other.session.discord !== discord) other.session = undefined;
}

async function logIn(person: Person, held: Held, discord: number, chance: Chance): Promise<void> {
  const since = stamp(person);
  const departure = await held.browser.ask(chance, "/login");
  if (departure?.status !== 302) return;
  const callback = await consent(departure.location, userIdOf(person.number, discord));
  if (callback === undefined) return;
  const answer = await held.browser.ask(chance, callback);
  held.session = answer?.isSignedIn ? { discord, isOfLink: false, ...since } : undefined;
}

async function logOut(person: Person, held: Held, chance: Chance): Promise<void> {
  const { browser } = held;
  const cookie = browser.cookie();
  const answer = await browser.ask(chance, "/api/auth/logout", { method: "POST", accept: JSON_ALONE });
  held.session = undefined;
  if (answer?.status !== 200 || !/sessionId/.test(cookie)) return;
  const after = await browser.ask(chance, "/api/sessions", { cookie, accept: JSON_ALONE });
  if (after?.status === 200)
    person.place.journal.addViolation(`person ${person.number}: a session works after it was ended`);
}

const JSON_ALONE = "application/json";

async function unlink(person: Person, held: Held, chance: Chance): Promise<void> {
  const { session } = held;
  if (session === undefined) return;
  const answer = await held.browser.ask(chance, "/api/link", { method: "DELETE", accept: JSON_ALONE });
  const { discord } = session;
  const what = `unlink ${discord}: ${answer?.status ?? "no answer"}`;
  if (answer?.status === 401) return void refused(person, held, "unlink");
  if (answer?.status === 404) return believe(person, notLinked(discord), what);
  const done = unlinked(discord);
  believe(person, answer?.status === 200 ? done : perhaps(done), what);
  for (const other of person.browsers) if (other.session?.discord === discord) other.session = undefined;
}

async function sync(person: Person, held: Held, chance: Chance): Promise<void> {
  const { session } = held;
  if (session === undefined) return;
  const answer = await held.browser.ask(chance, "/api/link/sync", { method: "POST", accept: JSON_ALONE });
  if (answer?.status === 401) refused(person, held, "sync");
  if (answer?.status === 404) believe(person, notLinked(session.discord), "sync: not linked");
}

const PAGES = { "/api/userinfo": 3, "/api/me/export": 2, "/account": 2 };

/** Asks for what is theirs, if they have a session. */
async function look(person: Person, held: Held, chance: Chance): Promise<void> {
  const { session } = held;
  if (session === undefined) return;
  const path = chance.weigh(PAGES);
  const answer = await held.browser.ask(chance, path, {
    accept: path === "/account" ? "text/html" : JSON_ALONE,
  });
  if (answer?.status === 401) refused(person, held, path);
  if (answer?.status === 200) recognise(person, session, path, answer);
}

/** Every session that should still be good is good. For the end, when nothing fails any more. */
export async function lookAtAll(person: Person): Promise<void> {
  const chance = createChance(person.place.seed, `person ${person.number} at the end`);
  for (const held of person.browsers) {
    if (held.session === undefined) continue;
    const answer = await held.browser.ask(chance, "/api/me/export", { accept: JSON_ALONE });
    if (answer?.status === 401) refused(person, held, "the last look");
    else if (answer?.status === 200) recognise(person, held.session, "/api/me/export", answer);
    else
      person.place.journal.addViolation(`person ${person.number}: the last look answers ${answer?.status}`);
  }
}

type Own = {
  readonly discord?: { readonly id: string };
  readonly discord_account?: { readonly id: string };
  readonly link?: { readonly organisation_name?: string | null } | null;
};

function recognise(person: Person, { discord }: Session, path: string, { text }: Answer): void {
  const { number, place } = person;
  if (path === "/account") return;
  const own = JSON.parse(text) as Own;
  const id = own.discord?.id ?? own.discord_account?.id;
  if (id !== userIdOf(number, discord))
    place.journal.addViolation(`${path} shows the account ${id} to ${userIdOf(number, discord)}`);
  if (path !== "/api/userinfo") return;
  const name = own.link?.organisation_name;
  const organisation = places.find((one) => nameOf("org", number, one) === name);
  const told = organisation === undefined ? notLinked(discord) : seenLinked(discord, organisation);
  believe(person, told, `${path} of ${discord} says ${name ?? "no link"}`);
}

/** A session was refused: for a reason that the test knows, or against a promise. */
function refused(person: Person, held: Held, what: string): void {
  const { session } = held;
  const { number, place } = person;
  held.session = undefined;
  if (session === undefined) return;
  const { discord, isOfLink, since, began } = session;
  const userId = userIdOf(number, discord);
  const age = (place.clock.now().getTime() - began.getTime()) / 1_000;
  const isKnown =
    (isOfLink && age >= place.accessTokenSeconds - 1) ||
    place.journal.hasEnded(userId, since) ||
    place.journal.lostRefreshes(userId, false, since).length > 0;
  if (!isKnown)
    place.journal.addViolation(
      `person ${number}: ${what} refuses a session of account ${discord} that is ${Math.round(age)} seconds old`,
    );
}

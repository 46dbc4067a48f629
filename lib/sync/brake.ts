/**
 * The brake: if many members would lose something at about the same time, a fault of the provider or of the rules is more
 * likely than that all of them have left. Then all losses are held until the share falls, or until the operator releases
 * them. What members gain goes on. The state is in the database, so all processes hold the same. docs/decisions/0043
 */
import type { WorkDeps } from "../deps.ts";
import { secondsAfter } from "../time.ts";

type Needs = Pick<WorkDeps, "config" | "queries" | "now" | "log" | "heldLosses" | "alarm">;

/** A few members who leave together are no reason to ask anybody. */
const LEAST_LOSSES = 10;
/** So many other links are read before the first loss is told. They are the next that would have been read anyway. */
export const LOOK_LINKS = 100;
/** A look that is older says nothing of now. */
const LOOK_SECONDS = 3_600;
/** Links that were read so shortly before a look need not be read again. */
const SEEN_SECONDS = 600;

const HOUR_SECONDS = 3_600;

/** What the brake says of losses that wait. */
export type BrakeState =
  /** No loss waits, or none is due. */
  | { readonly state: "idle" }
  /** Other links are read first. Where the organisation itself says so, a loss need not wait for that. */
  | { readonly state: "looking"; readonly tellsGone: boolean }
  /** Those that were found until then were released by the operator, the others wait. */
  | { readonly state: "held"; readonly releasedUntil: Date | null }
  /** All may be told. Those that were found until then were released, and do not count. */
  | { readonly state: "free"; readonly releasedUntil: Date | null };

type Found = NonNullable<Awaited<ReturnType<Needs["queries"]["findBrake"]>>>;

/** What the database knows of losses; undefined if none waits and none is held. */
export function findBrake({
  config,
  queries,
  now,
}: Omit<Needs, "log" | "heldLosses" | "alarm">): Promise<Found | undefined> {
  const at = now();
  const lostAfter = secondsAfter(at, -config.sync.everyHours * HOUR_SECONDS);
  return queries.findBrake({ lostAfter, least: LEAST_LOSSES, now: at });
}

/** Whether losses are held. It looks at no links. */
export async function isHeld({ queries }: Pick<Needs, "queries">): Promise<boolean> {
  return (await queries.findBrakeHeld({})) !== undefined;
}

/** Decides whether losses that wait may be told, and records it if that changes. The log hears of it once. */
export async function decideBrake(deps: Needs): Promise<BrakeState> {
  const before = await findBrake(deps);
  // A loss that Discord has not taken waits for its next try. Until then nobody need be read because of it.
  if (before !== undefined && before.due === 0 && before.heldAt === null) return { state: "idle" };
  const found = await look(deps, before);
  if (found === undefined) return { state: "idle" };
  const { releasedAt: releasedUntil } = found;
  if (found.isLeftToSee && found.seen < LOOK_LINKS)
    return { state: "looking", tellsGone: found.heldAt === null && !isTooMuch(deps, found) };
  const holds = isTooMuch(deps, found);
  if (holds !== (found.heldAt !== null)) await setHeld(deps, holds, found);
  return { state: holds ? "held" : "free", releasedUntil };
}

/** Has other links read, if the last look is too old. Returns what the database knows then. */
async function look(deps: Needs, found: Found | undefined): Promise<Found | undefined> {
  const now = deps.now();
  const lookedBefore = secondsAfter(now, -LOOK_SECONDS);
  if (found === undefined || (found.lookedAt !== null && found.lookedAt > lookedBefore)) return found;
  // What the organisation says itself is no fault of the provider or of the rules.
  if (found.goneDue === found.due) return found;
  const seenAfter = secondsAfter(now, -SEEN_SECONDS);
  await deps.queries.setLooked({ now, lookedBefore, seenAfter, limit: LOOK_LINKS });
  // Those links are due now, and a loss waits for them.
  deps.alarm.ring();
  return findBrake(deps);
}

/** Of all links in the time between two checks, or of those that were read for the look. */
function isTooMuch({ config }: Needs, { found, links, seen, seenLosing }: Found): boolean {
  const isOver = (part: number, whole: number): boolean =>
    part >= LEAST_LOSSES && part * 100 > config.sync.brakePercent * whole;
  return isOver(found, links) || isOver(seenLosing, seen);
}

/** What is too much. The links are counted only from the least number of losses on. */
function describeLosses({ found, links, seen, seenLosing }: Found): string {
  const ofAll = `${found} of ${links} links would lose something, or have lost it since the last check of all`;
  return found >= LEAST_LOSSES
    ? ofAll
    : `${seenLosing} of ${seen} links that were just read would lose something`;
}

async function setHeld(
  { queries, now, log, heldLosses }: Needs,
  isHeldNow: boolean,
  found: Found,
): Promise<void> {
  const changed = await queries.setBrakeHeld({ isHeld: isHeldNow, now: now() });
  heldLosses.note(isHeldNow);
  if (changed === undefined) return;
  if (isHeldNow) log.error("losses_held", { reason: describeLosses(found) });
  else log.info("losses_let_go", { reason: `${found.waiting} links would lose something` });
}

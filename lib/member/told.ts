/**
 * What other servers have told Janus of a member, and what operators have done with their link, as the member's page lists it. What an event leads to is decided in
 * `sync/`; the trail of the member's file has all of them, and more.
 */
import type { WorkDeps } from "../deps.ts";
import { secondsAfter } from "../time.ts";

type Needs = Pick<WorkDeps, "queries" | "now">;

/** One event, by what it was about. */
export type Told = Awaited<ReturnType<typeof listTold>>[number];

/** Earlier ones matter to nobody any more. */
const SHOWN_SECONDS = 30 * 86_400;
/** A directory may tell of a member many times a day. */
const MAX_SHOWN = 5;

/** The latest events of the last month, the newest first. */
export async function listTold(
  { queries, now }: Needs,
  { discordUserId }: { readonly discordUserId: string },
) {
  const since = secondsAfter(now(), -SHOWN_SECONDS);
  const rows = await queries.listTold({ discordUserId, since, limit: MAX_SHOWN });
  return rows.map(({ occurredAt, action }) => ({ at: occurredAt, about: action }));
}

/** One event of an operator, by what they did. */
export type Handled = Awaited<ReturnType<typeof listHandled>>[number];

/** The latest of what operators did, within the last month, the newest first. Who it was is not told. */
export async function listHandled(
  { queries, now }: Needs,
  { discordUserId }: { readonly discordUserId: string },
) {
  const since = secondsAfter(now(), -SHOWN_SECONDS);
  const rows = await queries.listOfOperators({ discordUserId, since, limit: MAX_SHOWN });
  return rows.map(({ occurredAt, action }) => ({ at: occurredAt, did: action }));
}

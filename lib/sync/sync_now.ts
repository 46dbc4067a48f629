/**
 * A sync that a member asks for: the claims are read again, and Discord is told.
 *
 *   POST /api/link/sync     syncNow
 */
import type { Deps } from "../deps.ts";
import { banned, notLinked, syncTooSoon } from "../errors.ts";
import { isPutOff } from "../grants/refresh_wait.ts";
import { secondsAfter, settlesWithin } from "../time.ts";
import type { Checked, CheckNeeds } from "./check.ts";
import { checkMemberNow, isOutage } from "./check_round.ts";
import type { DuePush, Push } from "./push.ts";
import { PUSH_LEASE_SECONDS, pushLink } from "./push.ts";

/** What it works with. */
type Needs = CheckNeeds & Pick<Deps, "patientOidc" | "budget">;

/** What a sync came to. Discord has what it is to have, unless losses are held. */
export type Synced =
  /** The claims were read again, and Discord had all of it; or something was new. */
  | "up_to_date"
  | "changed"
  /** The member would lose something that the brake holds. */
  | "held"
  /** The provider does not answer, so the claims are the earlier ones. It is asked again later. */
  | "provider_silent"
  /** The claims are the earlier ones, and only a sign-in brings later ones. */
  | "not_readable"
  /** The provider has ended the grant: without a sign-in the member loses the role. */
  | "sign_in";

const SYNC_EVERY_SECONDS = 60;
/** Of the request's time, so that some is left for Discord. What takes longer goes on, and upkeep tells Discord. */
const CHECK_SHARE = 0.45;

/**
 * Checks a link and pushes it, at most once a minute for each member. The trail keeps the operator, if one asks. Throws
 * not_linked, banned, sync_too_soon, and what keeps Discord from taking it: the push is due again then, unless only a sign-in
 * helps (grant_ended).
 */
export async function syncNow(
  deps: Needs,
  { discordUserId }: { readonly discordUserId: string },
  operator: string | null = null,
): Promise<Synced> {
  await ask(deps, discordUserId, operator);
  const reading = await readClaims(deps, discordUserId);
  const now = deps.now();
  const leasedUntil = secondsAfter(now, PUSH_LEASE_SECONDS);
  const link = await deps.queries.claimSync({ discordUserId, leasedUntil, now });
  if (link === undefined) throw notLinked();
  const push = await pushLink(deps, { ...link, leasedUntil });
  if (push.failure !== undefined) throw push.failure;
  return describe(link, reading, push);
}

async function ask({ queries, now }: Needs, discordUserId: string, operator: string | null): Promise<void> {
  const at = now();
  const askedBefore = secondsAfter(at, -SYNC_EVERY_SECONDS);
  const row = await queries.setSyncAsked({ discordUserId, askedBefore, now: at, operator });
  if (row === undefined) throw notLinked();
  // The link ends in a moment.
  if (row.isBanned) throw banned();
  if (row.isAsked) return;
  const next = secondsAfter(row.syncAskedAt ?? at, SYNC_EVERY_SECONDS);
  throw syncTooSoon(Math.max(1, Math.ceil((next.getTime() - at.getTime()) / 1_000)));
}

/** How the claims were read. `elsewhere`: another process reads them at this moment, and tells Discord. */
type ClaimsRead = Checked | "silent" | "elsewhere";

/**
 * Reads the claims again, unless that takes too long. The request's time does not end the reading: the answer to a refresh
 * would be lost, and with it the grant.
 */
async function readClaims(deps: Needs, discordUserId: string): Promise<ClaimsRead> {
  const checking = checkMemberNow({ ...deps, oidc: deps.patientOidc }, discordUserId);
  if (!(await settlesWithin(checking, CHECK_SHARE * deps.budget.totalMs))) return "silent";
  return checking;
}

function describe(link: Pick<DuePush, EndColumns>, reading: ClaimsRead, { isHeld, isChanged }: Push): Synced {
  const { organisationEndedAt, organisationEndCause } = link;
  if (organisationEndedAt !== null && organisationEndCause !== "unanswered") return "sign_in";
  if (isHeld) return "held";
  if (reading === "silent" || (reading !== "elsewhere" && isSilent(reading))) return "provider_silent";
  if (reading !== "elsewhere" && reading.outcome !== "read") return "not_readable";
  return isChanged ? "changed" : "up_to_date";
}

/** No answer, or the token waits after an earlier one: in both cases the provider is asked again later. */
const isSilent = (checked: Checked): boolean => isOutage(checked) || isPutOff(checked.failure);

type EndColumns = "organisationEndedAt" | "organisationEndCause";

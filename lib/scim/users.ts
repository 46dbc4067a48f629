/**
 * Users: created, changed, deleted and listed. Each change is one statement together with what follows for the link. Where
 * accounts share a subject, further links have a statement of their own, which a request that is repeated repeats.
 */
import { timeOrderedId } from "../crypto.ts";
import type { Deps } from "../deps.ts";
import { receiveEvent } from "../sync/doorbell.ts";
import type { EventOutcome } from "../telemetry/events.ts";
import type { UserChange } from "./body.ts";
import type { Read } from "./fault.ts";
import { refuse, taken, UNKNOWN_RESOURCE } from "./fault.ts";
import type { Filter } from "./filter.ts";
import type { ScimUser } from "./resource.ts";
import type { ScimDeps } from "./settings.ts";
import { retryOnCollision, settingsOf } from "./settings.ts";

/** More than any organisation has for which Janus is meant. */
const MOST_USERS = 200_000;
const UNIQUE = "userName or externalId";

/** The attributes by which users can be found. */
export const USER_FILTERS = ["userName", "externalId"] as const;

/** Creates a user. */
export async function createUser(deps: ScimDeps, change: UserChange): Promise<Read<ScimUser>> {
  const { userName, externalId = null, isActive = true } = change;
  if (userName === undefined) return refuse("invalidValue", "userName is missing.");
  const now = deps.now();
  const scimUserId = timeOrderedId(now);
  const row = await deps.queries.insertScimUser({
    scimUserId,
    externalId,
    userName,
    userNameKey: keyOf(userName),
    isActive,
    ...settingsOf(deps),
    mostUsers: MOST_USERS,
    requestId: deps.requestId,
    now,
  });
  if (row?.isFull === true) return refuse("tooMany", `There are ${MOST_USERS} users already.`);
  if (row?.isCreated !== true) {
    await tellLeft(deps, userName, externalId);
    return taken(UNIQUE);
  }
  const others = await tellOthers(deps, scimUserId, false);
  await receive(deps, [row, ...others]);
  return { value: { scimUserId, externalId, userName, isActive, createdAt: now, modifiedAt: now } };
}

/** Tells further links what a process has left that created this user and died: the client repeats its POST. */
async function tellLeft(deps: ScimDeps, userName: string, externalId: string | null): Promise<void> {
  const same = { userNameKey: keyOf(userName), externalId, skipped: 0, limit: 1 };
  const [user] = await deps.queries.listScimUsers(same);
  const others = user === undefined ? [] : await tellOthers(deps, user.scimUserId, false);
  if (others.length > 0) await receive(deps, others);
}

/** Changes a user. */
export async function changeUser(
  deps: ScimDeps,
  scimUserId: string,
  change: UserChange,
): Promise<Read<ScimUser>> {
  const { userName = null, externalId, isActive = null } = change;
  const write = () =>
    deps.queries.setScimUserAttributes({
      scimUserId,
      hasExternalId: externalId !== undefined,
      externalId: externalId ?? null,
      userName,
      userNameKey: userName === null ? null : keyOf(userName),
      isActive,
      ...settingsOf(deps),
      requestId: deps.requestId,
      now: deps.now(),
    });
  const rows = await retryOnCollision(write);
  const [user] = rows;
  if (user === undefined) return UNKNOWN_RESOURCE;
  if (user.isTaken) return taken(UNIQUE);
  const others = await tellOthers(deps, scimUserId, false);
  if (user.isChanged || others.length > 0) await receive(deps, [...rows, ...others]);
  else receiveEvent(deps, "scim", "repeated");
  return { value: user };
}

/** Deletes a user. */
export async function deleteUser(deps: ScimDeps, scimUserId: string): Promise<Read<undefined>> {
  const now = deps.now();
  const { requestId } = deps;
  // Once the user is deleted, nobody can say any more whose it was.
  const others = await tellOthers(deps, scimUserId, true);
  const row = await deps.queries.deleteScimUser({ scimUserId, ...settingsOf(deps), requestId, now });
  if (row === undefined) return UNKNOWN_RESOURCE;
  await receive(deps, [row, ...others]);
  return { value: undefined };
}

/** Finds a user. */
export async function findUser(
  { queries }: Pick<Deps, "queries">,
  scimUserId: string,
): Promise<Read<ScimUser>> {
  const value = await queries.findScimUser({ scimUserId });
  return value === undefined ? UNKNOWN_RESOURCE : { value };
}

/** A page of what fits a filter. */
export type Page = { readonly filter: Filter | undefined; readonly skipped: number; readonly limit: number };

/** Lists users, in the order in which they were created. `total` is how many fit. */
export async function listUsers(
  { queries }: Pick<Deps, "queries">,
  { filter, skipped, limit }: Page,
): Promise<{ readonly total: number; readonly users: readonly ScimUser[] }> {
  const fits = {
    userNameKey: filter?.attribute === "userName" ? keyOf(filter.value) : null,
    externalId: filter?.attribute === "externalId" ? filter.value : null,
  };
  const counted = await queries.countScimUsers(fits);
  const users = limit === 0 ? [] : await queries.listScimUsers({ ...fits, skipped, limit });
  return { total: counted?.count ?? 0, users };
}

const STRENGTH = ["ended", "restored", "rechecked"] as const;

/** What a change came to for a link; nothing without a link. */
type Told = { readonly discordUserId: string | null; readonly effect: (typeof STRENGTH)[number] | null };

/** Tells further links of the same subject. */
async function tellOthers(deps: ScimDeps, scimUserId: string, isDeleted: boolean): Promise<readonly Told[]> {
  const { requestId } = deps;
  const now = deps.now();
  return deps.queries.setScimOthersTold({
    scimUserId,
    isDeleted,
    ...settingsOf(deps),
    requestId,
    now,
  });
}

/**
 * Tells the log and the counts what a change came to: the most that it did to anybody. Without a link it has no effect, and
 * is kept. An end is stored already, and the check of the link is due. Here the loss becomes due too, which does not wait
 * for the provider.
 */
async function receive(deps: ScimDeps, told: readonly Told[]): Promise<void> {
  const outcome: EventOutcome =
    STRENGTH.find((one) => told.some(({ effect }) => effect === one)) ?? "answered";
  const discordUserIds = told.flatMap(({ discordUserId }) => discordUserId ?? []);
  try {
    if (outcome !== "ended") return;
    const now = deps.now();
    for (const discordUserId of discordUserIds) await deps.queries.setLossDue({ discordUserId, now });
  } finally {
    receiveEvent(deps, "scim", outcome, discordUserIds);
  }
}

/** Forms of another width, such as the full-width letters of a Japanese keyboard. */
const WIDE = /[\u3000\uff01-\uffee]/g;

/**
 * What makes two user names one: neither case, nor the width of a letter, nor how it is made up of a letter and a mark matters
 * to them. RFC 7643 4.1.1, RFC 7644 5, RFC 8265 3.3
 */
export const keyOf = (name: string): string =>
  name
    .replaceAll(WIDE, (one) => one.normalize("NFKC"))
    .toLowerCase()
    .normalize("NFC");

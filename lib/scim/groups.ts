/**
 * Groups: created, changed, deleted and listed. A group may have every member of an organisation, so its members are written
 * page by page. Each page can be repeated. If the process dies in between, the client has no answer and sends its request
 * again. A POST cannot be repeated, so a new group becomes known with all its members, or not at all. What is left of a new
 * group, a new name or a deletion, `settling.ts` finishes.
 */
import { timeOrderedId } from "../crypto.ts";
import type { Deps } from "../deps.ts";
import { receiveEvent } from "../sync/doorbell.ts";
import type { GroupChange, MemberChange } from "./body.ts";
import type { Read } from "./fault.ts";
import { refuse, taken, UNKNOWN_RESOURCE } from "./fault.ts";
import type { ScimGroup } from "./resource.ts";
import type { ScimDeps } from "./settings.ts";
import { PAGE_MEMBERS, retryOnCollision, settingsOf } from "./settings.ts";
import { settleGroup } from "./settling.ts";
import type { Page } from "./users.ts";
import { keyOf } from "./users.ts";

const MOST_GROUPS = 10_000;
const UNIQUE = "displayName or externalId";
const ID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** The attributes by which groups can be found. */
export const GROUP_FILTERS = ["displayName", "externalId"] as const;

/** Creates a group. */
export async function createGroup(
  deps: ScimDeps,
  { displayName, externalId = null }: GroupChange,
  members: MemberChange | undefined,
): Promise<Read<ScimGroup>> {
  if (displayName === undefined) return refuse("invalidValue", "displayName is missing.");
  const now = deps.now();
  const scimGroupId = timeOrderedId(now);
  const row = await deps.queries.insertScimGroup({
    scimGroupId,
    externalId,
    displayName,
    displayNameKey: keyOf(displayName),
    mostGroups: MOST_GROUPS,
    now,
  });
  if (row?.isFull === true) return refuse("tooMany", `There are ${MOST_GROUPS} groups already.`);
  if (row?.isBegun !== true) return taken(UNIQUE);
  await writeMembers(deps, scimGroupId, members);
  const isKnown = await makeKnown(deps, scimGroupId);
  const rechecked = await settleGroup(deps, scimGroupId);
  if (!isKnown) return taken(UNIQUE);
  receive(deps, { rechecked, discordUserIds: [] });
  return findGroup(deps, scimGroupId, true);
}

/** Makes a group known that has all its members; false if another request has taken its name meanwhile. */
async function makeKnown(deps: ScimDeps, scimGroupId: string): Promise<boolean> {
  const write = () => deps.queries.setScimGroupKnown({ scimGroupId, now: deps.now() });
  const row = await retryOnCollision(write);
  return row?.isTaken === false;
}

/** Changes a group. */
export async function changeGroup(
  deps: ScimDeps,
  scimGroupId: string,
  change: GroupChange,
  members: MemberChange | undefined,
): Promise<Read<undefined>> {
  const renamed = await changeAttributes(deps, scimGroupId, change);
  if ("fault" in renamed) return renamed;
  const written = await writeMembers(deps, scimGroupId, members);
  const settled = renamed.value ? await settleGroup(deps, scimGroupId) : 0;
  receive(deps, { ...written, rechecked: written.rechecked + settled });
  return { value: undefined };
}

/** Changes what a group is called. Gives whether rules know it by another name now. */
async function changeAttributes(
  deps: ScimDeps,
  scimGroupId: string,
  change: GroupChange,
): Promise<Read<boolean>> {
  const { displayName = null, externalId } = change;
  const write = () =>
    deps.queries.setScimGroupAttributes({
      scimGroupId,
      hasExternalId: externalId !== undefined,
      externalId: externalId ?? null,
      displayName,
      displayNameKey: displayName === null ? null : keyOf(displayName),
      now: deps.now(),
    });
  const row = await retryOnCollision(write);
  if (row === undefined) return UNKNOWN_RESOURCE;
  return row.isTaken ? taken(UNIQUE) : { value: row.isRenamed };
}

/** Deletes a group. */
export async function deleteGroup(deps: ScimDeps, scimGroupId: string): Promise<Read<undefined>> {
  const row = await deps.queries.setScimGroupDeleted({ scimGroupId, now: deps.now() });
  if (row === undefined) return UNKNOWN_RESOURCE;
  const rechecked = await settleGroup(deps, scimGroupId);
  receive(deps, { rechecked, discordUserIds: [] });
  return { value: undefined };
}

/** Finds a group, with its members if they are asked for. */
export async function findGroup(
  { queries }: Pick<Deps, "queries">,
  scimGroupId: string,
  withMembers: boolean,
): Promise<Read<ScimGroup>> {
  const row = await queries.findScimGroup({ scimGroupId, withMembers });
  return row === undefined ? UNKNOWN_RESOURCE : { value: groupOf(row, withMembers) };
}

/** Lists groups, in the order in which they were created. `total` is how many fit. */
export async function listGroups(
  { queries }: Pick<Deps, "queries">,
  { filter, skipped, limit }: Page,
  withMembers: boolean,
): Promise<{ readonly total: number; readonly groups: readonly ScimGroup[] }> {
  const fits = {
    displayNameKey: filter?.attribute === "displayName" ? keyOf(filter.value) : null,
    externalId: filter?.attribute === "externalId" ? filter.value : null,
  };
  const counted = await queries.countScimGroups(fits);
  const displayName = filter?.attribute === "displayName" ? filter.value : null;
  const page = { ...fits, displayName, withMembers, skipped, limit };
  const rows = limit === 0 ? [] : await queries.listScimGroups(page);
  return { total: counted?.count ?? 0, groups: rows.map((row) => groupOf(row, withMembers)) };
}

type Row = NonNullable<Awaited<ReturnType<Deps["queries"]["findScimGroup"]>>>;

const groupOf = ({ memberIds, ...group }: Row, withMembers: boolean): ScimGroup => ({
  ...group,
  memberIds: withMembers ? splitIds(memberIds) : undefined,
});

const splitIds = (ids: string | null): readonly string[] => ids?.split(",") ?? [];

/** How many links became due, and which where they are few. */
type Written = { readonly rechecked: number; readonly discordUserIds: readonly string[] };

/** Writes what a request says of members. Ids that no user has count for nothing: such a user was deleted. */
async function writeMembers(
  deps: ScimDeps,
  scimGroupId: string,
  change: MemberChange | undefined,
): Promise<Written> {
  if (change === undefined) return { rechecked: 0, discordUserIds: [] };
  const row =
    change.others === "leave"
      ? await deps.queries.findScimGroup({ scimGroupId, withMembers: true })
      : undefined;
  const before = new Set(splitIds(row?.memberIds ?? null));
  const said = [...change.isIn].filter(([id]) => ID.test(id));
  const joining = said.flatMap(([id, isIn]) => (isIn && !before.has(id) ? [id] : []));
  const leaving =
    change.others === "leave"
      ? [...before].filter((id) => change.isIn.get(id) !== true)
      : said.flatMap(([id, isIn]) => (isIn ? [] : [id]));
  const added = await writePages(joining, (page) => deps.queries.insertScimMembers(page), deps, scimGroupId);
  const removed = await writePages(
    leaving,
    (page) => deps.queries.deleteScimMembers(page),
    deps,
    scimGroupId,
  );
  return {
    rechecked: added.rechecked + removed.rechecked,
    discordUserIds: [...added.discordUserIds, ...removed.discordUserIds],
  };
}

type WritePage = Deps["queries"]["insertScimMembers"];

async function writePages(
  ids: readonly string[],
  write: WritePage,
  deps: ScimDeps,
  scimGroupId: string,
): Promise<Written> {
  let rechecked = 0;
  const discordUserIds: string[] = [];
  for (let at = 0; at < ids.length; at += PAGE_MEMBERS) {
    const row = await write({
      scimGroupId,
      scimUserIds: ids.slice(at, at + PAGE_MEMBERS).join(","),
      ...settingsOf(deps),
      requestId: deps.requestId,
      now: deps.now(),
    });
    rechecked += row?.rechecked ?? 0;
    if (row?.discordUserId != null) discordUserIds.push(row.discordUserId);
  }
  return { rechecked, discordUserIds };
}

/** Tells the log and the counts. The trail has each member; a line for each of thousands would say no more. */
function receive(deps: ScimDeps, { rechecked, discordUserIds }: Written): void {
  const outcome = rechecked > 0 ? "rechecked" : "answered";
  receiveEvent(deps, "scim", outcome, rechecked === discordUserIds.length ? discordUserIds : []);
}

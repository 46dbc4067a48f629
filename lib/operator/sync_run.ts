/**
 * Syncing by command: what is due, or one member, or all links, until nothing is left to do. It works beside the servers: each
 * link is claimed by one of them. A dry run claims nothing, spends no refresh token, and tells Discord nothing.
 */
import type { WorkDeps } from "../deps.ts";
import type { JanusError } from "../errors.ts";
import { asJanusError } from "../errors.ts";
import { endBannedLinksNow } from "../link/banned_links.ts";
import { findBrake } from "../sync/brake.ts";
import type { Checked } from "../sync/check.ts";
import { checkMember, checkRound } from "../sync/check_round.ts";
import { decide, isLoss, isTold } from "../sync/decision.ts";
import { tellLosses } from "../sync/losses.ts";
import type { Push } from "../sync/push.ts";
import { tellDue } from "../sync/push.ts";
import { readWithoutRefresh } from "../sync/read_again.ts";

/**
 * Counts of links. A run for one member counts that member alone. `held` counts the losses that wait at the end, whoever
 * found them. In a dry run it counts all losses that the run found.
 */
export type SyncCounts = Record<
  "checked" | "changed" | "pushed" | "unknown" | "held" | "ended" | "failed",
  number
>;

/** What is synced. */
export type SyncScope =
  | { readonly kind: "due" }
  | { readonly kind: "all" }
  | { readonly kind: "member"; readonly discordUserId: string };

/** Who waits for a run: when it is to stop, and who hears how many links are done. */
type Waiting = { readonly stop: AbortSignal; readonly onProgress: (done: number) => Promise<void> };

/** The result of a run. `codes` says why links failed. */
export type SyncResult = { readonly counts: SyncCounts; readonly codes: readonly string[] };

const PAGE_LINKS = 500;
/** Pushes of one run end even if Discord refuses each of them at once. */
const MAX_IDLE_ROUNDS = 3;

/** How many links a run will check, for the progress. */
export async function countScope({ queries, now }: WorkDeps, scope: SyncScope): Promise<number> {
  if (scope.kind === "member") return 1;
  const row =
    scope.kind === "all" ? await queries.countLinks({}) : await queries.countChecksDue({ now: now() });
  return row?.count ?? 0;
}

/** Checks and pushes. Throws what a query throws. */
export async function runSync(
  deps: WorkDeps,
  scope: SyncScope,
  { stop, onProgress }: Waiting,
): Promise<SyncResult> {
  const tally = createTally(scope);
  await endBannedLinksNow(deps, null);
  if (scope.kind === "all") await makeAllDue(deps, stop);
  if (scope.kind === "member") {
    const checked = await checkMember(deps, scope.discordUserId);
    tally.addChecks(checked === undefined ? [] : [checked]);
    await onProgress(1);
  } else await checkAll(deps, tally, { stop, onProgress });
  await pushAll(deps, tally, stop);
  return { counts: { ...tally.counts, held: await countHeld(deps, scope) }, codes: tally.codes() };
}

async function makeAllDue({ queries, now }: WorkDeps, stop: AbortSignal): Promise<void> {
  const checkDueAt = now();
  let after: string | null = "";
  while (after !== null && !stop.aborted) {
    const page: { last: string | null } | undefined = await queries.setAllCheckDue({
      checkDueAt,
      after,
      limit: PAGE_LINKS,
    });
    after = page?.last ?? null;
  }
}

/** Rounds of checks until none is due, or until the provider gives no answer. */
async function checkAll(deps: WorkDeps, tally: Tally, { stop, onProgress }: Waiting): Promise<void> {
  while (!stop.aborted) {
    const checks = await checkSome(deps);
    if (checks.length === 0) return;
    tally.addChecks(checks);
    await onProgress(tally.counts.checked + tally.counts.failed);
  }
}

/** Rounds of pushes until nothing is due. Other links that the brake wants to see are checked in between. */
async function pushAll(deps: WorkDeps, tally: Tally, stop: AbortSignal): Promise<void> {
  for (let idle = 0; idle < MAX_IDLE_ROUNDS && !stop.aborted; idle += 1) {
    if (!(await deps.upstreamBudgets.mayBegin(["discord"]))) return;
    const pushes = [...(await tellDue(deps)), ...(await tellLosses(deps))];
    tally.addPushes(pushes);
    const looked = await checkSome(deps);
    tally.addChecks(looked);
    if (looked.length > 0 || pushes.some(({ failure }) => failure === undefined)) idle = -1;
  }
}

/** The checks of one round; none while either server is not to be asked. What that leaves is due later. */
async function checkSome(deps: WorkDeps): Promise<readonly Checked[]> {
  return (await deps.upstreamBudgets.mayBegin(["discord", "provider"])) ? checkRound(deps) : [];
}

async function countHeld(deps: WorkDeps, scope: SyncScope): Promise<number> {
  const brake = await findBrake(deps);
  if (brake === undefined || brake.heldAt === null) return 0;
  if (scope.kind !== "member") return brake.waiting;
  const { discordUserId: member } = scope;
  const [link] = await deps.queries.listChecks({ after: "", limit: 1, dueUntil: null, member });
  return link === undefined || link.lossFoundAt === null ? 0 : 1;
}

type Tally = ReturnType<typeof createTally>;

/** Counts what the run has done. A run for one member counts nothing that it does for others. */
function createTally(scope: SyncScope) {
  const isAsked = ({ discordUserId }: { readonly discordUserId: string }): boolean =>
    scope.kind !== "member" || scope.discordUserId === discordUserId;
  const counts: SyncCounts = { checked: 0, changed: 0, pushed: 0, unknown: 0, held: 0, ended: 0, failed: 0 };
  const codes = new Set<string>();
  const count = (key: keyof SyncCounts, isSo: boolean): void => {
    if (isSo) counts[key] += 1;
  };
  const fail = ({ code }: JanusError): void => {
    counts.failed += 1;
    codes.add(code);
  };
  return {
    counts,
    codes: () => [...codes].sort(),
    addChecks: (checks: readonly Checked[]): void => {
      for (const { outcome, isPushDue, isLoss: loses, failure } of checks.filter(isAsked)) {
        count("checked", outcome !== "failed");
        count("changed", isPushDue || loses);
        count("unknown", outcome === "unknown");
        count("ended", outcome === "ended");
        if (outcome === "failed" && failure !== undefined) fail(failure);
      }
    },
    addPreview: (preview: Preview): void => {
      if (preview.failure !== undefined) {
        fail(preview.failure);
        return;
      }
      counts.checked += 1;
      for (const key of ["changed", "unknown", "held", "ended"] as const) count(key, preview.is[key]);
    },
    addPushes: (pushes: readonly Push[]): void => {
      for (const { failure, isHeld } of pushes.filter(isAsked)) {
        count("pushed", failure === undefined && !isHeld);
        if (failure !== undefined) fail(failure);
      }
    },
  };
}

/** Reads what can be read without spending anything, and counts what would change. Throws what a query throws. */
export async function runDry(
  deps: WorkDeps,
  scope: SyncScope,
  { stop, onProgress }: Waiting,
): Promise<SyncResult> {
  const tally = createTally(scope);
  const dueUntil = scope.kind === "due" ? deps.now() : null;
  const member = scope.kind === "member" ? scope.discordUserId : null;
  let after = "";
  for (let isLast = false; !isLast && !stop.aborted; ) {
    const page = await deps.queries.listChecks({ after, limit: PAGE_LINKS, dueUntil, member });
    for (const link of page) {
      if (stop.aborted) break;
      tally.addPreview(await preview(deps, link));
      await onProgress(tally.counts.checked + tally.counts.failed);
    }
    after = page.at(-1)?.discordUserId ?? after;
    isLast = page.length < PAGE_LINKS;
  }
  return { counts: tally.counts, codes: tally.codes() };
}

/** What a check of one link would come to. */
type Preview =
  | { readonly failure: JanusError }
  | {
      readonly failure: undefined;
      readonly is: Readonly<Record<"changed" | "unknown" | "held" | "ended", boolean>>;
    };

type ListedCheck = Awaited<ReturnType<WorkDeps["queries"]["listChecks"]>>[number];

async function preview(deps: WorkDeps, link: ListedCheck): Promise<Preview> {
  try {
    const reading = await readWithoutRefresh(deps, link);
    const renewed = reading.outcome === "read" ? { ...link, ...reading } : link;
    const decision = decide(deps, renewed);
    const is = {
      changed: link.disconnectedAt === null && !isTold(decision, renewed),
      unknown: reading.outcome === "kept",
      held: link.disconnectedAt === null && isLoss(decision),
      ended: link.organisationEndedAt !== null,
    };
    return { failure: undefined, is };
  } catch (error) {
    return { failure: asJanusError(error) };
  }
}

/**
 * The figures of the whole database for the metrics. One statement reads them, once a minute at most, however often somebody
 * asks. While the database does not answer they are unknown, which is not nought.
 */
import type { Queries } from "../database/queries.ts";
import type { Figures } from "../telemetry/metrics.ts";
import { createDeadlines, secondsAfter } from "../time.ts";

type Needs = { readonly queries: Pick<Queries, "countLinkStates">; readonly now: () => Date };

/** How long figures are good for. */
const EVERY_SECONDS = 60;
/** A reader has a deadline of its own, which is longer. */
const WAIT_MS = 3_000;
const HOUR_SECONDS = 3_600;
const MS = 1_000;

/** Makes the function that reads them; undefined where the database does not say in time. It never rejects. */
export function createFigures(needs: Needs): () => Promise<Figures | undefined> {
  const deadlines = createDeadlines(WAIT_MS);
  let last: { readonly figures: Figures; readonly until: Date } | undefined;
  let look: Promise<Figures | undefined> | undefined;

  const lookOnce = async (): Promise<Figures | undefined> => {
    try {
      const figures = await readFigures(needs);
      last = { figures, until: secondsAfter(needs.now(), EVERY_SECONDS) };
      return figures;
    } catch {
      // Carrying on is right: the figures are absent then, which is what is known.
      last = undefined;
      return undefined;
    } finally {
      look = undefined;
    }
  };

  return () => {
    if (last !== undefined && needs.now() < last.until) return Promise.resolve(last.figures);
    look ??= lookOnce();
    const late = Promise.withResolvers<undefined>();
    const pending = deadlines.add(() => late.resolve(undefined));
    return Promise.race([look, late.promise]).finally(() => deadlines.delete(pending));
  };
}

async function readFigures({ queries, now }: Needs): Promise<Figures> {
  const at = now();
  const counts = await queries.countLinkStates({
    overdueBefore: secondsAfter(at, -HOUR_SECONDS),
    endedSince: at,
    now: at,
  });
  if (counts === undefined) throw new Error("an aggregate has no row");
  const { told, waiting, losing, disconnected, cleared } = counts;
  const since = (due: Date | null): number =>
    due === null ? 0 : Math.max(0, (at.getTime() - due.getTime()) / MS);
  return {
    links: { told, waiting, losing, disconnected, cleared },
    pushesDue: counts.pushesDue,
    checksDue: counts.checksDue,
    oldestCheckDueSeconds: since(counts.oldestCheckDueAt),
    oldestPushDueSeconds: since(counts.oldestPushDueAt),
    lossesHeld: counts.lossesHeld,
  };
}

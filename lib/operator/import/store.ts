/**
 * Makes links of the rows that were collected. A batch is one statement, which says of each row what became of it: all of a
 * batch is stored, or nothing. So an import that ended early is resumed by another, and two at once share the work.
 */
import { isCollision } from "../../database/failures.ts";
import type { Queries } from "../../database/queries.ts";
import type { WorkDeps } from "../../deps.ts";
import type { Candidate, Refused } from "./collect.ts";
import type { ImportSource } from "./source.ts";

/** What storing works with. */
type StoreDeps = Pick<WorkDeps, "now"> & {
  readonly queries: Pick<Queries, "insertImported">;
  readonly config: { readonly issuer: string };
};

type Outcome = Awaited<ReturnType<Queries["insertImported"]>>[number]["outcome"];

/** What hinders a link, as the database has it. */
export type Hindrance = Exclude<Outcome, "imported" | "already">;

/** How an import is made: who asked, from where, and when it is to stop. */
export type Import = {
  readonly operator: string;
  readonly source: ImportSource["kind"];
  /** Whether it only says what it would do. */
  readonly isDryRun: boolean;
  readonly stop: AbortSignal;
  readonly onProgress: (done: number) => Promise<void>;
};

/** What became of the rows. */
export type Stored = {
  readonly imported: number;
  /** Rows whose link is there. */
  readonly already: number;
  /** Of those that were imported: members who are known by their username, and members without tokens. */
  readonly byUsername: number;
  readonly withoutTokens: number;
  readonly hindered: readonly Refused<Hindrance>[];
};

const BATCH_ROWS = 500;
/** Another import may win every batch. Then its links are there. */
const MOST_TRIES = 5;

/** Stores all of them, or until it is told to stop. Throws what a query throws. */
export async function storeCandidates(
  deps: StoreDeps,
  candidates: readonly Candidate[],
  asked: Import,
): Promise<Stored> {
  const tally = createTally();
  for (let from = 0; from < candidates.length && !asked.stop.aborted; from += BATCH_ROWS) {
    const batch = candidates.slice(from, from + BATCH_ROWS);
    const outcomes = await storeBatch(deps, batch, asked);
    for (const [index, candidate] of batch.entries()) tally.add(candidate, outcomes.get(index));
    await asked.onProgress(from + batch.length);
  }
  return tally.stored();
}

function createTally() {
  const counts = { imported: 0, already: 0, byUsername: 0, withoutTokens: 0 };
  const hindered: Refused<Hindrance>[] = [];
  return {
    add: ({ line, discordUserId, username, hasTokens }: Candidate, outcome: Outcome | undefined): void => {
      if (outcome === undefined) throw new TypeError("A row of an import has no outcome");
      if (outcome === "already") counts.already += 1;
      else if (outcome !== "imported") hindered.push({ line, discordUserId, reason: outcome });
      else {
        counts.imported += 1;
        if (username !== null) counts.byUsername += 1;
        if (!hasTokens) counts.withoutTokens += 1;
      }
    },
    stored: (): Stored => ({ ...counts, hindered }),
  };
}

async function storeBatch(
  deps: StoreDeps,
  batch: readonly Candidate[],
  { operator, source, isDryRun }: Import,
): Promise<ReadonlyMap<number, Outcome>> {
  const members = batch.map(memberOf);
  for (let tries = 1; ; tries += 1) {
    try {
      const { issuer } = deps.config;
      const now = deps.now();
      const rows = await deps.queries.insertImported({ members, issuer, operator, source, isDryRun, now });
      return new Map(rows.map(({ place, outcome }) => [place, outcome]));
    } catch (error) {
      if (!isCollision(error) || tries === MOST_TRIES) throw error;
    }
  }
}

const memberOf = (candidate: Candidate, place: number) => ({
  place,
  discord_user_id: candidate.discordUserId,
  username: candidate.discordUsername,
  issuer: candidate.issuer,
  subject: candidate.subject,
  preferred_username: candidate.username,
  scim_subject: candidate.scimSubject,
  claims: candidate.claims,
  access_token: candidate.accessTokenSealed,
  refresh_token: candidate.refreshTokenSealed,
  expires_at: candidate.expiresAt,
  obtained_at: candidate.obtainedAt,
  has_tokens: candidate.hasTokens,
});

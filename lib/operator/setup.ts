/**
 * What this process knows of faults in its setup that only other servers can tell: a client that is refused, a provider
 * whose discovery breaks a rule, metadata records that Discord lacks. `setup_questions.ts` has the questions, `server/`
 * asks them. Nothing here waits, so a request can look.
 */
import type { JanusError } from "../errors.ts";

/** What can be wrong, and is asked about by itself. */
export type SetupPart = "discord_client" | "provider" | "records";

/** The faults that this process knows of. */
export type Setup = {
  /** Remembers the fault of a part, or with undefined that the part has none. */
  readonly note: (part: SetupPart, fault: JanusError | undefined) => void;
  readonly listFaults: () => readonly JanusError[];
  /** Throws the fault of a part. No member can get further than that part. */
  readonly requireSound: (part: "discord_client" | "provider") => void;
};

/** A fault is asked about again well within this time. If no answer comes, it counts as mended. */
const MAX_AGE_MS = 300_000;

/** Starts by knowing of no fault. */
export function createSetup(now: () => Date): Setup {
  const known = new Map<SetupPart, { readonly fault: JanusError; readonly until: number }>();
  const isFresh = ({ until }: { readonly until: number }): boolean => now().getTime() < until;
  return {
    note: (part, fault) => {
      if (fault === undefined) known.delete(part);
      else known.set(part, { fault, until: now().getTime() + MAX_AGE_MS });
    },
    listFaults: () => [...known.values()].filter(isFresh).map(({ fault }) => fault),
    requireSound: (part) => {
      const found = known.get(part);
      if (found !== undefined && isFresh(found)) throw found.fault;
    },
  };
}

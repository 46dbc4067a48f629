/**
 * What the kill test knows of a run: tokens that were given out and what became of their answers, authorizations that
 * were ended, processes that were killed, lines that the operator was told. The faults write it, and the checks read it.
 */
import { sha256Hex } from "../../lib/crypto.ts";

/** A pair of tokens that a server gave out. */
export type Issue = {
  /** By the machine's clock. */
  readonly at: number;
  readonly server: "discord" | "provider";
  readonly grant: "code" | "refresh";
  /** The Discord account; at the provider nobody knows at this point. */
  readonly userId: string | undefined;
  readonly scopes: readonly string[];
  readonly accessToken: string;
  readonly refreshToken: string | undefined;
  /** The process that asked, each start of it by a name of its own. */
  readonly replica: string;
  /** Whether the answer was thrown away on purpose. */
  readonly isLost: boolean;
};

/** Why nobody can hold a pair of tokens to Janus's account. */
type Excuse = "the answer was lost" | "the answer came too late" | "the process was killed";

/** Longer than a try to store what no request waits for. */
const KILL_WINDOW_MS = 1_500;

export const LINK_SCOPE = "role_connections.write";

export type Journal = ReturnType<typeof createJournal>;

/** Opens an empty one. */
export function createJournal() {
  const issues: Issue[] = [];
  /** Refresh tokens that a process has told of, by their hashes, each with the request that it came for. */
  const arrived = new Map<string, string | undefined>();
  const done = new Set<string>();
  const cutOff = new Map<string, number>();
  const unstored: { readonly replica: string; readonly at: number }[] = [];
  const ended: { readonly userId: string; readonly at: number }[] = [];
  const lines: string[] = [];
  const faults = new Map<string, number>();
  const violations: string[] = [];

  const hashOf = ({ refreshToken, accessToken }: Issue): string => sha256Hex(refreshToken ?? accessToken);
  /** Whether the process had the pair in its hands when it was cut off: in a request, or until the database is back. */
  const isCutOff = (issue: Issue): boolean => {
    const { at, replica } = issue;
    const cutOffAt = cutOff.get(replica) ?? 0;
    const request = arrived.get(hashOf(issue));
    if (cutOffAt >= at && request !== undefined && !done.has(request)) return true;
    const waits = unstored.filter((wait) => wait.replica === replica && wait.at >= at && wait.at <= cutOffAt);
    const lastSeenAt = Math.max(at, ...waits.map((wait) => wait.at));
    return cutOffAt >= at && cutOffAt - lastSeenAt <= KILL_WINDOW_MS;
  };
  const excuseOf = (issue: Issue): Excuse | undefined => {
    if (issue.isLost) return "the answer was lost";
    if (isCutOff(issue)) return "the process was killed";
    return arrived.has(hashOf(issue)) ? undefined : "the answer came too late";
  };

  return {
    issues,
    violations,
    /** Warnings and errors that the processes logged. */
    lines,
    excuseOf,
    /** What became of a pair of tokens, for a message. */
    fateOf: (issue: Issue): string => {
      const cutOffAt = cutOff.get(issue.replica);
      const end = cutOffAt === undefined ? "never cut off" : `cut off ${cutOffAt - issue.at} ms later`;
      return `${excuseOf(issue) ?? "arrived"} at ${issue.replica}, ${end}`;
    },
    addIssue: (issue: Issue): void => void issues.push(issue),
    /** A process has a refresh token in its hands, for the request with this number, or for none. */
    addArrived: (hash: string, replica: string, request: number | undefined): void =>
      void arrived.set(hash, request === undefined ? undefined : `${replica} ${request}`),
    /** The process has answered the request with this number. */
    addDone: (replica: string, request: number): void => void done.add(`${replica} ${request}`),
    addLine: (line: string): void => {
      if (/"level":"(warn|error)"/.test(line)) lines.push(line);
    },
    addEnded: (userId: string, at: number): void => void ended.push({ userId, at }),
    /** A process has tokens that the database did not store. It tries again at its next round of upkeep. */
    addUnstored: (replica: string, at: number): void => void unstored.push({ replica, at }),
    /** A process that was killed, or stopped with work under way. */
    addCutOff: (replica: string, at: number): void => void cutOff.set(replica, at),
    addViolation: (text: string): void => void violations.push(text),
    count: (what: string): void => void faults.set(what, (faults.get(what) ?? 0) + 1),
    counts: (): Readonly<Record<string, number>> => Object.fromEntries([...faults].sort()),

    /** When Discord ended the member's authorization. */
    endsOf: (userId: string): readonly number[] =>
      ended.filter((one) => one.userId === userId).map(({ at }) => at),

    /** Whether Discord has ended the member's authorization since. */
    hasEnded: (userId: string, since: number): boolean =>
      ended.some((one) => one.userId === userId && one.at >= since),

    /** The member's refreshes of tokens that may push, or may not, whose answer never came to be stored. */
    lostRefreshes: (userId: string, mayPush: boolean, since = 0): readonly Issue[] =>
      issues.filter(
        (issue) =>
          issue.userId === userId &&
          issue.grant === "refresh" &&
          issue.at >= since &&
          issue.scopes.includes(LINK_SCOPE) === mayPush &&
          excuseOf(issue) !== undefined,
      ),
  };
}

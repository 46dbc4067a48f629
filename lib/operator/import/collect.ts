/**
 * The rows of a source, judged: which can become links, and what is wrong with the others. Tokens are sealed here, so that
 * nothing keeps them as they came. It needs no database.
 */
import { sha256Hex } from "../../crypto.ts";
import type { WorkDeps } from "../../deps.ts";
import { importRefused } from "../../errors.ts";
import { sealDiscordTokens } from "../../grants/sealing.ts";
import { usernameIssuerOf } from "../../oidc/username_issuer.ts";
import { readNameClaim } from "../../rules/claims.ts";
import { scimSubjectOf } from "../../scim/facts.ts";
import { isDiscordId } from "../../text/discord_id.ts";
import { secondsAfter } from "../../time.ts";
import type { ImportSource, SourceRow } from "./source.ts";

/** What collecting works with. */
export type CollectDeps = Pick<WorkDeps, "tokenSealer" | "now"> & {
  readonly config: Pick<WorkDeps["config"], "scim"> & { readonly issuer: string };
};

/** What is wrong with a row, so that it is left out. */
export type RowFault =
  | "fields"
  | "discord_user_id"
  | "subject"
  | "username"
  | "token"
  | "discord_twice"
  | "account_twice";

/** A row that is left out. `discordUserId` is null if it is not one. */
export type Refused<Reason> = {
  readonly line: number;
  readonly discordUserId: string | null;
  readonly reason: Reason;
};

/** A row that can become a link. */
export type Candidate = {
  readonly line: number;
  readonly discordUserId: string;
  readonly discordUsername: string;
  readonly issuer: string;
  readonly subject: string;
  /** Null where the subject is known. */
  readonly username: string | null;
  readonly scimSubject: string | null;
  readonly claims: Readonly<Record<string, string>>;
  readonly accessTokenSealed: string;
  readonly refreshTokenSealed: string;
  readonly expiresAt: Date;
  readonly obtainedAt: Date;
  readonly hasTokens: boolean;
};

/** All of a source. */
export type Collected = {
  readonly candidates: readonly Candidate[];
  readonly refused: readonly Refused<RowFault>[];
  /** Rows that say the same as an earlier one. */
  readonly repeated: number;
  readonly unfinished: number;
};

/** With so many rows the command takes half a gigabyte of memory, measured. */
export const MAX_ROWS = 200_000;

/** As the database takes it. OpenID Connect Core 1.0, 2 */
const SUBJECT = /^[!-~]([ -~]{0,253}[!-~])?$/;
/** RFC 6749, appendix A.12 and A.17 */
const TOKEN = /^[!-~]{1,2048}$/;
/** How long an access token of Discord lives. */
const TOKEN_SECONDS = 604_800;

/** Reads a source to its end. Throws import_refused, also for a source of more than MAX_ROWS rows. */
export async function collectRows(deps: CollectDeps, source: ImportSource): Promise<Collected> {
  const candidates: Candidate[] = [];
  const refused: Refused<RowFault>[] = [];
  const seen = createSeen(candidates);
  let rows = 0;
  const count = (): void => {
    rows += 1;
    if (rows > MAX_ROWS)
      throw importRefused(`${source.name} has more than ${MAX_ROWS} rows. Split it, and import each part.`);
  };
  const { unfinished } = await source.read({
    onMisshapen: (line) => {
      count();
      refused.push({ line, discordUserId: null, reason: "fields" });
    },
    onRow: (row) => {
      count();
      const reason = findFault(row);
      if (reason === undefined) seen.add(row, candidateOf(deps, row));
      else refused.push({ line: row.line, discordUserId: nameOf(row), reason });
    },
  });
  const kept = seen.split();
  return {
    candidates: kept.candidates,
    refused: [...refused, ...kept.refused].sort((a, b) => a.line - b.line),
    repeated: kept.repeated,
    unfinished,
  };
}

const nameOf = ({ discordUserId }: SourceRow): string | null =>
  isDiscordId(discordUserId) ? discordUserId : null;

function findFault(row: SourceRow): RowFault | undefined {
  if (!isDiscordId(row.discordUserId)) return "discord_user_id";
  if (row.subject !== null && !SUBJECT.test(row.subject)) return "subject";
  if (row.subject === null && !SUBJECT.test(row.username ?? "")) return "username";
  const tokens = [row.accessToken, row.refreshToken].filter((token) => token !== null);
  return tokens.every((token) => TOKEN.test(token)) ? undefined : "token";
}

function candidateOf(deps: CollectDeps, row: SourceRow): Candidate {
  const { discordUserId, subject, username } = row;
  const claims = {
    ...(subject === null ? { preferred_username: username ?? "" } : {}),
    ...nameClaim(row),
  };
  return {
    line: row.line,
    discordUserId,
    discordUsername: discordNameOf(row),
    issuer: subject === null ? usernameIssuerOf(deps.config.issuer) : deps.config.issuer,
    subject: subject ?? username ?? "",
    username: subject === null ? username : null,
    scimSubject: scimSubjectOf(deps, claims),
    claims,
    ...tokensOf(deps, row),
  };
}

/** The username, or else the id: until the member signs in, a page names the account by it. */
const discordNameOf = ({ discordUsername, discordUserId }: SourceRow): string =>
  readNameClaim(discordUsername) ?? discordUserId;

function nameClaim({ name }: SourceRow): { readonly name?: string } {
  const read = readNameClaim(name);
  return read === undefined ? {} : { name: read };
}

/** Without a refresh token the access token is of no use for long. */
function tokensOf(deps: CollectDeps, { discordUserId, accessToken, refreshToken, expiresAt }: SourceRow) {
  const now = deps.now();
  const hasTokens = refreshToken !== null;
  const sealed = sealDiscordTokens(deps, discordUserId, {
    accessToken: hasTokens ? (accessToken ?? "") : "",
    refreshToken: refreshToken ?? "",
  });
  const isUsable = hasTokens && accessToken !== null && expiresAt !== null;
  const latest = secondsAfter(now, TOKEN_SECONDS).getTime();
  const ends = new Date(isUsable ? Math.min(expiresAt.getTime(), latest) : now);
  return { ...sealed, hasTokens, expiresAt: ends, obtainedAt: secondsAfter(ends, -TOKEN_SECONDS) };
}

/** What says the same: tokens count as they came. */
const sameAs = (row: SourceRow): string =>
  JSON.stringify([row.subject, row.username, row.accessToken, row.refreshToken]);

/**
 * Finds accounts that stand in several rows. Nobody can say which of them is right, so all of them are left out. A row that
 * is repeated as it is does no harm.
 */
function createSeen(candidates: Candidate[]) {
  const byDiscord = new Map<string, { readonly index: number; readonly same: string }>();
  const byAccount = new Map<string, number>();
  const faults = new Map<number, RowFault>();
  let repeated = 0;
  return {
    add: (row: SourceRow, candidate: Candidate): void => {
      const index = candidates.length;
      const same = sha256Hex(sameAs(row));
      const earlier = byDiscord.get(candidate.discordUserId);
      if (earlier?.same === same) {
        repeated += 1;
        return;
      }
      candidates.push(candidate);
      if (earlier === undefined) byDiscord.set(candidate.discordUserId, { index, same });
      else for (const each of [earlier.index, index]) faults.set(each, "discord_twice");
      const holder = byAccount.get(candidate.subject);
      if (holder === undefined) byAccount.set(candidate.subject, index);
      else for (const each of [holder, index]) if (!faults.has(each)) faults.set(each, "account_twice");
    },
    split: () => {
      const isGood = (_: Candidate, index: number): boolean => !faults.has(index);
      const refused = [...faults].flatMap(([index, reason]): Refused<RowFault>[] => {
        const candidate = candidates[index];
        return candidate === undefined
          ? []
          : [{ line: candidate.line, discordUserId: candidate.discordUserId, reason }];
      });
      return { candidates: candidates.filter(isGood), refused, repeated };
    },
  };
}

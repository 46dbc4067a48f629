/**
 * Every row that holds tokens sealed with TOKEN_KEYS, table by table and page by page: how many rows each key has sealed,
 * and the rows of a page sealed again with the first key. What a session has is sealed with its member's own key.
 */
import type { Sealer } from "../crypto.ts";
import type { Queries } from "../database/queries.ts";
import type { StoredToken } from "../grants/sealing.ts";
import { resealToken } from "../grants/sealing.ts";
import { keyIdOf } from "./token_keys.ts";

/** What sealing again works with. */
export type ResealDeps = {
  readonly queries: Queries;
  readonly tokenSealer: Sealer;
  readonly now: () => Date;
  /** The id of the first key. */
  readonly keyId: string;
};

/** The primary key of the last row of a page. */
export type Place = readonly [first: string, second: string];

/** How many rows of a page a key has sealed. */
type Counted = { readonly keyId: string; readonly sealed: number };

/** What became of a page. `next` is undefined where no row was left to look at. */
export type Resealed = {
  readonly next: Place | undefined;
  readonly resealed: number;
  /** Rows that were in use, or that have changed since they were read. */
  readonly left: number;
  /** The rows with a token that no key opens. */
  readonly unreadable: readonly string[];
};

/** A table with sealed tokens. */
export type SealedTable = {
  readonly name: "discord_token" | "organisation_token" | "stray_token";
  readonly count: (
    deps: Pick<ResealDeps, "queries">,
    after: Place,
  ) => Promise<{ readonly next: Place | undefined; readonly counts: readonly Counted[] }>;
  readonly reseal: (deps: ResealDeps, after: Place) => Promise<Resealed>;
};

/** Before the first row of a table. */
export const BEGINNING: Place = ["", ""];

const COUNTED_ROWS = 20_000;
/** So many are stored by one statement, which takes far less than its deadline. */
const RESEALED_ROWS = 500;

/** All of them. */
export const SEALED_TABLES: readonly SealedTable[] = [
  {
    name: "discord_token",
    count: async ({ queries }, [after]) => {
      const counts = await queries.countDiscordByKey({ after, limit: COUNTED_ROWS });
      return { next: placeOf(counts[0]?.last), counts };
    },
    reseal: async (deps, [after]) => {
      const page = await deps.queries.listDiscordToReseal({
        after,
        limit: RESEALED_ROWS,
        keyId: deps.keyId,
      });
      const rows = page.flatMap((row) => resealDiscord(deps, row));
      const store = (tokens: Tokens) => deps.queries.setDiscordResealed({ tokens, now: deps.now() });
      return { next: placeOf(page[0]?.last), ...(await storeRows(rows, store)) };
    },
  },
  {
    name: "organisation_token",
    count: async ({ queries }, [afterIssuer, afterSubject]) => {
      const counts = await queries.countOrganisationByKey({ afterIssuer, afterSubject, limit: COUNTED_ROWS });
      return { next: placeOf(counts[0]?.lastIssuer, counts[0]?.lastSubject), counts };
    },
    reseal: async (deps, [afterIssuer, afterSubject]) => {
      const { queries, keyId, now } = deps;
      const limit = RESEALED_ROWS;
      const page = await queries.listOrganisationToReseal({ afterIssuer, afterSubject, limit, keyId });
      const rows = page.flatMap((row) => resealOrganisation(deps, row));
      const store = (tokens: Tokens) => queries.setOrganisationResealed({ tokens, now: now() });
      const next = placeOf(page[0]?.lastIssuer, page[0]?.lastSubject);
      return { next, ...(await storeRows(rows, store)) };
    },
  },
  {
    name: "stray_token",
    count: async ({ queries }, [after]) => {
      const counts = await queries.countStrayByKey({ after, limit: COUNTED_ROWS });
      return { next: placeOf(counts[0]?.last), counts };
    },
    reseal: async (deps, [after]) => {
      const page = await deps.queries.listStrayToReseal({ after, limit: RESEALED_ROWS, keyId: deps.keyId });
      const rows = page.flatMap((row) => resealStray(deps, row));
      const store = (tokens: Tokens) => deps.queries.setStrayResealed({ tokens });
      return { next: placeOf(page[0]?.last), ...(await storeRows(rows, store)) };
    },
  },
];

const placeOf = (first: string | undefined, second = ""): Place | undefined =>
  first === undefined ? undefined : [first, second];

type Tokens = readonly Readonly<Record<string, unknown>>[];

/** A row whose tokens were sealed again as far as keys open them. */
type Row = {
  readonly name: string;
  readonly isChanged: boolean;
  readonly isUnreadable: boolean;
  /** As the statement that stores it takes it. */
  readonly tokens: Readonly<Record<string, unknown>>;
};

async function storeRows(rows: readonly Row[], store: (tokens: Tokens) => Promise<readonly unknown[]>) {
  const changed = rows.filter(({ isChanged }) => isChanged).map(({ tokens }) => tokens);
  const stored = changed.length === 0 ? [] : await store(changed);
  return {
    resealed: stored.length,
    left: changed.length - stored.length,
    unreadable: rows.filter(({ isUnreadable }) => isUnreadable).map(({ name }) => name),
  };
}

/** A token before and after. */
type Again = { readonly held: string | null; readonly sealed: string | null; readonly isUnreadable: boolean };

/** A token under the first key, or as it is where no key opens it. */
function again(
  deps: ResealDeps,
  kind: string,
  of: Pick<StoredToken, "owner" | "subject">,
  held: string | null,
): Again {
  if (held === null || keyIdOf({ sealed: held }) === deps.keyId)
    return { held, sealed: held, isUnreadable: false };
  const sealed = resealToken(deps, { kind, ...of, sealed: held });
  return { held, sealed: sealed ?? held, isUnreadable: sealed === undefined };
}

const rowOf = (name: string, tokens: readonly Again[], values: Row["tokens"]): Row => ({
  name,
  isChanged: tokens.some(({ held, sealed }) => held !== sealed),
  isUnreadable: tokens.some(({ isUnreadable }) => isUnreadable),
  tokens: values,
});

const pairOf = (access: Again, refresh: Again) => ({
  held_access_token: access.held,
  held_refresh_token: refresh.held,
  access_token: access.sealed,
  refresh_token: refresh.sealed,
});

type Listed<Name extends keyof Queries> =
  Awaited<ReturnType<Queries[Name]>> extends readonly (infer Item)[] ? Item : never;

function resealDiscord(deps: ResealDeps, row: Listed<"listDiscordToReseal">): readonly Row[] {
  const { discordUserId, accessTokenSealed, refreshTokenSealed } = row;
  if (discordUserId === null) return [];
  const of = { owner: discordUserId, subject: null };
  const access = again(deps, "discord_token.access_token", of, accessTokenSealed);
  const refresh = again(deps, "discord_token.refresh_token", of, refreshTokenSealed);
  const values = { discord_user_id: discordUserId, ...pairOf(access, refresh) };
  return [rowOf(`discord_token ${discordUserId}`, [access, refresh], values)];
}

function resealOrganisation(deps: ResealDeps, row: Listed<"listOrganisationToReseal">): readonly Row[] {
  const { issuer, subject, accessTokenSealed, refreshTokenSealed, replacedTokens } = row;
  if (issuer === null || subject === null) return [];
  const of = { owner: issuer, subject };
  const access = again(deps, "organisation_token.access_token", of, accessTokenSealed);
  const refresh = again(deps, "organisation_token.refresh_token", of, refreshTokenSealed);
  const replaced = (replacedTokens ?? []).map(({ kind, sealed }) => ({
    kind,
    ...again(deps, `organisation_token.${kind}`, of, sealed),
  }));
  const values = {
    issuer,
    subject,
    ...pairOf(access, refresh),
    held_replaced_tokens: replaced.map(({ kind, held }) => ({ kind, sealed: held })),
    replaced_tokens: replaced.map(({ kind, sealed }) => ({ kind, sealed })),
  };
  return [rowOf(`organisation_token ${subject} at ${issuer}`, [access, refresh, ...replaced], values)];
}

/** A stray token with a subject is sealed for the row of its account. */
function resealStray(deps: ResealDeps, row: Listed<"listStrayToReseal">): readonly Row[] {
  const { strayTokenId, issuer, subject, accessTokenSealed, refreshTokenSealed } = row;
  if (strayTokenId === null) return [];
  const isOfAccount = issuer !== null && subject !== null;
  const table = isOfAccount ? "organisation_token" : "stray_token";
  const of = isOfAccount ? { owner: issuer, subject } : { owner: strayTokenId, subject: null };
  const access = again(deps, `${table}.access_token`, of, accessTokenSealed);
  const refresh = again(deps, `${table}.refresh_token`, of, refreshTokenSealed);
  const values = { stray_token_id: strayTokenId, ...pairOf(access, refresh) };
  return [rowOf(`stray_token ${strayTokenId}`, [access, refresh], values)];
}

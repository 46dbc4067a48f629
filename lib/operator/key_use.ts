/** How many rows each key of TOKEN_KEYS has sealed: which keys are needed, which may go, and which are missing. */
import type { RingKey } from "../crypto.ts";
import type { Queries } from "../database/queries.ts";
import type { SealedTable } from "./sealed_rows.ts";
import { BEGINNING, SEALED_TABLES } from "./sealed_rows.ts";
import { keyIdOf, tryTokenKeys } from "./token_keys.ts";

/** Rows by table. A row that two keys have sealed counts for both. */
type Rows = Readonly<Record<SealedTable["name"], number>>;

/**
 * What a key is for. `seals`: it is the first. `opens`: it has sealed rows. `unused`: it may go. `missing`: it has sealed rows
 * and TOKEN_KEYS lacks it. `differs`: TOKEN_KEYS has another key under its id.
 */
export type KeyState = "seals" | "opens" | "unused" | "missing" | "differs";

/** A key by its id, which is empty for a text that no key has sealed. */
export type KeyUse = { readonly keyId: string; readonly state: KeyState; readonly rows: Rows };

/** The keys of the ring in their order, then those that are missing. Throws what a query throws. */
export async function findKeyUse(
  needs: { readonly queries: Queries },
  tokenKeys: readonly RingKey[],
): Promise<readonly KeyUse[]> {
  const counted = await countRows(needs);
  const { unreadable } = await tryTokenKeys(needs, tokenKeys);
  const differing = new Set(unreadable.map(keyIdOf));
  const ringIds = tokenKeys.map(({ id }) => id);
  const missing = [...counted.keys()].filter((id) => !ringIds.includes(id)).sort();
  const ofRing = ringIds.map((keyId, place) => {
    const rows = counted.get(keyId) ?? NO_ROWS;
    if (differing.has(keyId)) return { keyId, state: "differs", rows } as const;
    if (place === 0) return { keyId, state: "seals", rows } as const;
    return { keyId, state: sumOf(rows) === 0 ? "unused" : "opens", rows } as const;
  });
  return [
    ...ofRing,
    ...missing.map((keyId) => ({ keyId, state: "missing", rows: counted.get(keyId) ?? NO_ROWS }) as const),
  ];
}

/** Rows that another key than the first has sealed. */
export const countToReseal = (uses: readonly KeyUse[], firstId: string): number =>
  uses.filter(({ keyId }) => keyId !== firstId).reduce((sum, { rows }) => sum + sumOf(rows), 0);

/** All rows. */
export const sumOf = (rows: Rows): number => Object.values(rows).reduce((sum, count) => sum + count, 0);

const NO_ROWS: Rows = { discord_token: 0, organisation_token: 0, stray_token: 0 };

async function countRows(needs: { readonly queries: Queries }): Promise<ReadonlyMap<string, Rows>> {
  const counted = new Map<string, Rows>();
  for (const { name, count } of SEALED_TABLES) {
    for (let after: typeof BEGINNING | undefined = BEGINNING; after !== undefined; ) {
      const page: Awaited<ReturnType<typeof count>> = await count(needs, after);
      for (const { keyId, sealed } of page.counts) {
        // A member who has removed Janus in Discord has no tokens.
        if (keyId === "") continue;
        const rows = counted.get(keyId) ?? NO_ROWS;
        counted.set(keyId, { ...rows, [name]: rows[name] + sealed });
      }
      after = page.next;
    }
  }
  return counted;
}

/** Whether TOKEN_KEYS opens the tokens that are stored, by one token of each kind and key: for the doctor and the audit. */
import type { RingKey } from "../crypto.ts";
import { createSealer } from "../crypto.ts";
import type { Queries } from "../database/queries.ts";
import type { StoredToken } from "../grants/sealing.ts";
import { isReadable } from "../grants/sealing.ts";

/** The samples that no key opens, and how many there are in all. */
type Opened = { readonly samples: number; readonly unreadable: readonly StoredToken[] };

/** Tries the keys. */
export async function tryTokenKeys(
  { queries }: { readonly queries: Pick<Queries, "listTokenSamples"> },
  tokenKeys: readonly RingKey[],
): Promise<Opened> {
  const samples = await queries.listTokenSamples({});
  const tokenSealer = createSealer(tokenKeys, "link tokens");
  return {
    samples: samples.length,
    unreadable: samples.filter((sample) => !isReadable({ tokenSealer }, sample)),
  };
}

/** The id of the key that has sealed a token; empty if it names none. */
export const keyIdOf = ({ sealed }: Pick<StoredToken, "sealed">): string =>
  sealed.slice(0, Math.max(0, sealed.indexOf(".")));

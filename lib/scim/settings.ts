/**
 * What the statements need beside what they write: whose users they are, which attribute names a member, how long a page is,
 * and what to do where two meet.
 */
import { isCollision } from "../database/failures.ts";
import type { WorkDeps } from "../deps.ts";
import { notFound } from "../errors.ts";

/** What the use cases of this room work with. */
export type ScimDeps = Pick<WorkDeps, "config" | "queries" | "now" | "log" | "alarm" | "eventCounts"> & {
  readonly requestId: string;
};

/** Throws not_found where no SCIM client provisions Janus. */
export function settingsOf({ config }: Pick<WorkDeps, "config">) {
  if (config.scim === undefined) throw notFound();
  return { attribute: config.scim.attribute, issuer: config.oidc.issuer } as const;
}

/**
 * How many members of a group one statement writes. It holds up an embedded database, and this process with it, for as long
 * as it takes.
 */
export const PAGE_MEMBERS = 100;

/** Writes again if another request has taken a name at this moment: the second time the statement finds it. */
export const retryOnCollision = <Row>(write: () => Promise<Row>): Promise<Row> =>
  write().catch((error: unknown) => {
    if (isCollision(error)) return write();
    throw error;
  });

/** What the statements need of the configuration: whose users they are, and which attribute names a member. */
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

/** What checks have found, recorded for several links by one statement. */
import type { WorkDeps } from "../deps.ts";
import type { StoredClaims } from "../rules/claims.ts";
import { createTogether } from "./together.ts";

/** What a check of a link has found. */
type CheckFound = {
  readonly discordUserId: string;
  readonly issuer: string;
  readonly subject: string;
  /** Of the check. Without it nothing is recorded. */
  readonly leasedUntil: Date;
  /** Null if the provider said nothing. */
  readonly claims: StoredClaims | null;
  /** Null if no source said anything. */
  readonly sources: StoredClaims | null;
  readonly checkDueAt: Date;
  readonly isPushDue: boolean;
  readonly isLoss: boolean;
  /** Whether Discord said what it has; whether that was nothing, or something else than it was told. */
  readonly isReconciled: boolean;
  readonly isDisconnected: boolean;
  readonly isDrifted: boolean;
  /** Whether a SCIM client says that the membership has ended. */
  readonly isGone: boolean;
  /** Whether the grant at Discord lives. */
  readonly isGranted: boolean;
};

/** Records it, and frees the lease; false if the member has signed in or undone the link meanwhile. Throws as the database does. */
export const recordCheck = createTogether<Pick<WorkDeps, "queries" | "now">, CheckFound>({
  keyOf: ({ discordUserId }) => discordUserId,
  store: async ({ queries, now }, items) => {
    const checks = items.map((item) => ({
      discord_user_id: item.discordUserId,
      issuer: item.issuer,
      subject: item.subject,
      leased_until: item.leasedUntil,
      claims: item.claims,
      sources: item.sources,
      check_due_at: item.checkDueAt,
      is_push_due: item.isPushDue,
      is_loss: item.isLoss,
      is_reconciled: item.isReconciled,
      is_disconnected: item.isDisconnected,
      is_drifted: item.isDrifted,
      is_gone: item.isGone,
      is_granted: item.isGranted,
    }));
    const recorded = await queries.setChecked({ checks, now: now() });
    return recorded.map(({ discordUserId }) => discordUserId);
  },
});

/**
 * Everything that is stored of a member, for the copy that they may take. It says of each secret whether it is there, and
 * never what it is.
 */
import type { Deps } from "../deps.ts";
import type { Session } from "../session/guard.ts";
import { listSessions } from "../session/guard.ts";

type Needs = Pick<Deps, "queries" | "now" | "requestId">;

/** Reads what is stored, and leaves a line in the trail. */
export async function exportStored(deps: Needs, session: Session) {
  const { discordUserId } = session;
  const [stored, flows, sessions, trail] = await Promise.all([
    deps.queries.exportMember({ discordUserId }),
    deps.queries.listFlows({ discordUserId }),
    listSessions(deps, session),
    deps.queries.listAuditEvents({ discordUserId }),
  ]);
  await deps.queries.insertAuditEvent({
    action: "data_exported",
    discordUserId,
    requestId: deps.requestId,
    now: deps.now(),
  });
  return { stored, flows, sessions, trail };
}

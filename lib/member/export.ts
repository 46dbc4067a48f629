/**
 * Everything that is stored of a member, for the copy that they may take. It says of each secret whether it is there, and
 * never what it is.
 */
import type { Deps } from "../deps.ts";
import type { Session } from "../session/guard.ts";
import { listSessions } from "../session/guard.ts";

type Needs = Pick<Deps, "config" | "queries" | "now" | "requestId">;

/** Reads what is stored, and leaves a line in the trail. */
export async function exportStored(deps: Needs, session: Session) {
  const { discordUserId } = session;
  const [stored, flows, sessions, trail] = await Promise.all([
    deps.queries.exportMember({ discordUserId }),
    deps.queries.listFlows({ discordUserId }),
    listSessions(deps, session),
    deps.queries.listAuditEvents({ discordUserId }),
  ]);
  const { issuer = null, subject = null } = stored ?? {};
  const [scimUser, bans] = await Promise.all([
    findScimUser(deps, issuer, subject),
    deps.queries.listBansOfMember({ discordUserId, issuer, subject, now: deps.now() }),
  ]);
  await deps.queries.insertAuditEvent({
    action: "data_exported",
    discordUserId,
    requestId: deps.requestId,
    now: deps.now(),
  });
  return { stored, scimUser, bans, flows, sessions, trail };
}

/** What a SCIM client has told of the member, also where none provisions Janus any more. */
async function findScimUser({ config, queries }: Needs, issuer: string | null, subject: string | null) {
  if (issuer === null || subject === null) return undefined;
  const attribute = config.scim?.attribute ?? "externalId";
  return queries.findScimFacts({ attribute, issuer, subject, scimSubject: null });
}

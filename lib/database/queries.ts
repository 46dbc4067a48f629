/**
 * Every statement that the program runs, one typed line each: the text is in `sql/<table>/<verb>.sql`, the shape of
 * its parameters and of its rows in the other files of this folder. A test describes each on a migrated database and
 * holds both to it.
 *
 * A statement that locks more than one row must keep the order of docs/decisions/0028. `tests/database/lock_order.test.ts` runs it
 * beside all others.
 */
import type { Database } from "./open.ts";
import { many, none, one } from "./statement.ts";
import { GRANT_STATEMENTS } from "./statements/grant.ts";
import { LINK_STATEMENTS } from "./statements/link.ts";
import { SESSION_STATEMENTS } from "./statements/session.ts";

/** All statements. */
export const STATEMENTS = { ...LINK_STATEMENTS, ...GRANT_STATEMENTS, ...SESSION_STATEMENTS } as const;

/** The statements, as the use cases see them. */
export type Queries = ReturnType<typeof createQueries>;

/** The statements as functions on one database. Errors: as `Database.query`. */
export function createQueries(db: Database) {
  return {
    finishDiscordLeg: one(db, STATEMENTS.finishDiscordLeg),
    finishProviderLeg: one(db, STATEMENTS.finishProviderLeg),
    confirmMove: one(db, STATEMENTS.confirmMove),
    countLinks: one(db, STATEMENTS.countLinks),
    claimSync: one(db, STATEMENTS.claimSync),
    unlink: one(db, STATEMENTS.unlink),
    claimRefresh: one(db, STATEMENTS.claimRefresh),
    setRefreshSent: one(db, STATEMENTS.setRefreshSent),
    setStrayRefreshSent: one(db, STATEMENTS.setStrayRefreshSent),
    deleteRoleConnectionLeft: one(db, STATEMENTS.deleteRoleConnectionLeft),
    deleteOldRoleConnectionsLeft: one(db, STATEMENTS.deleteOldRoleConnectionsLeft),
    setStrayOwned: one(db, STATEMENTS.setStrayOwned),
    setRefreshed: one(db, STATEMENTS.setRefreshed),
    logIn: one(db, STATEMENTS.logIn),
    findSession: one(db, STATEMENTS.findSession),
    claimSessionRefresh: one(db, STATEMENTS.claimSessionRefresh),
    deleteSession: one(db, STATEMENTS.deleteSession),
    exportMember: one(db, STATEMENTS.exportMember),
    findClock: one(db, STATEMENTS.findClock),
    claimPushDue: many(db, STATEMENTS.claimPushDue),
    claimRefreshDue: many(db, STATEMENTS.claimRefreshDue),
    claimStrayDue: many(db, STATEMENTS.claimStrayDue),
    claimEndDue: many(db, STATEMENTS.claimEndDue),
    claimClearDue: many(db, STATEMENTS.claimClearDue),
    claimProviderEndDue: many(db, STATEMENTS.claimProviderEndDue),
    deleteOtherSessions: many(db, STATEMENTS.deleteOtherSessions),
    listFindings: many(db, STATEMENTS.listFindings),
    listFlows: many(db, STATEMENTS.listFlows),
    listSessions: many(db, STATEMENTS.listSessions),
    listAuditEvents: many(db, STATEMENTS.listAuditEvents),
    setPushed: none(db, STATEMENTS.setPushed),
    setPushDue: none(db, STATEMENTS.setPushDue),
    setLeaseEnded: none(db, STATEMENTS.setLeaseEnded),
    setRefreshFailed: none(db, STATEMENTS.setRefreshFailed),
    insertUnlinkedTokens: none(db, STATEMENTS.insertUnlinkedTokens),
    insertStray: none(db, STATEMENTS.insertStray),
    setStrayDue: none(db, STATEMENTS.setStrayDue),
    deleteStray: none(db, STATEMENTS.deleteStray),
    setEndDue: none(db, STATEMENTS.setEndDue),
    setClearDue: none(db, STATEMENTS.setClearDue),
    setCleared: none(db, STATEMENTS.setCleared),
    deleteDiscordToken: none(db, STATEMENTS.deleteDiscordToken),
    setProviderEndDue: none(db, STATEMENTS.setProviderEndDue),
    deleteOrganisationToken: none(db, STATEMENTS.deleteOrganisationToken),
    setDiscordAbandoned: one(db, STATEMENTS.setDiscordAbandoned),
    setProviderAbandoned: one(db, STATEMENTS.setProviderAbandoned),
    deleteOldFlows: one(db, STATEMENTS.deleteOldFlows),
    deleteUnused: one(db, STATEMENTS.deleteUnused),
    deleteUnlinked: one(db, STATEMENTS.deleteUnlinked),
    setSessionUsed: none(db, STATEMENTS.setSessionUsed),
    setSessionRefreshed: none(db, STATEMENTS.setSessionRefreshed),
    setSessionLeaseEnded: none(db, STATEMENTS.setSessionLeaseEnded),
    deleteExpiredSessions: one(db, STATEMENTS.deleteExpiredSessions),
    insertAuditEvent: none(db, STATEMENTS.insertAuditEvent),
  };
}

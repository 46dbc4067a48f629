/**
 * Every statement that the program runs, one typed line each: the text is in `sql/<table>/<verb>.sql`, the shape of
 * its parameters and of its rows here. A test describes each on a migrated database and holds both to it.
 */
import * as v from "valibot";
import deleteUnusedText from "../sql/discord_account/delete_unused.sql" with { type: "text" };
import claimEndDueText from "../sql/discord_token/claim_end_due.sql" with { type: "text" };
import claimRefreshText from "../sql/discord_token/claim_refresh.sql" with { type: "text" };
import deleteDiscordTokenText from "../sql/discord_token/delete.sql" with { type: "text" };
import setEndDueText from "../sql/discord_token/set_end_due.sql" with { type: "text" };
import setLeaseEndedText from "../sql/discord_token/set_lease_ended.sql" with { type: "text" };
import setRefreshedText from "../sql/discord_token/set_refreshed.sql" with { type: "text" };
import deleteOldFlowsText from "../sql/flow/delete_old.sql" with { type: "text" };
import insertFlowText from "../sql/flow/insert.sql" with { type: "text" };
import claimPushDueText from "../sql/link/claim_push_due.sql" with { type: "text" };
import insertLinkText from "../sql/link/insert.sql" with { type: "text" };
import setPushDueText from "../sql/link/set_push_due.sql" with { type: "text" };
import setPushedText from "../sql/link/set_pushed.sql" with { type: "text" };
import upsertLinkText from "../sql/link/upsert.sql" with { type: "text" };
import deleteUnlinkedText from "../sql/organisation_account/delete_unlinked.sql" with { type: "text" };
import type { Database, Parameter } from "./db.ts";

const text = v.string();
const nullableText = v.nullable(text);
const time = v.date();
const nullableTime = v.nullable(time);
const integer = v.number();
/** jsonb as we write it, and as it is read: what is read was written by us, perhaps by another release. */
const object = v.record(text, v.union([text, v.pipe(v.array(text), v.readonly())]));

/** A push that Discord took, as `link/set_pushed.sql` reads it; times in ISO 8601. */
const push = v.object({
  discord_user_id: text,
  leased_until: text,
  pushed_metadata: v.record(text, text),
  pushed_at: text,
  request_id: nullableText,
});

type Entries = Readonly<Record<string, v.GenericSchema<Parameter>>>;
type Statement = { readonly text: string; readonly parameters: Entries; readonly row: v.ObjectEntries };

/** All statements: parameters in the order of their `$n`, columns of a row by name. */
export const STATEMENTS = {
  insertFlow: {
    text: insertFlowText,
    parameters: {
      discordUserId: text,
      username: text,
      globalName: nullableText,
      accessTokenSealed: text,
      refreshTokenSealed: text,
      scope: text,
      expiresAt: time,
      flowIdHash: text,
      flowExpiresAt: time,
      requestId: text,
      now: time,
    },
    row: { discordUserId: text },
  },
  insertLink: {
    text: insertLinkText,
    parameters: {
      flowIdHash: text,
      issuer: text,
      subject: text,
      claims: object,
      accessTokenSealed: text,
      refreshTokenSealed: nullableText,
      expiresAt: nullableTime,
      pushDueAt: time,
      moveIdHash: text,
      moveExpiresAt: time,
      requestId: text,
      now: time,
    },
    row: {
      outcome: v.picklist(["linked", "relinked", "conflict_met"]),
      discordUserId: text,
      username: text,
      globalName: nullableText,
      accessTokenSealed: text,
      discordExpiresAt: time,
      heldByUsername: nullableText,
      heldByGlobalName: nullableText,
      heldClaims: v.nullable(object),
    },
  },
  upsertLink: {
    text: upsertLinkText,
    parameters: { flowIdHash: text, pushDueAt: time, requestId: text, now: time },
    row: {
      discordUserId: text,
      username: text,
      globalName: nullableText,
      accessTokenSealed: text,
      discordExpiresAt: time,
      issuer: text,
      subject: text,
      claims: object,
      endedDiscordUserId: nullableText,
    },
  },
  setPushed: {
    text: setPushedText,
    parameters: { pushes: v.pipe(v.array(push), v.readonly()) },
    row: {},
  },
  setPushDue: {
    text: setPushDueText,
    parameters: {
      discordUserId: text,
      leasedUntil: time,
      pushDueAt: time,
      requestId: nullableText,
      now: time,
    },
    row: {},
  },
  claimPushDue: {
    text: claimPushDueText,
    parameters: { limit: integer, leasedUntil: time, now: time },
    row: {
      discordUserId: text,
      claims: object,
      accessTokenSealed: text,
      discordExpiresAt: time,
      pushFailures: integer,
    },
  },
  claimRefresh: {
    text: claimRefreshText,
    parameters: { discordUserId: text, leasedUntil: time, now: time },
    row: { accessTokenSealed: text, refreshTokenSealed: text, expiresAt: time },
  },
  setRefreshed: {
    text: setRefreshedText,
    parameters: {
      discordUserId: text,
      spentRefreshTokenSealed: text,
      accessTokenSealed: text,
      refreshTokenSealed: text,
      scope: text,
      expiresAt: time,
      leasedUntil: nullableTime,
      now: time,
    },
    row: { discordUserId: text },
  },
  setLeaseEnded: {
    text: setLeaseEndedText,
    parameters: { discordUserId: text, refreshTokenSealed: text },
    row: {},
  },
  claimEndDue: {
    text: claimEndDueText,
    parameters: { limit: integer, abandonedBefore: time, leasedUntil: time, now: time },
    row: { discordUserId: text, accessTokenSealed: text, refreshTokenSealed: text, expiresAt: time },
  },
  setEndDue: {
    text: setEndDueText,
    parameters: { discordUserId: text, endDueAt: time },
    row: {},
  },
  deleteDiscordToken: {
    text: deleteDiscordTokenText,
    parameters: { discordUserId: text, accessTokenSealed: text, now: time },
    row: {},
  },
  deleteOldFlows: { text: deleteOldFlowsText, parameters: { createdBefore: time }, row: {} },
  deleteUnused: { text: deleteUnusedText, parameters: { updatedBefore: time }, row: {} },
  deleteUnlinked: { text: deleteUnlinkedText, parameters: { seenBefore: time }, row: {} },
} as const satisfies Record<string, Statement>;

/** The statements, as the use cases see them. */
export type Queries = ReturnType<typeof createQueries>;

/** The statements as functions on one database. Errors: as `Database.query`. */
export function createQueries(db: Database) {
  return {
    insertFlow: one(db, STATEMENTS.insertFlow),
    insertLink: one(db, STATEMENTS.insertLink),
    upsertLink: one(db, STATEMENTS.upsertLink),
    setPushed: none(db, STATEMENTS.setPushed),
    setPushDue: none(db, STATEMENTS.setPushDue),
    claimPushDue: many(db, STATEMENTS.claimPushDue),
    claimRefresh: one(db, STATEMENTS.claimRefresh),
    setRefreshed: one(db, STATEMENTS.setRefreshed),
    setLeaseEnded: none(db, STATEMENTS.setLeaseEnded),
    claimEndDue: many(db, STATEMENTS.claimEndDue),
    setEndDue: none(db, STATEMENTS.setEndDue),
    deleteDiscordToken: none(db, STATEMENTS.deleteDiscordToken),
    deleteOldFlows: none(db, STATEMENTS.deleteOldFlows),
    deleteUnused: none(db, STATEMENTS.deleteUnused),
    deleteUnlinked: none(db, STATEMENTS.deleteUnlinked),
  };
}

type Values<S extends Statement> = {
  readonly [Name in keyof S["parameters"]]: v.InferOutput<S["parameters"][Name]>;
};
type Row<S extends Statement> = v.InferOutput<v.ObjectSchema<S["row"], undefined>>;

function many<S extends Statement>(db: Database, statement: S) {
  const names = Object.keys(statement.parameters);
  const rows = v.array(v.object<S["row"]>(statement.row));
  return async (values: Values<S>): Promise<readonly Row<S>[]> => {
    const byName: Readonly<Record<string, Parameter>> = values;
    return v.parse(
      rows,
      await db.query(
        statement.text,
        names.map((name) => byName[name] ?? null),
      ),
    );
  };
}

function one<S extends Statement>(db: Database, statement: S) {
  const run = many(db, statement);
  return async (values: Values<S>): Promise<Row<S> | undefined> => (await run(values))[0];
}

function none<S extends Statement>(db: Database, statement: S) {
  const run = many(db, statement);
  return async (values: Values<S>): Promise<void> => {
    await run(values);
  };
}

/**
 * Every statement that the program runs. `sql/<folder>/` has the text of each, and `statements/<folder>.ts` its
 * parameters, its columns and how many rows it gives. A test describes each on a migrated database and compares the two.
 *
 * A statement that locks more than one row must keep the order of docs/decisions/0028. `tests/database/lock_order.test.ts`
 * runs it beside all others.
 */
import type { Tracer } from "../telemetry/spans.ts";
import type { Database } from "./open.ts";
import type { QueryOf } from "./statement.ts";
import { queryOf } from "./statement.ts";
import { ADMIN_SESSION_STATEMENTS } from "./statements/admin_session.ts";
import { AUDIT_EVENT_STATEMENTS } from "./statements/audit_event.ts";
import { BACKUP_STATEMENTS } from "./statements/backup.ts";
import { BAN_STATEMENTS } from "./statements/ban.ts";
import { BRAKE_STATEMENTS } from "./statements/brake.ts";
import { CLOCK_STATEMENTS } from "./statements/clock.ts";
import { DISCORD_ACCOUNT_STATEMENTS } from "./statements/discord_account.ts";
import { DISCORD_TOKEN_STATEMENTS } from "./statements/discord_token.ts";
import { EVENT_COUNT_STATEMENTS } from "./statements/event_count.ts";
import { FLOW_STATEMENTS } from "./statements/flow.ts";
import { LINK_STATEMENTS } from "./statements/link.ts";
import { LINK_SYNC_STATEMENTS } from "./statements/link_sync.ts";
import { LINK_VIEW_STATEMENTS } from "./statements/link_view.ts";
import { ORGANISATION_ACCOUNT_STATEMENTS } from "./statements/organisation_account.ts";
import { ORGANISATION_TOKEN_STATEMENTS } from "./statements/organisation_token.ts";
import { RECEIVED_EVENT_STATEMENTS } from "./statements/received_event.ts";
import { REGISTRATION_STATEMENTS } from "./statements/registration.ts";
import { ROLE_CONNECTION_LEFT_STATEMENTS } from "./statements/role_connection_left.ts";
import { SCIM_GROUP_STATEMENTS } from "./statements/scim_group.ts";
import { SCIM_MEMBER_STATEMENTS } from "./statements/scim_member.ts";
import { SCIM_USER_STATEMENTS } from "./statements/scim_user.ts";
import { SESSION_STATEMENTS } from "./statements/session.ts";
import { STRAY_TOKEN_STATEMENTS } from "./statements/stray_token.ts";
import { UPSTREAM_BUDGET_STATEMENTS } from "./statements/upstream_budget.ts";

/** All statements. */
export const STATEMENTS = {
  ...ADMIN_SESSION_STATEMENTS,
  ...AUDIT_EVENT_STATEMENTS,
  ...BACKUP_STATEMENTS,
  ...BAN_STATEMENTS,
  ...BRAKE_STATEMENTS,
  ...CLOCK_STATEMENTS,
  ...DISCORD_ACCOUNT_STATEMENTS,
  ...DISCORD_TOKEN_STATEMENTS,
  ...EVENT_COUNT_STATEMENTS,
  ...FLOW_STATEMENTS,
  ...LINK_STATEMENTS,
  ...LINK_SYNC_STATEMENTS,
  ...LINK_VIEW_STATEMENTS,
  ...ORGANISATION_ACCOUNT_STATEMENTS,
  ...ORGANISATION_TOKEN_STATEMENTS,
  ...RECEIVED_EVENT_STATEMENTS,
  ...REGISTRATION_STATEMENTS,
  ...ROLE_CONNECTION_LEFT_STATEMENTS,
  ...SCIM_GROUP_STATEMENTS,
  ...SCIM_MEMBER_STATEMENTS,
  ...SCIM_USER_STATEMENTS,
  ...SESSION_STATEMENTS,
  ...STRAY_TOKEN_STATEMENTS,
  ...UPSTREAM_BUDGET_STATEMENTS,
} as const;

/** The statements as functions: values by name in, rows out. */
export type Queries = {
  readonly [Name in keyof typeof STATEMENTS]: QueryOf<(typeof STATEMENTS)[Name]>;
};

/** The statements as functions on one database, or in one transaction. With a tracer each has a span. Errors: as `Database.query`. */
export function createQueries(db: Pick<Database, "query">, tracer?: Tracer): Queries;
/** The compiler cannot follow the loop, so the signature above says what each name gets. */
export function createQueries(
  db: Pick<Database, "query">,
  tracer?: Tracer,
): Readonly<Record<string, (values: never) => Promise<unknown>>> {
  const made = Object.entries(STATEMENTS).map(([name, statement]) => {
    const query = queryOf(db, statement);
    return [name, tracer === undefined ? query : traced(tracer, name, query)];
  });
  return Object.fromEntries(made);
}

type AnyQuery = ReturnType<typeof queryOf>;

/** The span has the name of the statement, and nothing of its values. */
function traced(tracer: Tracer, name: string, query: AnyQuery): AnyQuery {
  const attributes = { "db.system.name": "postgresql", "db.query.summary": name } as const;
  return (values) => tracer.trace("client", name, attributes, () => query(values));
}

/**
 * Who may use the page of administrators. This folder owns that page: the sign-in at the provider that opens it
 * (`sign_in.ts`), and what it shows and does (`overview.ts`, `member.ts`, `handlers.ts`).
 *
 * The rule `[admin] when` is asked at each request: of the claims of that sign-in, and of the claims that Janus has read
 * since if the administrator is linked. A sign-in counts for an hour. What the provider said is in the database, sealed with
 * a key that only the cookie holds, so neither of the two opens anything alone. docs/decisions/0055
 */
import * as v from "valibot";
import { createSealer, decodeBase64url } from "../../crypto.ts";
import type { Deps } from "../../deps.ts";
import { parseJson } from "../../oauth/upstream.ts";
import { askedOf } from "../../rules/claims.ts";
import type { Facts } from "../../rules/evaluate.ts";
import { evaluateAdmin } from "../../rules/evaluate.ts";
import { readScimFacts, withScim } from "../../scim/facts.ts";
import type { SessionSecrets } from "../../session/secrets.ts";
import { printable } from "../../text/printable.ts";

/** How long a sign-in counts, and how old it may be at the provider when it comes. */
export const ADMIN_TTL_SECONDS = 3_600;

type Needs = Pick<Deps, "config" | "queries" | "rules" | "now">;

/** An administrator, proved. */
export type Admin = {
  readonly issuer: string;
  readonly subject: string;
  /** What the trail calls them: their name, and the subject, which nobody else has. */
  readonly operator: string;
  /** Undefined if the provider gives none. */
  readonly name: string | undefined;
  readonly expiresAt: Date;
};

/** What a browser proves. `refused`: the rule no longer lets this account in, and the sign-in has ended. */
export type AdminState =
  | { readonly state: "signed_out" }
  | { readonly state: "refused" }
  | { readonly state: "admin"; readonly admin: Admin };

/** What the provider said at the sign-in. */
export type AdminFacts = {
  readonly name: string | undefined;
  readonly scimSubject: string | null;
  readonly claims: Facts["claims"];
  readonly sources: Facts["sources"];
};

const record = v.record(v.string(), v.unknown());
const factsShape = v.object({
  name: v.optional(v.string()),
  scimSubject: v.nullable(v.string()),
  claims: record,
  sources: record,
});

const MAX_NAME = 100;
const MAX_SUBJECT = 255;

/** Asks the database and the rule, at each request. Only the first secrets of the browser count: it has one such cookie. */
export async function findAdmin(deps: Needs, [secrets]: readonly SessionSecrets[]): Promise<AdminState> {
  if (secrets === undefined) return SIGNED_OUT;
  const { sessionIdHash } = secrets;
  const row = await deps.queries.findAdminSession({ sessionIdHash, now: deps.now() });
  const facts = row === undefined ? undefined : openFacts(secrets, row.factsSealed);
  if (row === undefined || facts === undefined) return SIGNED_OUT;
  const { issuer, subject, expiresAt } = row;
  // The rule is about claims of the provider that is configured now.
  const isOver = issuer !== deps.config.oidc.issuer || hasEnded(row);
  if (!isOver && !isRefusedSince(deps, row) && (await isAdmin(deps, row, facts)))
    return { state: "admin", admin: { ...nameAdmin(facts.name, subject), issuer, subject, expiresAt } };
  await deps.queries.deleteAdminSession({ sessionIdHash });
  return isOver ? SIGNED_OUT : { state: "refused" };
}

const SIGNED_OUT: AdminState = { state: "signed_out" };

/** Whether the rule lets an account in, by what the provider said at its sign-in. What it cannot tell is no yes. */
export async function isAdmin(
  deps: Needs,
  account: { readonly issuer: string; readonly subject: string },
  { claims, sources, scimSubject }: AdminFacts,
): Promise<boolean> {
  const facts = deps.rules.admin?.sourcesRead.includes("scim")
    ? await readScimFacts(deps, account, scimSubject)
    : undefined;
  const outcome = evaluateAdmin(deps.rules, {
    ...factsOf(deps, account),
    claims,
    sources: withScim(deps.rules, sources, facts),
  });
  return outcome.outcome === "value" && outcome.value;
}

const factsOf = (
  { now }: Needs,
  { issuer, subject }: { readonly issuer: string; readonly subject: string },
) => ({
  issuer,
  subject,
  discord: { id: undefined, username: undefined },
  linkedAt: undefined,
  now: now(),
});

type Row = NonNullable<Awaited<ReturnType<Needs["queries"]["findAdminSession"]>>>;

/** Whether the membership or the grant of the link has ended since. A logout token deletes the row itself. */
const hasEnded = ({ signedInAt, goneAt, endedAt, endCause }: Row): boolean =>
  [goneAt, endCause === "unanswered" ? null : endedAt].some((at) => at !== null && at > signedInAt);

/** Whether claims that were read since say no. Claims that cannot tell change nothing. */
function isRefusedSince(deps: Needs, row: Row): boolean {
  const { claims, sources, claimsSeenAt, signedInAt } = row;
  if (claims === null || claimsSeenAt === null || claimsSeenAt <= signedInAt) return false;
  const outcome = evaluateAdmin(deps.rules, {
    ...factsOf(deps, row),
    claims,
    claimsAsked: askedOf(claims),
    sources: sources ?? {},
  });
  return outcome.outcome === "value" && !outcome.value;
}

/** What an administrator is called in the trail. */
export function nameAdmin(name: string | undefined, subject: string): Pick<Admin, "name" | "operator"> {
  const shown = printable(subject, MAX_SUBJECT);
  return { name, operator: name === undefined ? shown : `${printable(name, MAX_NAME)} (${shown})` };
}

/** Seals what the provider said, with the key of the browser's cookie. */
export function sealFacts(secrets: SessionSecrets, facts: AdminFacts): string {
  const sealer = sealerOf(secrets);
  if (sealer === undefined) throw new TypeError("A new session has a key");
  return sealer.seal(JSON.stringify(facts), contextOf(secrets));
}

function openFacts(secrets: SessionSecrets, sealed: string): AdminFacts | undefined {
  const text = sealerOf(secrets)?.open(sealed, contextOf(secrets));
  const parsed = v.safeParse(factsShape, text === undefined ? undefined : parseJson(text));
  return parsed.success ? { ...parsed.output, name: parsed.output.name } : undefined;
}

function sealerOf({ sessionKey }: SessionSecrets) {
  const key = decodeBase64url(sessionKey);
  return key === undefined ? undefined : createSealer([{ id: "a", key }], "admin facts");
}

const contextOf = ({ sessionIdHash }: SessionSecrets): string => `admin_session.facts:${sessionIdHash}`;

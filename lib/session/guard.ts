/**
 * The guard before the API and the member's page: which session a browser's cookies prove. It does not ask Discord, so a
 * member can undo their link while Discord is down.
 */
import type { WorkDeps } from "../deps.ts";
import { unauthenticated } from "../errors.ts";
import { secondsAfter } from "../time.ts";
import type { SessionSecrets } from "./secrets.ts";
import { openSessionToken, SESSION_IDLE_SECONDS } from "./secrets.ts";

type Queries = WorkDeps["queries"];
type Needs = Pick<WorkDeps, "queries" | "now">;

/** What a session that was proved has beside its row: the secrets that prove it, and the access token that it holds. */
type Proof = { readonly secrets: SessionSecrets; readonly accessToken: string };

type SessionRow = NonNullable<Awaited<ReturnType<Queries["findSession"]>>>;
type SessionRowWithLink = NonNullable<Awaited<ReturnType<Queries["findSessionWithLink"]>>>;

/** A session that was proved. */
export type Session = SessionRow & Proof;

/** The same with what is shown of the member's link. Claims may be large, and only those who show it read them. */
export type SessionWithLink = SessionRowWithLink & Proof;

/** A statement that finds a session. */
type Find<Row> = (values: Parameters<Queries["findSession"]>[0]) => Promise<Row | undefined>;

/** A session's use is recorded this often, not at every request. */
const USED_EVERY_SECONDS = 300;

/**
 * The session that two cookies prove, the first one if there are several. Nothing is asked of Discord, so that a member
 * can undo their link while it is down. Throws unauthenticated, which takes as long for a wrong id as for a wrong key.
 */
export const openSession = (deps: Needs, candidates: readonly SessionSecrets[]): Promise<Session> =>
  open(deps, candidates, deps.queries.findSession);

/** The same with the link, in one statement. */
export const openSessionWithLink = (
  deps: Needs,
  candidates: readonly SessionSecrets[],
): Promise<SessionWithLink> => open(deps, candidates, deps.queries.findSessionWithLink);

async function open<Row extends SessionRow>(
  deps: Needs,
  candidates: readonly SessionSecrets[],
  find: Find<Row>,
): Promise<Row & Proof> {
  if (candidates.length === 0) throw unauthenticated("no session cookies");
  const session = await findFirst(deps, candidates, find);
  const now = deps.now();
  const usedBefore = secondsAfter(now, -USED_EVERY_SECONDS);
  const { sessionIdHash, sessionKeyHash } = session.secrets;
  if (session.lastUsedAt <= usedBefore)
    await deps.queries.setSessionUsed({ sessionIdHash, sessionKeyHash, usedBefore, now });
  return session;
}

/** The first session that these secrets prove. Throws unauthenticated. */
export const findSession = (deps: Needs, candidates: readonly SessionSecrets[]): Promise<Session> =>
  findFirst(deps, candidates, deps.queries.findSession);

async function findFirst<Row extends SessionRow>(
  deps: Needs,
  candidates: readonly SessionSecrets[],
  find: Find<Row>,
): Promise<Row & Proof> {
  for await (const session of prove(deps, candidates, find)) return session;
  throw unauthenticated("no such session, or another key");
}

/** The sessions that these secrets prove: one statement for each id, sent only if the caller asks for the next session. */
export const proveSessions = (deps: Needs, candidates: readonly SessionSecrets[]): AsyncGenerator<Session> =>
  prove(deps, candidates, deps.queries.findSession);

async function* prove<Row extends SessionRow>(
  deps: Needs,
  candidates: readonly SessionSecrets[],
  find: Find<Row>,
): AsyncGenerator<Row & Proof> {
  const byId = Map.groupBy(candidates, ({ sessionIdHash }) => sessionIdHash);
  for (const [sessionIdHash, pairs] of byId) {
    const now = deps.now();
    const idleSince = secondsAfter(now, -SESSION_IDLE_SECONDS);
    const sessionKeyHashes = pairs.map(({ sessionKeyHash }) => sessionKeyHash).join();
    const row = await find({ sessionIdHash, sessionKeyHashes, idleSince, now });
    for (const secrets of pairs) {
      // Even without a row: a session of an earlier release is found by its id alone, and an unknown id must take as long.
      const accessToken = openSessionToken(secrets, "access_token", row?.accessTokenSealed);
      if (row === undefined || accessToken === undefined) continue;
      yield { ...row, secrets, accessToken };
      break;
    }
  }
}

/** The member's sessions that have not ended. */
export function listSessions(deps: Needs, { discordUserId }: Pick<Session, "discordUserId">) {
  const now = deps.now();
  const idleSince = secondsAfter(now, -SESSION_IDLE_SECONDS);
  return deps.queries.listSessions({ discordUserId, idleSince, now });
}

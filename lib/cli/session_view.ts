/** Sessions as a table and as JSON. The handle names a session, and opens nothing. */
import type { ListedSession, SessionList } from "../operator/sessions.ts";
import { printable } from "../text/printable.ts";
import { formatTable } from "./table.ts";
import { shortTime } from "./times.ts";

const MOST_OF_NAME = 24;
const HEAD = ["discord id", "username", "browser", "since", "last used", "until"];

/** A list as a table, and the command for the next page. `none` is the sentence for an empty list. */
export function describeSessions({ sessions, next }: SessionList, none: string): string {
  if (sessions.length === 0) return none;
  const rows = sessions.map((session) => [
    session.discordUserId,
    `@${printable(session.username, MOST_OF_NAME)}`,
    session.userAgent === null ? "-" : printable(session.userAgent, MOST_OF_NAME),
    shortTime(session.createdAt),
    shortTime(session.lastUsedAt),
    shortTime(session.expiresAt),
  ]);
  const counted = sessions.length === 1 ? "1 session" : `${sessions.length} sessions`;
  const more =
    next === null
      ? `${counted}.`
      : `${counted}, and there are more. Go on with: the same command, and --after ${next}`;
  return [formatTable([HEAD, ...rows]), more].join("\n\n");
}

/** One list as JSON. */
export const sessionsAsJson = ({ sessions, next }: SessionList) => ({
  sessions: sessions.map(sessionAsJson),
  next,
});

const sessionAsJson = (session: ListedSession) => ({
  discord_user_id: session.discordUserId,
  username: session.username,
  user_agent: session.userAgent,
  created_at: session.createdAt,
  last_used_at: session.lastUsedAt,
  expires_at: session.expiresAt,
});

/**
 * Prepared statements on a session that several connections share: each connection's names become names of the
 * session's own, so that no two connections mean the same statement. Called by `session.ts`; pure but for the names
 * that it remembers.
 */
import { COPY_FAIL, renameStatement, typeOf } from "./wire.ts";

/** A connection, as far as its statements go. */
export type StatementHolder = {
  /** What the connection calls its statements, and what the session calls them. */
  readonly statements: Map<string, string>;
};

/** The names of a session. */
export type StatementNames = {
  /** Whose the unnamed statement is. */
  unnamed?: StatementHolder;
  /** How many names were made. */
  made: number;
};

/** A name that no statement has. */
const NO_STATEMENT = "none";

/** What the backend is given for a connection's message. */
export function translate(
  names: StatementNames,
  holder: StatementHolder,
  message: Buffer,
): readonly Buffer[] {
  const type = typeOf(message);
  // A backend that is told to copy from the client reads on, and exits if the client says nothing. Ignored otherwise.
  if (type === "Q" || type === "E") return [message, COPY_FAIL];
  if (type === "d" || type === "c" || type === "f") return [];
  return [renameStatement(message, (name) => sessionName(names, holder, name, type === "P"))];
}

function sessionName(names: StatementNames, holder: StatementHolder, name: string, isParse: boolean): string {
  if (name === "") {
    if (isParse) names.unnamed = holder;
    return names.unnamed === holder ? "" : NO_STATEMENT;
  }
  const known = holder.statements.get(name);
  if (known !== undefined || !isParse) return known ?? NO_STATEMENT;
  names.made += 1;
  const made = `s${names.made}`;
  holder.statements.set(name, made);
  return made;
}

/**
 * As much of PostgreSQL's wire protocol as sharing a session takes: where a message ends, which statement it names,
 * what ReadyForQuery says. Called by `session.ts` and `statement_names.ts`; pure. PostgreSQL 18, chapter 54.
 */

const SMALL_MESSAGE_BYTES = 10_000;
const LARGE_MESSAGE_BYTES = 16 * 1024 * 1024;
const LARGE_TYPES = "QPBd";
const SMALL_TYPES = "CDEHScf";
const READY_FOR_QUERY = Buffer.from("Z\0\0\0\x05");

/** What a connection begins with. */
export type Startup = {
  readonly bytes: number;
  readonly kind: "start" | "encrypt" | "cancel" | "unknown";
};

/** Reads what a connection begins with; undefined if not all of it is there. PostgreSQL 54.7, StartupMessage et al. */
export function readStartup(inbox: Buffer): Startup | undefined {
  if (inbox.length < 8) return undefined;
  const bytes = inbox.readInt32BE(0);
  if (bytes < 8 || bytes > SMALL_MESSAGE_BYTES) return { bytes: 0, kind: "unknown" };
  if (inbox.length < bytes) return undefined;
  const [major, minor] = [inbox.readUInt16BE(4), inbox.readUInt16BE(6)];
  if (major === 3) return { bytes, kind: "start" };
  if (major !== 1234) return { bytes, kind: "unknown" };
  return { bytes, kind: minor === 5678 ? "cancel" : "encrypt" };
}

/** Messages to run at once, and what ends them. */
export type Batch = {
  readonly bytes: number;
  readonly end: "sync" | "open" | "terminate" | "malformed";
};

/** The next messages to run at once: up to a Sync or a Query, or what there is. Undefined if none is whole. */
export function nextBatch(inbox: Buffer): Batch | undefined {
  let bytes = 0;
  for (let next = messageAt(inbox, 0); next !== undefined; next = messageAt(inbox, bytes)) {
    if (!next.isRunnable && bytes === 0) return { bytes, end: next.type === "X" ? "terminate" : "malformed" };
    if (!next.isRunnable) break;
    bytes = next.end;
    if (next.type === "S" || next.type === "Q") return { bytes, end: "sync" };
  }
  return bytes > 0 ? { bytes, end: "open" } : undefined;
}

function messageAt(inbox: Buffer, at: number) {
  if (inbox.length - at < 5) return undefined;
  const type = typeOf(inbox, at);
  const size = inbox.readInt32BE(at + 1);
  const end = at + 1 + size;
  const isRunnable = size >= 4 && size <= sizeLimit(type);
  return isRunnable && end > inbox.length ? undefined : { type, end, isRunnable };
}

/** The backend exits over other types, and over messages above its own limit, which is the small one. */
function sizeLimit(type: string): number {
  if (LARGE_TYPES.includes(type)) return LARGE_MESSAGE_BYTES;
  return SMALL_TYPES.includes(type) ? SMALL_MESSAGE_BYTES : 0;
}

/** The messages of a batch, one by one. */
export function splitBatch(batch: Buffer): readonly Buffer[] {
  const messages: Buffer[] = [];
  for (let at = 0; at < batch.length; ) {
    const end = at + 1 + batch.readInt32BE(at + 1);
    messages.push(batch.subarray(at, end));
    at = end;
  }
  return messages;
}

/** A message's type. */
export function typeOf(message: Buffer, at = 0): string {
  return String.fromCharCode(message.readUInt8(at));
}

/** Gives a Parse, Bind, Describe or Close another statement name. One that names none, or is malformed, stays. */
export function renameStatement(message: Buffer, rename: (name: string) => string): Buffer {
  const start = nameStart(message);
  const end = message.indexOf(0, start);
  if (start === 0 || end === -1) return message;
  const name = Buffer.from(rename(message.toString("latin1", start, end)));
  const renamed = Buffer.concat([message.subarray(0, start), name, message.subarray(end)]);
  renamed.writeInt32BE(renamed.length - 1, 1);
  return renamed;
}

function nameStart(message: Buffer): number {
  const type = typeOf(message);
  if (type === "P") return 5;
  // After the portal's name.
  if (type === "B") return message.indexOf(0, 5) + 1;
  const isOfStatement = (type === "D" || type === "C") && message[5] === 0x53;
  return isOfStatement ? 6 : 0;
}

/** Reads the transaction status of the ReadyForQuery at the end. Throws if there is none: the backend has stopped. */
export function isIdle(answer: Buffer): boolean {
  if (!answer.subarray(-6, -1).equals(READY_FOR_QUERY))
    throw new Error("The backend did not say that it is ready");
  return answer.at(-1) === 0x49;
}

function message(type: string, body: string): Buffer {
  const size = Buffer.alloc(4);
  size.writeInt32BE(4 + Buffer.byteLength(body));
  return Buffer.concat([Buffer.from(type), size, Buffer.from(body)]);
}

/** An ErrorResponse with an SQLSTATE. */
export const errorResponse = (code: string, text: string, detail: string) =>
  message("E", `SFATAL\0VFATAL\0C${code}\0M${text}\0D${detail}\0\0`);
/** A simple query. */
export const query = (text: string) => message("Q", `${text}\0`);
/** Closes a statement. */
export const closeStatement = (name: string) => message("C", `S${name}\0`);
/** Ready: idle, or in a transaction that has failed. */
export const readyForQuery = (status: "I" | "E") => message("Z", status);
/** Ends what belongs together. */
export const SYNC = message("S", "");
/** Ends a copy from the client, and is ignored outside of one. */
export const COPY_FAIL = message("f", "the embedded database does not copy from a client\0");
/** Begins a session. */
export const STARTUP = Buffer.from("\0\0\0\x29\0\x03\0\0user\0postgres\0database\0postgres\0\0", "latin1");

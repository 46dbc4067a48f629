/** What a server saw of the doctor's request, and how it says so: the form that both ends share. */
import * as v from "valibot";
import { parseJson } from "../../oauth/upstream.ts";
import type { Check } from "./check.ts";
import { CHECK_GROUPS } from "./check.ts";

/** Whether X-Forwarded-For came with the request, and whether the server believed who sent it. */
export type Forwarded = "absent" | "believed" | "refused";

/** A request as the server saw it. */
export type Seen = {
  readonly forwarded: Forwarded;
  /** The address that has connected. */
  readonly peer: string | null;
  /** The address that limits count. */
  readonly client: string | null;
  /** What X-Forwarded-Proto says; null if nothing, or nothing sensible. */
  readonly scheme: "http" | "https" | null;
  /** The checks of the server's database, if the doctor asked for them. */
  readonly database: readonly Check[];
};

const MAX_LENGTH = 4_000;
const shortText = v.pipe(v.string(), v.maxLength(MAX_LENGTH));
const checkShape = v.object({
  id: v.picklist(CHECK_GROUPS.database),
  state: v.picklist(["ok", "warning", "fault", "unknown"]),
  detail: shortText,
  remedy: v.nullable(shortText),
});
const seenShape = v.object({
  forwarded: v.picklist(["absent", "believed", "refused"]),
  peer: v.nullable(shortText),
  client: v.nullable(shortText),
  scheme: v.nullable(v.picklist(["http", "https"])),
  database: v.pipe(v.array(checkShape), v.maxLength(CHECK_GROUPS.database.length)),
});
const answerShape = v.object({ seen: v.string(), code: v.string() });

/** What a server answers: what it saw as a text, and the code of that text. */
export type ReachAnswer = v.InferOutput<typeof answerShape>;

/** Reads an answer; undefined for anything else that may come. */
export function readAnswer(text: string): ReachAnswer | undefined {
  const parsed = v.safeParse(answerShape, parseJson(text));
  return parsed.success ? parsed.output : undefined;
}

/** Reads what a server saw, once its code is right; undefined if another release says it in another form. */
export function readSeen(text: string): Seen | undefined {
  const parsed = v.safeParse(seenShape, parseJson(text));
  return parsed.success ? parsed.output : undefined;
}

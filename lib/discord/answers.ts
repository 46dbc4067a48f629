/**
 * The shapes of Discord's own answers, as its API reference has them. An answer of any other shape comes from something
 * else, such as a firewall, a proxy, a cache or a network's login page, whatever its status. `retries.ts` decides what
 * follows from an answer.
 */
import * as v from "valibot";
import type { Answer } from "../oauth/upstream.ts";
import { parseJson } from "../oauth/upstream.ts";
import type { MetadataRecord } from "../rules/records.ts";
import type { RoleConnection } from "../rules/role_connection.ts";
import { isJsonObject, jsonObjectOf } from "../text/json_object.ts";

const roleConnectionShape = v.object({
  platform_name: v.nullish(v.string()),
  platform_username: v.nullish(v.string()),
  metadata: jsonObjectOf(v.union([v.string(), v.number()])),
});

/**
 * Whether a body is the answer to PUT role-connection: the role connection as Discord now has it, with every value that
 * was sent. Names may differ, since Discord may write them in its own way, and older keys may stay.
 * https://discord.com/developers/docs/resources/user#application-role-connection-object
 */
export function isRoleConnectionOf(sent: RoleConnection, body: unknown): boolean {
  const parsed = v.safeParse(roleConnectionShape, body);
  if (!parsed.success || Array.isArray(body)) return false;
  const has = new Map(Object.entries(parsed.output.metadata));
  return Object.entries(sent.metadata).every(([key, value]) => String(has.get(key)) === value);
}

/** Whether a body is the answer to GET role-connection. */
export const isRoleConnection = (body: unknown): boolean =>
  v.is(roleConnectionShape, body) && !Array.isArray(body);

/** The values of a role connection by their keys; none if the text is no role connection. */
export function readMetadata(text: string): Readonly<Record<string, string>> {
  const parsed = v.safeParse(roleConnectionShape, parseJson(text));
  if (!parsed.success) return {};
  return Object.fromEntries(
    Object.entries(parsed.output.metadata).map(([key, value]) => [key, String(value)]),
  );
}

const localizations = v.nullish(v.record(v.string(), v.nullable(v.string())));
const storedRecord = v.object({
  key: v.string(),
  type: v.number(),
  name: v.string(),
  name_localizations: localizations,
  description: v.string(),
  description_localizations: localizations,
});
const recordList = v.nullable(v.array(storedRecord));

/** A metadata record as Discord has it. Its type may be one that this Janus does not know. */
export type StoredRecord = Readonly<v.InferOutput<typeof storedRecord>>;

/** Whether a body is the answer to GET metadata: the records, null for none. */
export const isListOfRecords = (body: unknown): boolean => v.is(recordList, body);

/** The records of an answer; none if it is no list of records. */
export function readRecords(body: unknown): readonly StoredRecord[] {
  const parsed = v.safeParse(recordList, body);
  return parsed.success ? (parsed.output ?? []) : [];
}

/** Whether a body is the answer to PUT metadata: the records as Discord now has them. */
export function hasRecords(body: unknown, records: readonly MetadataRecord[]): boolean {
  if (!isListOfRecords(body)) return false;
  const stored = readRecords(body);
  return records.every(({ key, type }) =>
    stored.some((record) => record.key === key && record.type === type),
  );
}

/** Discord answers a revocation with 200 and an empty object. Any other body comes from something else. */
export function isRevoked({ status, text }: Answer): boolean {
  if (status !== 200) return false;
  const body = parseJson(text);
  return text.trim() === "" || (isJsonObject(body) && v.is(v.strictObject({}), body));
}

/**
 * Whether a 204 has no body. Discord's own have the content type of a page, so the type says nothing.
 * https://github.com/discord/discord-api-docs/issues/5887
 */
export function isEmpty({ headers, text }: Answer): boolean {
  return text === "" && Number(headers.get("content-length") ?? 0) === 0;
}

/** Any error of Discord. With a 2xx it means that nothing was done. */
const anyError = v.object({ message: v.string(), code: v.unknown() });

/** Whether a body is an error, whatever the status. */
export const isError = (body: unknown): boolean => v.is(anyError, body);

/** Codes that mean that Discord does not know the token. Its plain 401 has code 0. */
const UNKNOWN_TOKEN_CODES: readonly number[] = [0, 40_001, 50_014, 50_025];
/** "Unknown Application" and the like. */
const UNKNOWN_CODES = { least: 10_001, most: 10_999 } as const;
/** Discord's codes begin here, except for a plain 0. Gateways put HTTP statuses into a `code` of their own. */
const LEAST_CODE = 10_000;
/**
 * Codes by which Discord itself says "not now", whatever the status: rate limits, features that are switched off for a
 * while, "try again later", the network within Discord (40333, which its list does not have) and its overload.
 * https://docs.discord.com/developers/topics/opcodes-and-status-codes#json-json-error-codes
 */
const PASSING_CODES: readonly number[] = [
  20_016, 20_022, 20_028, 20_029, 30_034, 30_037, 30_040, 30_042, 30_046, 40_003, 40_004, 40_006, 40_062,
  40_333, 110_000, 110_001, 130_000,
];
/** https://discord.com/developers/docs/reference#error-messages */
const discordError = v.object({
  message: v.string(),
  code: v.pipe(v.number(), v.integer()),
  // An error that names a time to wait is a rate limit.
  retry_after: v.optional(v.undefined()),
});

/** Why Discord refuses for good: it does not know the token, does not know what is asked about, or says no. */
type Refusal = "unknown_token" | "unknown" | "refused";

/**
 * Reads a final refusal by Discord itself; undefined if it may come from something else, or is not final. Where it
 * takes something from a member (a 401 ends a grant, a 404 leaves nothing to clear), its code must mean exactly that.
 */
export function readRefusal({ status, text }: Answer): Refusal | undefined {
  const parsed = v.safeParse(discordError, parseJson(text));
  if (status < 400 || !parsed.success) return undefined;
  const { code, message } = parsed.output;
  if (PASSING_CODES.includes(code)) return undefined;
  // Discord spells a plain error as its status and what that is called: "401: Unauthorized".
  const isPlain = code === 0 && message.startsWith(`${status}: `);
  if (!isPlain && code < LEAST_CODE) return undefined;
  if (status === 401) return UNKNOWN_TOKEN_CODES.includes(code) ? "unknown_token" : undefined;
  if (status !== 404) return "refused";
  const isUnknown = code >= UNKNOWN_CODES.least && code <= UNKNOWN_CODES.most;
  return isUnknown && message.startsWith("Unknown ") ? "unknown" : undefined;
}

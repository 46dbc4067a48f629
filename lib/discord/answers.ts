/**
 * The shapes by which Discord says that a call was done, as its API reference has them. An answer of any other shape
 * comes from something else, even with a 2xx.
 */
import * as v from "valibot";
import type { MetadataRecord } from "../metadata.ts";
import type { Answer } from "../oauth/upstream.ts";
import { parseJson } from "../oauth/upstream.ts";

/** Whether JSON is an object. valibot alone takes a list for one. */
export const isObject = (value: unknown): boolean => v.is(v.looseObject({}), value) && !Array.isArray(value);

/** The answer to PUT role-connection. https://discord.com/developers/docs/resources/user#application-role-connection-object */
export function isRoleConnection(value: unknown): boolean {
  const parsed = v.safeParse(v.object({ metadata: v.unknown() }), value);
  return parsed.success && isObject(parsed.output.metadata);
}

/** The answer to PUT metadata: the records as Discord now has them. */
export function hasKeys(value: unknown, records: readonly MetadataRecord[]): boolean {
  const parsed = v.safeParse(v.array(v.object({ key: v.string() })), value);
  if (!parsed.success) return false;
  const keys = new Set(parsed.output.map(({ key }) => key));
  return records.every(({ key }) => keys.has(key));
}

/** Discord answers a revocation with 200 and an empty object. Any other body is a page or a proxy's. */
export function isRevoked({ status, text }: Answer): boolean {
  if (status !== 200) return false;
  const body = parseJson(text);
  return text.trim() === "" || (isObject(body) && v.is(v.strictObject({}), body));
}

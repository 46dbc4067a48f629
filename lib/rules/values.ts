/**
 * Claims as values of CEL: whole numbers are ints, other numbers doubles, and objects maps. A map and not an object, since
 * a claim may be named like a part of an object, such as `constructor`.
 */
import type { Size } from "./work.ts";

/** Claims and sources that are nested deeper than this count as absent, since no stack is deep enough for all of them. */
export const MAX_DEPTH = 32;

type Tally = { elements: number; characters: number; isOfTexts: boolean };

/** The size of JSON; undefined for what is nested deeper than claims are kept. */
export function measure(json: unknown): Size | undefined {
  const size: Tally = { elements: 0, characters: 0, isOfTexts: true };
  return addSize(json, size, 0) ? size : undefined;
}

function addSize(json: unknown, size: Tally, depth: number): boolean {
  if (depth > MAX_DEPTH) return false;
  size.elements += 1;
  if (typeof json === "string") {
    size.characters += json.length;
    return true;
  }
  if (!Array.isArray(json) || depth > 0) size.isOfTexts = false;
  if (typeof json !== "object" || json === null) return true;
  if (Array.isArray(json)) return json.every((element) => addSize(element, size, depth + 1));
  return Object.entries(json).every(([key, value]) => {
    size.characters += key.length;
    return addSize(value, size, depth + 1);
  });
}

/** Converts JSON that was measured. */
export function toCel(json: unknown): unknown {
  if (typeof json === "number") return Number.isSafeInteger(json) ? BigInt(json) : json;
  if (typeof json !== "object" || json === null) return json;
  if (Array.isArray(json)) return json.map(toCel);
  return new Map(Object.entries(json).map(([key, value]): [string, unknown] => [key, toCel(value)]));
}

/**
 * Whether PostgreSQL can store JSON as it is, in a `jsonb`: no NUL, no half of a surrogate pair, and not too deep. A number
 * that was too large to be read has become infinite.
 */
export function isStorable(json: unknown, depth = 0): boolean {
  if (depth > MAX_DEPTH) return false;
  if (typeof json === "string") return isStorableText(json);
  if (typeof json === "number") return Number.isFinite(json);
  if (typeof json !== "object" || json === null) return true;
  if (Array.isArray(json)) return json.every((element) => isStorable(element, depth + 1));
  return Object.entries(json).every(([key, value]) => isStorableText(key) && isStorable(value, depth + 1));
}

const isStorableText = (text: string): boolean => !text.includes("\0") && text.isWellFormed();

/** The type of a JSON value, in words. */
export function describeJson(json: unknown): string {
  if (json === null || json === undefined) return "null";
  if (Array.isArray(json)) return "a list";
  if (typeof json === "object") return "an object";
  if (typeof json === "string") return "a text";
  if (typeof json === "boolean") return "true or false";
  return Number.isSafeInteger(json) ? "a whole number" : "a number with a fraction";
}

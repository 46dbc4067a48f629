/**
 * Claims as values of CEL: whole numbers are ints, other numbers doubles, and objects maps. A map and not an object, since
 * a claim may be named like a part of an object, such as `constructor`.
 */
import type { Size } from "./work.ts";

/** Claims and sources that are nested deeper than this count as absent, since no stack is deep enough for all of them. */
export const MAX_DEPTH = 32;

/** A value of CEL, with its size. */
export type Measured = { readonly value: unknown; readonly size: Size };

/** Converts JSON. Throws RangeError for what is nested deeper than claims are kept. */
export function toCel(json: unknown): Measured {
  const size = { elements: 0, characters: 0 };
  return { value: convert(json, size, 0), size };
}

function convert(json: unknown, size: { elements: number; characters: number }, depth: number): unknown {
  if (depth > MAX_DEPTH) throw new RangeError("nested too deeply");
  size.elements += 1;
  if (typeof json === "number") return Number.isSafeInteger(json) ? BigInt(json) : json;
  if (typeof json === "string") size.characters += json.length;
  if (typeof json !== "object" || json === null) return json;
  if (Array.isArray(json)) return json.map((element: unknown) => convert(element, size, depth + 1));
  const entries = Object.entries(json).map(([key, value]): [string, unknown] => {
    size.characters += key.length;
    return [key, convert(value, size, depth + 1)];
  });
  return new Map(entries);
}

/** Whether PostgreSQL can store JSON as it is, in a `jsonb`: no NUL, no half of a surrogate pair, and not too deep. */
export function isStorable(json: unknown, depth = 0): boolean {
  if (depth > MAX_DEPTH) return false;
  if (typeof json === "string") return isStorableText(json);
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

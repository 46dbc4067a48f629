/**
 * Claims as values of CEL: whole numbers are ints, other numbers doubles, and objects maps. A map and not an object, since
 * a claim may be named like a part of an object, such as `constructor`.
 */
import { createMap } from "./cel.ts";
import type { Size } from "./work.ts";

/** Claims and sources that are nested deeper than this count as absent, since no stack is deep enough for all of them. */
export const MAX_DEPTH = 32;

/** What `toCel` costs, in units of work: for each value, and for each key of an object. */
const VALUE_UNITS = 3;
const KEY_UNITS = 12;

/** The size of JSON, as far as it was read, and why it was read no further. */
export type Measured = {
  readonly size: Size;
  /** The units of `toCel`. */
  readonly conversion: number;
  readonly stopped: "too_deep" | "too_much" | undefined;
};

type Tally = { elements: number; characters: number; isOfTexts: boolean; conversion: number };

/** Measures JSON, until it is nested too deeply, or until its conversion would take more than so many units. */
export function measure(json: unknown, most: number): Measured {
  const size: Tally = { elements: 0, characters: 0, isOfTexts: true, conversion: 0 };
  const stopped = addSize(json, size, 0, most);
  return { size, conversion: size.conversion, stopped };
}

function addSize(json: unknown, size: Tally, depth: number, most: number): Measured["stopped"] {
  if (depth > MAX_DEPTH) return "too_deep";
  size.elements += 1;
  size.conversion += VALUE_UNITS;
  if (size.conversion > most) return "too_much";
  if (typeof json === "string") {
    size.characters += json.length;
    return undefined;
  }
  if (!Array.isArray(json) || depth > 0) size.isOfTexts = false;
  if (typeof json !== "object" || json === null) return undefined;
  return Array.isArray(json) ? addElements(json, size, depth, most) : addObject(json, size, depth, most);
}

function addObject(json: object, size: Tally, depth: number, most: number): Measured["stopped"] {
  const keys = Object.keys(json);
  size.conversion += KEY_UNITS * keys.length;
  if (size.conversion > most) return "too_much";
  for (const key of keys) size.characters += key.length;
  return addElements(Object.values(json), size, depth, most);
}

function addElements(
  values: readonly unknown[],
  size: Tally,
  depth: number,
  most: number,
): Measured["stopped"] {
  for (const value of values) {
    const stopped = addSize(value, size, depth + 1, most);
    if (stopped !== undefined) return stopped;
  }
  return undefined;
}

/** Converts JSON that was measured. */
export function toCel(json: unknown): unknown {
  if (typeof json === "number") return Number.isSafeInteger(json) ? BigInt(json) : json;
  if (typeof json !== "object" || json === null) return json;
  if (Array.isArray(json)) return json.map(toCel);
  return createMap(Object.entries(json).map(([key, value]) => [key, toCel(value)]));
}

/**
 * Whether PostgreSQL can store JSON as it is, in a `jsonb`: no NUL, no half of a surrogate pair, not too deep, and no
 * number such as 1e400, which is read as infinite and would be written as null.
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

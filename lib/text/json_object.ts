/**
 * JSON objects whose names somebody else chooses, such as claims. valibot's own `record` and `looseObject` leave out
 * `constructor`, `prototype` and `__proto__`, which are names like any other.
 */
import * as v from "valibot";

/** A JSON object with all its names. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** Whether JSON is an object, and no list. */
export const isJsonObject = (json: unknown): json is JsonObject =>
  typeof json === "object" && json !== null && !Array.isArray(json);

/** An object with values of any form. */
export const jsonObject = v.custom<JsonObject>(isJsonObject);

/** An object whose values all fit a schema, and are as they came. */
export const jsonObjectOf = <Value>(value: v.GenericSchema<Value>) =>
  v.custom<Readonly<Record<string, Value>>>(
    (json) => isJsonObject(json) && Object.values(json).every((one) => v.is(value, one)),
  );

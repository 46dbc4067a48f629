/** The role connection: what Discord is told about one member, a value for each metadata record. */
import type { Outcome, Verdict } from "./evaluate.ts";

/** What is pushed for one member. Values are strings: `"1"` for true, whole numbers, ISO 8601 in UTC. */
export type RoleConnection = {
  readonly platform_name: string;
  readonly platform_username?: string;
  readonly metadata: Readonly<Record<string, string>>;
};

/** What was pushed last. */
export type Pushed = {
  readonly metadata: Readonly<Record<string, string>>;
  readonly platformUsername: string | null;
};

/**
 * Pushed if nothing is known of a member. Discord takes an empty metadata object and its client then waits for ever. This
 * key is not registered, so no role asks for it. A value of a registered key could satisfy one: `"0"` is "not equal to 1".
 */
export const NOTHING_KNOWN = { key: "janus_nothing_known", value: "1" } as const;

/** Builds what is pushed. A record that is unknown or in error keeps what was pushed before; without that it is left out. */
export function buildRoleConnection(
  platformName: string,
  { platformUsername, records }: Pick<Verdict, "platformUsername" | "records">,
  pushed: Pushed | undefined,
): RoleConnection {
  const username = valueOr(platformUsername, pushed?.platformUsername ?? "");
  const values = records.flatMap(({ key, outcome }): [string, string][] => {
    const value = valueOr(outcome, pushed === undefined ? undefined : pushedValue(pushed.metadata, key));
    return value === undefined ? [] : [[key, value]];
  });
  return {
    platform_name: platformName,
    ...(username === "" ? {} : { platform_username: username }),
    metadata: Object.fromEntries(values.length > 0 ? values : [[NOTHING_KNOWN.key, NOTHING_KNOWN.value]]),
  };
}

const valueOr = <Value, Other>(outcome: Outcome<Value>, other: Other): Value | Other =>
  outcome.outcome === "value" ? outcome.value : other;

/** What was pushed for a record; undefined without a value. A key may be named like a part of every object. */
export const pushedValue = (metadata: Readonly<Record<string, string>>, key: string): string | undefined =>
  Object.hasOwn(metadata, key) ? metadata[key] : undefined;

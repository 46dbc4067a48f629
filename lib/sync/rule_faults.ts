/** Rules that could not be evaluated for a member. One wrong rule meets every member, so a process tells of it once. */
import type { Verdict } from "../rules/evaluate.ts";
import type { Log } from "../telemetry/log.ts";

/** What this process has told. */
export type RuleFaults = {
  /** Logs each rule that ended in an error, unless the log has it already. */
  readonly tell: (verdict: Partial<Verdict>) => void;
};

/** Begins with nothing told. */
export function createRuleFaults(log: Log): RuleFaults {
  // As many as there are rules: the names are those of the rules file.
  const told = new Set<string>();
  return {
    tell: ({ admitted, platformUsername, records = [] }) => {
      const outcomes = [
        { name: "admit", outcome: admitted },
        { name: "platform_username", outcome: platformUsername },
        ...records.map(({ key, outcome }) => ({ name: `record "${key}"`, outcome })),
      ];
      for (const { name, outcome } of outcomes) {
        if (outcome?.outcome !== "error" || told.has(name)) continue;
        told.add(name);
        log.warn("rule_failed", { reason: `${name}: ${outcome.reason}` });
      }
    },
  };
}

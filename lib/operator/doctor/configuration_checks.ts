/** The checks of the variables and of the rules file. What is checked is what `janus config check` checks as well. */
import { describeRules } from "../configuration.ts";
import type { Check } from "./check.ts";
import { fault, ok, warning } from "./check.ts";
import type { Settings } from "./settings.ts";

/** Says what was found when the configuration was read. */
export function checkConfiguration({ faults, risks, rules }: Settings): readonly Check[] {
  return [
    faults === undefined
      ? ok("configuration", "Every variable that the server needs is set and well-formed.")
      : fault(
          "configuration",
          faults,
          "Correct these variables: docs/configuration.md describes each, and janus config check shows what is in effect.",
        ),
    risks.length === 0
      ? ok("configuration_risks", "No setting is risky.")
      : warning("configuration_risks", risks.join("\n"), "Follow each line, or keep the risk on purpose."),
    "faults" in rules
      ? fault("rules", rules.faults, "Correct the file that RULES_FILE names: docs/rules.md describes it.")
      : ok("rules", `In force: ${describeRules(rules)}.`),
  ];
}

/** Answers to the questions of `setup_questions.ts` as checks, so that the doctor and the server say the same. */
import type { JanusError } from "../../errors.ts";
import type { Finding } from "../setup_questions.ts";
import type { Check, CheckId } from "./check.ts";
import { fault, ok, sayReason, unknown } from "./check.ts";

/** What becomes of each kind of answer. */
type Reading = {
  readonly sound: () => Check;
  readonly untold: () => Check;
  readonly faulty: (error: JanusError) => Check;
  readonly unknown: (error: JanusError) => Check;
};

/** Reads an answer. */
export function readFinding(finding: Finding, reading: Reading): Check {
  switch (finding.kind) {
    case "sound":
      return reading.sound();
    case "untold":
      return reading.untold();
    case "faulty":
      return reading.faulty(finding.error);
    case "unknown":
      return reading.unknown(finding.error);
  }
}

/** The answer of a server to whether it accepts the client id and the secret. */
export const checkOfFinding = (id: CheckId, server: "Discord" | "The provider", finding: Finding): Check =>
  readFinding(finding, {
    sound: () => ok(id, `${server} accepts the client id and the secret.`),
    untold: () =>
      unknown(
        id,
        `${server} does not tell whether it accepts the client id and the secret.`,
        "Sign in once: janus doctor --login.",
      ),
    faulty: (error) =>
      fault(id, sayReason(error), "Copy the client id and the secret again, as the detail says."),
    unknown: (error) => unknown(id, sayReason(error), "Run the doctor again later."),
  });

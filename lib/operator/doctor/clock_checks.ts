/**
 * This machine's clock beside those of the servers that answered: each answer has a Date (RFC 9110 6.6.1), so no request is
 * made for this.
 */
import type { Fetch } from "../../oauth/upstream.ts";
import { tellDates } from "../../oauth/upstream.ts";
import { CLOCK_SKEW_SECONDS } from "../../oidc/keys.ts";
import type { World } from "../../wiring.ts";
import type { Check } from "./check.ts";
import { fault, ok, unknown, warning } from "./check.ts";

/** How many seconds this clock is ahead of a server's, by the answer that was the quickest; undefined without any. */
type ClockNotes = { readonly fetch: Fetch; readonly aheadSeconds: () => number | undefined };

/** A Date has whole seconds, and answers take their time. */
const WARN_SECONDS = 30;
const DISCORD_FAULT_SECONDS = 120;

/** A `fetch` that notes the Date of each answer. */
export function noteClock(world: Pick<World, "fetch" | "now">): ClockNotes {
  let best: { readonly aheadSeconds: number; readonly tookMs: number } | undefined;
  const fetch = tellDates(world, (date, askedAt, answeredAt) => {
    const tookMs = answeredAt - askedAt;
    if (best !== undefined && best.tookMs <= tookMs) return;
    best = { aheadSeconds: Math.round(((askedAt + answeredAt) / 2 - date) / 1_000), tookMs };
  });
  return { fetch, aheadSeconds: () => best?.aheadSeconds };
}

/**
 * Compares the clocks. ID Tokens are refused if the clocks differ by more than CLOCK_SKEW_SECONDS. Discord's tokens are used
 * too long or too short, which is worse than a warning only if the difference is large.
 */
export function checkClock(id: "discord_clock" | "provider_clock", { aheadSeconds }: ClockNotes): Check {
  const ahead = aheadSeconds();
  const server = id === "discord_clock" ? "Discord" : "the provider";
  if (ahead === undefined)
    return unknown(
      id,
      `No answer of ${server} had a date.`,
      "Mend the other checks first, then run the doctor again.",
    );
  const apart = Math.abs(ahead);
  const detail =
    apart <= 1
      ? `This clock agrees with that of ${server}.`
      : `This clock is ${apart} seconds ${ahead > 0 ? "ahead of" : "behind"} that of ${server}.`;
  const remedy = "Set the clock of this machine by NTP. If it is right, the server's clock is wrong.";
  const faultSeconds = id === "discord_clock" ? DISCORD_FAULT_SECONDS : CLOCK_SKEW_SECONDS;
  if (apart > faultSeconds) return fault(id, detail, remedy);
  return apart > WARN_SECONDS ? warning(id, detail, remedy) : ok(id, detail);
}

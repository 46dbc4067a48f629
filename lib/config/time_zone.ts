/**
 * TIME_ZONE: the zone in which pages show times, by its name in the IANA Time Zone Database. The runtime has that
 * database, so it says which names exist. RFC 6557
 */
import * as v from "valibot";

/** The name of a time zone. An offset such as +01:00 is refused: where clocks change, it is wrong for half of the year. */
export const timeZone = v.pipe(
  v.string(),
  v.trim(),
  v.check(
    (name) => /^[a-z]/i.test(name) && isKnown(name),
    "must be the name of a time zone, such as Europe/Stockholm",
  ),
);

function isKnown(name: string): boolean {
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
    return true;
  } catch {
    // The error quotes the value, which no message of ours may repeat.
    return false;
  }
}

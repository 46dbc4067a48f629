/**
 * The brake: whether losses are held, and what decides it. The statements of `sql/brake`.
 */
import * as v from "valibot";
import findBrakeText from "../../../sql/brake/find.sql" with { type: "text" };
import findBrakeHeldText from "../../../sql/brake/find_held.sql" with { type: "text" };
import setBrakeHeldText from "../../../sql/brake/set_held.sql" with { type: "text" };
import setLookedText from "../../../sql/brake/set_looked.sql" with { type: "text" };
import setReleasedText from "../../../sql/brake/set_released.sql" with { type: "text" };
import type { Statement } from "../statement.ts";
import { integer, nullableTime, text, time } from "../statement.ts";

/** Parameters and columns as the files have them. */
export const BRAKE_STATEMENTS = {
  findBrake: {
    text: findBrakeText,
    gives: "row",
    parameters: { lostAfter: time, least: integer, now: time },
    row: {
      lookedAt: nullableTime,
      heldAt: nullableTime,
      releasedAt: nullableTime,
      waiting: integer,
      due: integer,
      goneDue: integer,
      found: integer,
      links: integer,
      isLeftToSee: v.boolean(),
      seen: integer,
      seenLosing: integer,
    },
  },
  findBrakeHeld: {
    text: findBrakeHeldText,
    gives: "row",
    parameters: {},
    row: { heldAt: nullableTime, releasedAt: nullableTime },
  },
  setLooked: {
    text: setLookedText,
    gives: "row",
    parameters: { now: time, lookedBefore: time, seenAfter: time, limit: integer },
    row: { looking: integer },
  },
  setReleased: {
    text: setReleasedText,
    gives: "row",
    parameters: { now: time, operator: text, foundUntil: time },
    row: { released: integer },
  },
  setBrakeHeld: {
    text: setBrakeHeldText,
    gives: "row",
    parameters: { isHeld: v.boolean(), now: time },
    row: { isHeld: v.boolean() },
  },
} as const satisfies Record<string, Statement>;

/** The settings of what keeps links true: how often, how fast, and how careful. */
import * as v from "valibot";
import { SCHEMAS } from "./variables.ts";

/** What `sync/` works by. */
export type SyncSettings = {
  /** Whether this process keeps links true, besides serving members. */
  readonly isOn: boolean;
  /** How often the claims of a link are read again. */
  readonly everyHours: number;
  /** How long a member keeps the role after the provider has ended the grant. */
  readonly graceDays: number;
  /** Losses are held if more than this share of all links, in percent, would lose something in `everyHours`. */
  readonly brakePercent: number;
  /** How often Discord is asked what it has of a link. */
  readonly reconcileDays: number;
  /** How many calls a second all processes together make at the provider, members' requests aside. */
  readonly providerPerSecond: number;
};

/** The variables of these settings. */
export const syncSchema = v.object({
  SYNC: SCHEMAS.SYNC,
  SYNC_EVERY_HOURS: SCHEMAS.SYNC_EVERY_HOURS,
  SYNC_PROVIDER_PER_SECOND: SCHEMAS.SYNC_PROVIDER_PER_SECOND,
  GRACE_DAYS: SCHEMAS.GRACE_DAYS,
  BRAKE_PERCENT: SCHEMAS.BRAKE_PERCENT,
  RECONCILE_DAYS: SCHEMAS.RECONCILE_DAYS,
});

/** The settings from the variables, once those are parsed. */
export const syncOf = (values: v.InferOutput<typeof syncSchema>): SyncSettings => ({
  isOn: values.SYNC === "on",
  everyHours: values.SYNC_EVERY_HOURS,
  graceDays: values.GRACE_DAYS,
  brakePercent: values.BRAKE_PERCENT,
  reconcileDays: values.RECONCILE_DAYS,
  providerPerSecond: values.SYNC_PROVIDER_PER_SECOND,
});

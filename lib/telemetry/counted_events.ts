/**
 * Which lines of the log count in a metric, and by which of their fields. Whatever the log tells is counted where it is
 * told, so that no room counts by itself. All values are of closed lists: `events.ts`, and the codes of `errors.ts`.
 */
import type { LogEvent } from "./events.ts";
import type { LogFields } from "./log.ts";

/** The metrics that lines of the log are counted in, and their labels. */
export const EVENT_METRICS = {
  janus_flow_steps_total: {
    help: "Steps of a flow that have ended.",
    labels: ["step", "outcome"],
  },
  janus_sync_links_total: {
    help: "Links whose claims were to be read again, and role connections that were to be told.",
    labels: ["outcome"],
  },
  janus_grants_ended_total: {
    help: "Grants that have ended.",
    labels: ["side", "reason"],
  },
  janus_events_total: {
    help: "Events that other servers have sent.",
    labels: ["source", "outcome"],
  },
  janus_errors_total: {
    help: "Requests that were answered with an error.",
    labels: ["code"],
  },
} as const;

/** A metric, and the values of its labels, to count one more of. */
type Counted = {
  readonly metric: keyof typeof EVENT_METRICS;
  readonly labels: Readonly<Record<string, string>>;
};

type Count = (fields: LogFields) => readonly Counted[];

const steps = (step: string, outcome: string): Counted => ({
  metric: "janus_flow_steps_total",
  labels: { step, outcome },
});
const events = (source: string, outcome: string): Counted => ({
  metric: "janus_events_total",
  labels: { source, outcome },
});
const errors = (code: string): Counted => ({ metric: "janus_errors_total", labels: { code } });
const sync = (outcome: string): Counted => ({ metric: "janus_sync_links_total", labels: { outcome } });
/** `ended_here`: Janus has ended the grant, as it does after an unlink. `ended_there`: the server has. */
const ended = (side: "discord" | "provider", reason: string): Counted => ({
  metric: "janus_grants_ended_total",
  labels: { side, reason },
});

const COUNTS: Readonly<Partial<Record<LogEvent, Count>>> = {
  flow_step: ({ step = NONE, outcome = NONE }) => [steps(step, outcome)],
  event_received: ({ source = NONE, outcome = NONE }) => [events(source, outcome)],
  request_failed: ({ code = NONE }) => [errors(code)],
  link_checked: ({ outcome = NONE }) => [sync(outcome)],
  role_connection_told: () => [sync("told")],
  role_connection_not_pushed: ({ code }) =>
    code === "grant_ended" ? [sync("not_told"), ended("discord", "ended_there")] : [sync("not_told")],
  grant_ended: () => [ended("discord", "ended_here")],
  grant_not_refreshed: ({ outcome }) => (outcome === "ended" ? [ended("discord", "ended_there")] : []),
  provider_grant_ended: ({ outcome }) => [
    ended("provider", outcome === "refused" || outcome === "given_up" ? "not_revoked" : "ended_here"),
  ],
  claims_not_read: ({ outcome }) => (outcome === "ended" ? [ended("provider", "ended_there")] : []),
};

/** Counts that begin at nought, so that the first one is seen as a rise. */
export const COUNTED_FROM_START: readonly Counted[] = [
  steps("discord", "departed"),
  steps("provider", "linked"),
  steps("provider", "failed"),
  sync("told"),
  sync("not_told"),
  sync("read"),
  sync("failed"),
  ended("discord", "ended_there"),
  ended("provider", "ended_there"),
];

/** The metrics that a line counts in. */
export const findCounted = (event: LogEvent, fields: LogFields): readonly Counted[] =>
  COUNTS[event]?.(fields) ?? [];

/** For a field that a line lacks. */
const NONE = "unknown";

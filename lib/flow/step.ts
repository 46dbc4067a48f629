/**
 * What every step of a flow takes and may end with, whichever flow it is. Results that only one flow has, such as a link
 * or a session, are that flow's own.
 */

import type { Browser } from "../session/secrets.ts";
import type { FlowChange, FlowRecords } from "./record.ts";

/** A request of the flow: what the browser sent, and under which id it is logged. */
export type FlowRequest = {
  readonly query: URLSearchParams;
  readonly records: FlowRecords;
  readonly browser: Browser;
  readonly requestId: string;
};

/** The next leg: where to send the browser, and what it is to keep. */
export type Departure = {
  readonly outcome: "departure";
  readonly location: string;
  readonly flow: FlowChange;
};

/** The member said no at one of the two, or the provider did: nothing was linked, nothing changed. */
export type Cancelled = {
  readonly outcome: "cancelled";
  readonly at: "discord" | "provider";
  /** For the log. */
  readonly reason: string;
  readonly flow: FlowChange;
};

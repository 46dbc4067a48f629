/**
 * What a browser carries from one leg to the next: a record in a cookie of its own for each flow, so several tabs do not
 * disturb each other. The record is a leg, a time and a random seed. State, nonce, code verifier and flow id are
 * authentication codes over it, under COOKIE_SECRET. So the state binds the callback to the browser that began
 * (RFC 6749 10.12), and reading or altering a record reveals nothing and gains nothing. A flow is single use because of
 * its row in the database.
 */

import type { Mac } from "../crypto.ts";
import { equalInConstantTime, randomToken, sha256Hex } from "../crypto.ts";
import type { WorkDeps } from "../deps.ts";
import { flowExpired, stateMismatch } from "../errors.ts";
import type { AuthorizationResponse } from "../oauth/authorization.ts";
import { readAuthorizationResponse } from "../oauth/authorization.ts";
import type { SessionSecrets } from "../session/secrets.ts";
import { withHash } from "../session/secrets.ts";

/** How long a member may take for one leg. */
export const FLOW_TTL_SECONDS = 600;
/**
 * How long a browser keeps a flow's record: much longer than the flow lives. So a member who comes back late reads that the
 * sign-in took too long, and not that it began in another browser.
 */
export const FLOW_COOKIE_SECONDS = 86_400;

/** Flows that one browser may have under way; the oldest makes room. */
const MAX_FLOWS = 5;
/** Each takes a hundred bytes of the head, and some proxies take only 4 KiB. The next answer forgets the others. */
const MAX_FORGOTTEN = 20;

/** Opening a record costs time. Only an attacker sends more, so the rest is not opened. */
const MAX_OPENED = 20;

const SEED_BYTES = 32;
const NAME_LENGTH = 16;

/** The flow records that a browser sent, by name. It may have sent anything. */
export type FlowRecords = ReadonlyMap<string, string>;

/** What the browser is to keep, and what to forget. */
export type FlowChange = {
  readonly set?: FlowRecord;
  readonly forget: readonly string[];
};

/** `<leg>.<start, milliseconds in base 36>.<seed>` */
const RECORD = /^([a-z_]{4,14})\.([0-9a-z]{1,11})\.([A-Za-z0-9_-]{43})$/;

/** The legs at the provider: with all scopes or reduced ones, each also for a member who wants another account. */
export const PROVIDER_LEGS = ["provider", "provider_other", "reduced", "reduced_other"] as const;
const LEGS = ["discord", "another", ...PROVIDER_LEGS, "move", "login", "doctor", "admin"] as const;
/**
 * Where a flow is: on its way to Discord (`another`: for a member who wants other accounts), to the provider, to the
 * member's confirmation of a move, or to Discord only to sign in. `doctor`: on the operator's way to the provider, which
 * comes from nowhere and leads nowhere. `admin`: on an administrator's way to the provider, and back to their page.
 */
export type Leg = (typeof LEGS)[number];

/** Whether the member wants other accounts than those that they are signed in with. */
export const isForOtherAccount = (leg: Leg): boolean => leg === "another" || leg.endsWith("_other");

/** Whether the provider is asked without the scope that Janus adds by itself. */
export const isReduced = (leg: Leg): boolean => leg === "reduced" || leg === "reduced_other";

/** A flow of this browser at one leg. */
export type Flow = {
  readonly leg: Leg;
  readonly state: string;
  /** Milliseconds since 1970, when the leg began. */
  readonly startedAt: number;
  /** What the browser is to keep. */
  readonly record: FlowRecord;
  readonly seed: string;
  /** Under the key that the flow began with. */
  readonly mac: Mac;
};

type FlowRecord = { readonly name: string; readonly value: string };
/** What a flow works with. */
export type Needs = Pick<WorkDeps, "flowMacs" | "now">;

/** A new flow at a leg: its secrets follow from a seed that nobody can guess. */
export function startFlow({ flowMacs, now }: Needs, leg: Leg): Flow {
  const [mac] = flowMacs;
  if (mac === undefined) throw new TypeError("A flow needs a key");
  return deriveFlow(mac, leg, now().getTime(), randomToken(SEED_BYTES));
}

/** The same flow at its next leg: all its secrets are new but those of its session. */
export function continueFlow({ now }: Needs, { mac, seed }: Flow, leg: Leg): Flow {
  return deriveFlow(mac, leg, now().getTime(), seed);
}

/**
 * The same flow at another leg that counts as begun when this one was, so that its row and its lifetime stay the same.
 * State, nonce and code verifier are new, since the leg is another.
 */
export function divertFlow({ mac, seed, startedAt }: Flow, leg: Leg): Flow {
  return deriveFlow(mac, leg, startedAt, seed);
}

/**
 * What else a leg has of its own, 256 bits as base64url: enough for a code verifier. The legs at the provider share one
 * flow id, since going back to the provider changes no row. RFC 7636 4.1
 */
export function deriveSecret(
  { mac, leg, startedAt, seed, record }: Flow,
  secret: "nonce" | "code_verifier" | "flow_id",
): string {
  const isShared = secret === "flow_id" && PROVIDER_LEGS.some((known) => known === leg);
  return mac(`${isShared ? recordValue("provider", startedAt, seed) : record.value} ${secret}`);
}

/** The secrets of the session at the end of the link flow, the same at each of its legs. */
export function deriveSession({ mac, seed }: Flow): SessionSecrets {
  return withHash(mac(`session.${seed} id`), mac(`session.${seed} key`));
}

/** The key of a flow's row. The id itself can only be derived from the browser's record. */
export const hashFlowId = (flow: Flow): string => sha256Hex(deriveSecret(flow, "flow_id"));

/**
 * What the page is called that says how a leg ended. It stands in an address, so it is no part of the state. A question has
 * the same name as the page that says what the member answered.
 */
export const resultNameOf = ({ mac, record }: Flow): string =>
  mac(`${record.value} result`).slice(0, NAME_LENGTH);

/** The records that must go, oldest and unreadable first, before another flow begins. */
export function makeRoom(deps: Needs, records: FlowRecords): readonly string[] {
  if (records.size < MAX_FLOWS) return [];
  return [...records]
    .map(([name, value], index) => {
      const flow = index < MAX_OPENED ? openRecord(deps, name, value) : undefined;
      return { name, startedAt: flow?.startedAt ?? 0 };
    })
    .sort((a, b) => a.startedAt - b.startedAt)
    .slice(0, Math.min(records.size - MAX_FLOWS + 1, MAX_FORGOTTEN))
    .map(({ name }) => name);
}

/** A callback that belongs to a flow of this browser. */
type AcceptedCallback = { readonly flow: Flow; readonly response: AuthorizationResponse };

/**
 * Accepts a callback of either leg: parameters well-formed, state of a flow of this browser at this leg, in time.
 * Throws callback_malformed, state_mismatch, flow_expired.
 */
export function acceptCallback(
  deps: Needs,
  legs: readonly Leg[],
  query: URLSearchParams,
  records: FlowRecords,
): AcceptedCallback {
  const response = readAuthorizationResponse(query);
  return { response, flow: openFlow(deps, legs, response.state, records) };
}

/** The browser's flow with this state at one of these legs. Throws state_mismatch, flow_expired. */
export function openFlow(deps: Needs, legs: readonly Leg[], state: string, records: FlowRecords): Flow {
  const flow = findFlow(deps, legs, state, records);
  if (isOld(deps, flow)) throw flowExpired("older than its lifetime");
  return flow;
}

/** The same, in time or not. Throws state_mismatch. */
export function findFlow(deps: Needs, legs: readonly Leg[], state: string, records: FlowRecords): Flow {
  const name = nameOf(state);
  const value = records.get(name);
  if (value === undefined) throw stateMismatch("no flow of this browser has the state");
  const flow = openRecord(deps, name, value);
  if (flow === undefined) throw stateMismatch("the flow record is not one of ours");
  if (!legs.includes(flow.leg)) throw stateMismatch("the flow is at another leg");
  if (!equalInConstantTime(flow.state, state)) throw stateMismatch("the state is another one");
  return flow;
}

/** Refuses a browser without any flow at one of these legs, whatever its state. Throws state_mismatch, flow_expired. */
export function requireFlow(deps: Needs, legs: readonly Leg[], records: FlowRecords): void {
  const flows = requireRecord(deps, legs, records);
  if (flows.every((flow) => isOld(deps, flow))) throw flowExpired("older than its lifetime");
}

/** The same, in time or not: the browser's flows at these legs. Throws state_mismatch. */
export function requireRecord(deps: Needs, legs: readonly Leg[], records: FlowRecords): readonly Flow[] {
  const flows = [...records]
    .slice(0, MAX_OPENED)
    .flatMap(([name, value]) => openRecord(deps, name, value) ?? [])
    .filter(({ leg }) => legs.includes(leg));
  if (flows.length === 0) throw stateMismatch("no flow of this browser has the state");
  return flows;
}

const isOld = ({ now }: Needs, { startedAt }: Flow): boolean =>
  now().getTime() - startedAt > FLOW_TTL_SECONDS * 1_000;

/** The leg of the browser's flow with this state, in time or not; undefined where it has none. */
export function findLeg(deps: Needs, state: string, records: FlowRecords): Leg | undefined {
  const name = nameOf(state);
  const value = records.get(name);
  return value === undefined ? undefined : openRecord(deps, name, value)?.leg;
}

/** Whether a callback is that of the operator's or an administrator's own sign-in, and of no member's. */
export const isOfLeg = (leg: "doctor" | "admin", query: URLSearchParams, records: FlowRecords): boolean =>
  records.get(nameOf(query.get("state") ?? ""))?.startsWith(`${leg}.`) === true;

/** The name under which the browser keeps the flow with this state. */
const nameOf = (state: string): string => state.slice(0, NAME_LENGTH);

/** Whether a record is one of ours: another application of the domain may have set a cookie of the same name. */
export const isFlowRecord = (deps: Needs, name: string, value: string): boolean =>
  openRecord(deps, name, value) !== undefined;

/** The flow of a record, if one of our keys gives the record its name. An altered record would have another name. */
function openRecord({ flowMacs }: Needs, name: string, value: string): Flow | undefined {
  const [, word, startedAt = "", seed = ""] = RECORD.exec(value) ?? [];
  const leg = LEGS.find((known) => known === word);
  if (leg === undefined) return undefined;
  for (const mac of flowMacs) {
    const flow = deriveFlow(mac, leg, Number.parseInt(startedAt, 36), seed);
    // The value is compared, too: a time may be written in more than one way.
    if (flow.record.value === value && equalInConstantTime(flow.record.name, name)) return flow;
  }
  return undefined;
}

const recordValue = (leg: Leg, startedAt: number, seed: string): string =>
  `${leg}.${startedAt.toString(36)}.${seed}`;

function deriveFlow(mac: Mac, leg: Leg, startedAt: number, seed: string): Flow {
  const value = recordValue(leg, startedAt, seed);
  const state = mac(`${value} state`);
  return { leg, state, startedAt, record: { name: nameOf(state), value }, seed, mac };
}

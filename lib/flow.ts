/**
 * What a browser carries from one leg to the next: a sealed record in a cookie of its own for each flow, so that
 * several tabs do not disturb each other. Called by `link.ts`. The record binds the callback to the browser that
 * began (RFC 6749 10.12); what makes a flow single-use is its row in the database.
 */
import * as v from "valibot";
import { equalInConstantTime, randomToken, sha256Hex } from "./crypto.ts";
import type { Deps } from "./deps.ts";
import { flowExpired, stateMismatch } from "./errors.ts";
import type { AuthorizationResponse } from "./oauth/authorization.ts";
import { readAuthorizationResponse } from "./oauth/authorization.ts";

/** How long a member may take for one leg. */
export const FLOW_TTL_SECONDS = 600;

/** Flows that one browser may have under way; the oldest makes room. */
const MAX_FLOWS = 5;

/** 256 bits, as base64url 43 characters: enough for a state, a nonce and a code verifier. RFC 7636 4.1 */
const SECRET_BYTES = 32;
const NAME_LENGTH = 16;

/** The sealed flow records that a browser sent, by name. Names and values are whatever it chose to send. */
export type FlowRecords = ReadonlyMap<string, string>;

/** What the browser is to keep, and what to forget. */
export type FlowChange = {
  readonly set?: { readonly name: string; readonly value: string };
  readonly forget: readonly string[];
};

const text = v.string();
const common = { state: text, startedAt: v.number() };
const discordLeg = v.object({ leg: v.literal("discord"), ...common });
const providerLeg = v.object({
  leg: v.literal("provider"),
  ...common,
  flowId: text,
  nonce: text,
  codeVerifier: text,
});
const moveLeg = v.object({ leg: v.literal("move"), ...common, flowId: text });
const record = v.variant("leg", [discordLeg, providerLeg, moveLeg]);

type FlowRecord = v.InferOutput<typeof record>;
type Leg = FlowRecord["leg"];
type RecordOf<L extends Leg> = Extract<FlowRecord, { leg: L }>;
type FlowDeps = Pick<Deps, "flowSealer" | "now">;

/** A new state, nonce, code verifier or flow id: what nobody can guess. */
export const createSecret = (): string => randomToken(SECRET_BYTES);

/** What a flow's row is keyed by: the id itself is only in the browser's sealed record. */
export const hashFlowId = (flowId: string): string => sha256Hex(flowId);

/** Seals a record for the browser to keep, in place of the one that it came with. */
export function keepFlow(
  deps: FlowDeps,
  leg: DistributiveOmit<FlowRecord, "startedAt">,
  forget: readonly string[],
): FlowChange {
  const name = nameOf(leg.state);
  const sealed = deps.flowSealer.seal(JSON.stringify({ ...leg, startedAt: deps.now().getTime() }), name);
  return { set: { name, value: sealed }, forget };
}

/** The records that must go, oldest and unreadable first, before another flow begins. */
export function makeRoom(deps: FlowDeps, records: FlowRecords): readonly string[] {
  if (records.size < MAX_FLOWS) return [];
  return [...records]
    .map(([name, sealed]) => ({ name, startedAt: openRecord(deps, name, sealed)?.startedAt ?? 0 }))
    .sort((a, b) => a.startedAt - b.startedAt)
    .slice(0, records.size - MAX_FLOWS + 1)
    .map(({ name }) => name);
}

/** A callback that belongs to a flow of this browser. */
export type AcceptedCallback<L extends Leg> = {
  readonly flow: RecordOf<L>;
  readonly response: AuthorizationResponse;
};

/**
 * Accepts a callback of either leg: parameters well-formed, state of a flow of this browser at this leg, in time.
 * Throws callback_malformed, state_mismatch, flow_expired.
 */
export function acceptCallback<L extends "discord" | "provider">(
  deps: FlowDeps,
  leg: L,
  query: URLSearchParams,
  records: FlowRecords,
): AcceptedCallback<L> {
  const response = readAuthorizationResponse(query);
  return { response, flow: openFlow(deps, leg, response.state, records) };
}

/** The browser's flow with this state at this leg. Throws state_mismatch, flow_expired. */
export function openFlow<L extends Leg>(
  deps: FlowDeps,
  leg: L,
  state: string,
  records: FlowRecords,
): RecordOf<L> {
  const name = nameOf(state);
  const sealed = records.get(name);
  if (sealed === undefined) throw stateMismatch("no flow of this browser has the state");
  const flow = openRecord(deps, name, sealed);
  if (flow === undefined) throw stateMismatch("the flow record does not open");
  if (!isAtLeg(flow, leg)) throw stateMismatch("the flow is at another leg");
  if (!equalInConstantTime(flow.state, state)) throw stateMismatch("the state is another one");
  if (deps.now().getTime() - flow.startedAt > FLOW_TTL_SECONDS * 1_000)
    throw flowExpired("older than its lifetime");
  return flow;
}

/** The name under which the browser keeps the flow with this state. */
export const nameOf = (state: string): string => state.slice(0, NAME_LENGTH);

function openRecord({ flowSealer }: FlowDeps, name: string, sealed: string): FlowRecord | undefined {
  const opened = flowSealer.open(sealed, name);
  if (opened === undefined) return undefined;
  const parsed = v.safeParse(record, JSON.parse(opened));
  return parsed.success ? parsed.output : undefined;
}

function isAtLeg<L extends Leg>(flow: FlowRecord, leg: L): flow is RecordOf<L> {
  return flow.leg === leg;
}

type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;

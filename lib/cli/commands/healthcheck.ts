/**
 * `janus healthcheck`: asks the server on this machine, as a container engine does every half minute. Called by
 * `cli.ts`. It reads HOST and PORT and nothing else: no secret is needed to be well.
 */

import * as v from "valibot";
import { version } from "../../../package.json" with { type: "json" };
import { inBrackets } from "../../config/listen_host.ts";
import { readServerAddress } from "../../config/load.ts";
import type { Environment } from "../../config/sources.ts";
import { asJanusError, configInvalid, unhealthy } from "../../errors.ts";
import type { Answer, Upstream } from "../../oauth/upstream.ts";
import { parseJson, send } from "../../oauth/upstream.ts";
import { NO_LOG } from "../../telemetry/log.ts";
import { printable } from "../../text/printable.ts";
import { print } from "../output.ts";

const DEADLINE_MS = 3_000;
const MOST_ECHOED = 200;
/** An address to listen on that stands for all of them, and one of those to ask. */
const EVERY_ADDRESS: Readonly<Record<string, string>> = { "0.0.0.0": "127.0.0.1", "::": "::1" };
/** Bun's: whatever HTTP_PROXY says, this machine is asked by itself. */
const WITHOUT_PROXY = { proxy: false };

const statusSchema = v.object({ status: v.string() });
const partsSchema = v.record(v.string(), v.unknown());

const self: Upstream = {
  name: "janus",
  fetch: (url, init) => fetch(url, Object.assign(init, WITHOUT_PROXY)),
  log: NO_LOG,
  deadlineMs: DEADLINE_MS,
  userAgent: `Janus/${version} healthcheck`,
  unavailable: unhealthy,
  clientRejected: unhealthy,
};

/** Asks `/healthz`, or `/readyz` whether members can be served. Throws unhealthy, which says what is missing. */
export async function checkHealth(
  { json, ready }: { readonly json: boolean; readonly ready: boolean },
  environment: Environment,
): Promise<string> {
  const url = addressOf(environment) + (ready ? "/readyz" : "/healthz");
  const wanted = ready ? "ready" : "alive";
  try {
    const answer = await send(self, url, url, { headers: { accept: "application/json" } });
    requireStatus(answer, url, wanted);
  } catch (error) {
    if (json) await print(JSON.stringify({ healthy: false, url, reason: asJanusError(error).message }));
    throw error;
  }
  return json ? JSON.stringify({ healthy: true, url }) : wanted;
}

function addressOf(environment: Environment): string {
  const { host, port } = readServerAddress(environment);
  if (port === 0)
    throw configInvalid("PORT is 0, any free port: set it to the one that the server listens on.");
  const url = URL.parse(`http://${inBrackets(EVERY_ADDRESS[host] ?? host)}:${port}`);
  if (url === null)
    throw configInvalid(
      "HOST names an interface, which no request can: ask the server from outside instead.",
    );
  return url.origin;
}

function requireStatus({ status, text }: Answer, url: string, wanted: string): void {
  const answer = parseJson(text);
  const said = v.safeParse(statusSchema, answer);
  // Anything may listen there: only Janus's own words count.
  if (!said.success) throw unhealthy(`${url}: answered ${status}, and not as Janus does: is it on PORT?`);
  if (status === 200 && said.output.status === wanted) return;
  throw unhealthy(`${url}: ${describe(answer)}`);
}

/** Each part that is not ready, or the status where no part says why. */
function describe(answer: unknown): string {
  const parts = Object.entries(v.parse(partsSchema, answer));
  const missing = parts.filter(([name, state]) => name !== "status" && state !== "ready");
  const told = missing.length > 0 ? missing : parts.filter(([name]) => name === "status");
  return printable(told.map(([name, state]) => `${name}: ${String(state)}`).join(", "), MOST_ECHOED);
}

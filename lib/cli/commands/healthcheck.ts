/**
 * `janus healthcheck`: asks the server on this machine whether it is alive or ready, as a container engine does every half
 * minute. It reads HOST and PORT and nothing else, so it needs no secret.
 */
import type { Command } from "commander";
import * as v from "valibot";
import { version } from "../../../package.json" with { type: "json" };
import { inBrackets } from "../../config/listen_host.ts";
import { readServerAddress } from "../../config/load.ts";
import type { Environment } from "../../config/sources.ts";
import { asJanusError, configInvalid, JanusError, unhealthy } from "../../errors.ts";
import { readBody, UNCOMPRESSED } from "../../oauth/answer_body.ts";
import { parseJson } from "../../oauth/upstream.ts";
import { toJson } from "../../text/json_text.ts";
import { printable } from "../../text/printable.ts";
import { examples, readCommon, readEnvironmentFor } from "../command.ts";
import { print } from "../output.ts";

const DEADLINE_MS = 3_000;
const MOST_ECHOED = 200;
/** The addresses that stand for all addresses of this machine, each with one of them. */
const EVERY_ADDRESS: Readonly<Record<string, string>> = { "0.0.0.0": "127.0.0.1", "::": "::1" };
const HEADERS = {
  ...UNCOMPRESSED,
  accept: "application/json",
  "user-agent": `Janus/${version} healthcheck`,
};
/** How the server is asked. `proxy` and `decompress` are Bun's own options: no proxy, whatever HTTP_PROXY says. */
const ASKING = { headers: HEADERS, redirect: "manual", proxy: false, decompress: false } as const;

const statusSchema = v.object({
  status: v.string(),
  warnings: v.fallback(v.optional(v.array(v.string()), []), []),
});
const partsSchema = v.record(v.string(), v.unknown());

type Answer = { readonly status: number; readonly text: string };

/** Adds the command. Its exit code is 1 if the server is not alive, or with --ready not ready. */
export function addHealthcheck(program: Command): void {
  program
    .command("healthcheck")
    .option("--ready", "ask whether it can serve members, and say what is missing")
    .description("ask the server on this machine whether it is alive; exit code 0 or 1")
    .addHelpText("after", examples("janus healthcheck", "PORT=8080 janus healthcheck --ready"))
    .action(async ({ ready = false }: { readonly ready?: boolean }, command: Command) => {
      const { json } = readCommon(command);
      await print(await checkHealth({ json, ready }, await readEnvironmentFor(command)));
    });
}

/** Asks `/healthz`, or with `ready` `/readyz`. Throws unhealthy, which says what is missing. */
export async function checkHealth(
  { json, ready }: { readonly json: boolean; readonly ready: boolean },
  environment: Environment,
): Promise<string> {
  const url = addressOf(environment) + (ready ? "/readyz" : "/healthz");
  const wanted = ready ? "ready" : "alive";
  let warnings: readonly string[];
  try {
    warnings = requireStatus(await ask(url), url, wanted);
  } catch (error) {
    if (json) await print(toJson({ healthy: false, url, reason: asJanusError(error).message }));
    throw error;
  }
  if (json) return toJson({ healthy: true, url, ...(warnings.length === 0 ? {} : { warnings }) });
  return [wanted, ...warnings.map((code) => `warning: ${printable(code, MOST_ECHOED)}`)].join("\n");
}

function addressOf(environment: Environment): string {
  const { host, port } = readServerAddress(environment);
  if (port === 0)
    throw configInvalid(
      "PORT is 0, which means any free port: set it to the one that the server listens on.",
    );
  const url = URL.parse(`http://${inBrackets(EVERY_ADDRESS[host] ?? host)}:${port}`);
  if (url === null)
    throw configInvalid(
      "HOST names an interface, which a URL cannot do: ask the server from outside instead.",
    );
  return url.origin;
}

/** Any status is an answer. Throws unhealthy for a compressed body, one over the cap, and none within the deadline. */
async function ask(url: string): Promise<Answer> {
  const signal = AbortSignal.timeout(DEADLINE_MS);
  try {
    const response = await fetch(url, { ...ASKING, signal });
    const body = await readBody(response, signal);
    if ("refusal" in body) throw unhealthy(`${url}: ${body.refusal}`);
    return { status: response.status, text: body.text };
  } catch (error) {
    if (error instanceof JanusError) throw error;
    const reason = signal.aborted
      ? `no answer within ${DEADLINE_MS} ms`
      : "the connection failed or was lost";
    throw unhealthy(`${url}: ${reason}`, { cause: error });
  }
}

/** Returns what the server warns of, by its codes. */
function requireStatus({ status, text }: Answer, url: string, wanted: string): readonly string[] {
  const answer = parseJson(text);
  const said = v.safeParse(statusSchema, answer);
  // Another program may listen there.
  if (!said.success) throw unhealthy(`${url}: answered ${status}, but not as Janus does: is it on PORT?`);
  if (status === 200 && said.output.status === wanted) return said.output.warnings;
  throw unhealthy(`${url}: ${describe(answer)}`);
}

/** Fields of the answer that are no parts of the server. */
const BESIDE = ["status", "warnings", "stops"];

/** Names each part that is not ready, or the status if no part says why. */
function describe(answer: unknown): string {
  const parts = Object.entries(v.parse(partsSchema, answer));
  const missing = parts.filter(([name, state]) => !BESIDE.includes(name) && state !== "ready");
  const told = missing.length > 0 ? missing : parts.filter(([name]) => name === "status");
  return printable(told.map(([name, state]) => `${name}: ${String(state)}`).join(", "), MOST_ECHOED);
}

/**
 * The checks of the way from PUBLIC_URL to this very Janus: DNS, TLS, the proxy, and what the proxy says of its clients. One
 * request. The server proves with COOKIE_SECRET that it is the one, since any program can answer at an address.
 */
import type { Config } from "../../config/load.ts";
import type { JanusError } from "../../errors.ts";
import { asJanusError, unhealthy } from "../../errors.ts";
import type { Answer, Upstream } from "../../oauth/upstream.ts";
import { parseJson, send } from "../../oauth/upstream.ts";
import { describeCause } from "../../telemetry/log.ts";
import { printable } from "../../text/printable.ts";
import type { World } from "../../wiring.ts";
import type { Check } from "./check.ts";
import { fault, ok, sayReason, unknown, warning } from "./check.ts";
import type { Seen } from "./seen.ts";
import { readAnswer, readSeen } from "./seen.ts";
import { isAnswerOf, issueToken } from "./token.ts";

/** The path at which a server proves itself. */
export const REACH_PATH = "/doctor/reach";

type Settings = Pick<Config, "publicUrl" | "cookieSecrets">;

const DEADLINE_MS = 9_000;

/** What was found, and what the server says of its database if it was asked. */
type Reached = { readonly checks: readonly Check[]; readonly database: readonly Check[] };

/** Asks the server at PUBLIC_URL to prove itself. Never throws. */
export async function checkPublicUrl(
  settings: Settings,
  world: World,
  purpose: "reach" | "database" = "reach",
): Promise<Reached> {
  const token = issueToken(settings, purpose, world.now());
  const url = `${settings.publicUrl}${REACH_PATH}?${new URLSearchParams({ [purpose]: token.text })}`;
  let answer: Answer;
  try {
    answer = await send(createUpstream(world), "reach", url, { headers: { accept: "application/json" } });
  } catch (error) {
    return unreached(explainFailure(asJanusError(error)));
  }
  const proof = readAnswer(answer.text);
  if (
    answer.status !== 200 ||
    proof === undefined ||
    !isAnswerOf(settings, token.nonce, proof.seen, proof.code)
  )
    return unreached(explainStranger(answer));
  const seen = readSeen(proof.seen);
  if (seen === undefined)
    return unreached(
      unknown(ID, "The server is another release.", "Run the doctor of the server's release."),
    );
  const checks = [
    ok(ID, "This Janus answers at PUBLIC_URL, and has proved that it has the same COOKIE_SECRET."),
    checkScheme(settings, seen),
    checkClientAddress(settings, seen),
  ];
  return { checks, database: seen.database };
}

const ID = "public_url_reachable";

/** This Janus itself, as an upstream. */
const createUpstream = ({ fetch, log, version, deadlineMs }: World): Upstream => ({
  name: "janus",
  fetch,
  log,
  deadlineMs: deadlineMs ?? DEADLINE_MS,
  userAgent: `Janus/${version} (doctor)`,
  ownConnections: true,
  unavailable: unhealthy,
  clientRejected: unhealthy,
});

function unreached(check: Check): Reached {
  const remedy = "Mend public_url_reachable first.";
  const checks = [
    check,
    unknown("public_url_scheme", "The server was not reached.", remedy),
    unknown("public_url_client_address", "The server was not reached.", remedy),
  ];
  return { checks, database: [] };
}

const RESOLUTION = /^(ENOTFOUND|EAI_\w+)$/;
const CERTIFICATE = /CERT|SIGNATURE|SELF_SIGNED|HOSTNAME|ALTNAME|ISSUER/;
const TLS = /SSL|TLS|EPROTO/;
const REFUSED = /^(ECONNREFUSED|ConnectionRefused)$/;

/** Why nothing was heard. The codes are the system's and OpenSSL's. */
function explainFailure(error: JanusError): Check {
  const { causeCode = "" } = describeCause(error.cause);
  if (RESOLUTION.test(causeCode))
    return fault(
      ID,
      "The name in PUBLIC_URL does not resolve (DNS).",
      "Correct PUBLIC_URL, or add the name to the DNS.",
    );
  if (REFUSED.test(causeCode))
    return fault(
      ID,
      "Nothing listens at PUBLIC_URL: the connection is refused.",
      "Start the server and the proxy in front of it.",
    );
  if (CERTIFICATE.test(causeCode))
    return fault(
      ID,
      `The TLS certificate at PUBLIC_URL is not accepted (${printable(causeCode, MAX_CODE)}).`,
      "Give the proxy a certificate of a public authority for this name, with its chain, that has not expired.",
    );
  if (TLS.test(causeCode))
    return fault(
      ID,
      "No TLS connection can be made to PUBLIC_URL.",
      "Have the proxy listen for https at this port.",
    );
  if (error.message.includes("redirect"))
    return fault(
      ID,
      sayReason(error),
      "Set PUBLIC_URL to the address that the redirect leads to, or remove the redirect.",
    );
  return fault(ID, sayReason(error), "See that the server runs, and that a firewall lets requests through.");
}

const MAX_CODE = 60;
/** What proxies answer for a server that they cannot reach. */
const GATEWAY = [502, 503, 504];

/** What answers, if it is not this Janus. */
function explainStranger(answer: Answer): Check {
  if (answer.status === 429)
    return unknown(ID, "The server answered 429: too many requests.", "Run the doctor again in a minute.");
  if (isProblem(answer, "not_found"))
    return fault(
      ID,
      "A Janus answers, but not as this one.",
      "Give it the same COOKIE_SECRET and release as this command, and set both clocks right.",
    );
  if (GATEWAY.includes(answer.status))
    return fault(
      ID,
      `Something at PUBLIC_URL answers ${answer.status}, as a proxy does whose server is not running.`,
      "Start the server, and see that the proxy leads to HOST and PORT.",
    );
  return fault(
    ID,
    `Another program answers at PUBLIC_URL (status ${answer.status}).`,
    "Correct PUBLIC_URL, or have the proxy pass every path of this name to Janus.",
  );
}

function isProblem({ text }: Answer, code: string): boolean {
  const body = parseJson(text);
  return typeof body === "object" && body !== null && "code" in body && body.code === code;
}

function checkScheme({ publicUrl }: Settings, { scheme }: Seen): Check {
  const id = "public_url_scheme";
  if (publicUrl.startsWith("http:"))
    return ok(id, "PUBLIC_URL is http on this machine, which is for trials only.");
  if (scheme === "http")
    return warning(
      id,
      "PUBLIC_URL is https, but the proxy says in X-Forwarded-Proto that the request came by http.",
      "See that the proxy which ends TLS is the one that sets X-Forwarded-Proto.",
    );
  return ok(id, "PUBLIC_URL is https.");
}

function checkClientAddress({ publicUrl }: Settings, { forwarded, peer, client }: Seen): Check {
  const id = "public_url_client_address";
  const counted = `The server counts this request to ${client ?? "an address that is not known"}`;
  if (forwarded === "believed") return ok(id, `${counted}, which it takes from X-Forwarded-For.`);
  if (forwarded === "refused")
    return warning(
      id,
      `X-Forwarded-For comes from ${peer ?? "an unknown address"}, which is not in TRUSTED_PROXIES: all members share one limit.`,
      "Add that address to TRUSTED_PROXIES if it is your proxy.",
    );
  if (publicUrl.startsWith("http:")) return ok(id, `${counted}. No proxy is in front of it.`);
  return warning(
    id,
    `No X-Forwarded-For arrives: to the server all members come from ${peer ?? "one address"}, and share one limit.`,
    "Have the proxy send X-Forwarded-For, and name the proxy in TRUSTED_PROXIES: docs/proxies.md.",
  );
}

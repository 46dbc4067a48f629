/**
 * How a route of SCIM is asked for and answered: the bearer token first, so that nobody else learns even what there is. An
 * answer has the form of the protocol, whatever went wrong. Without SCIM_TOKEN no route exists. RFC 7644 2, 3.12
 */
import type { ScimSettings } from "../../config/scim_settings.ts";
import { equalInConstantTime, sha256Hex } from "../../crypto.ts";
import type { Deps } from "../../deps.ts";
import type { JanusError } from "../../errors.ts";
import { notFound } from "../../errors.ts";
import { parseAddress } from "../../http/address.ts";
import { errorResponse } from "../../http/error_response.ts";
import type { EventHandler, Exchange } from "../../http/response.ts";
import { emptyResponse, jsonResponse } from "../../http/response.ts";
import { receiveEvent } from "../../sync/doorbell.ts";
import { MAX_BODY_BYTES } from "../discovery.ts";
import type { Fault, Read } from "../fault.ts";
import { refuse, showFault } from "../fault.ts";
import type { Resource } from "../resource.ts";

/** A request that has the token. */
export type Asked = {
  readonly deps: Deps;
  readonly query: URLSearchParams;
  /** What the path names below the endpoint; empty if that is the endpoint itself. */
  readonly id: string;
  readonly body: Uint8Array;
};

/** An answer: a resource, or nothing. */
export type Answer =
  | { readonly status: 200 | 201; readonly resource: Resource; readonly location?: string }
  | { readonly status: 204 };

const MEDIA_TYPE = "application/scim+json";
const BODY_TYPE = /^application\/(?:scim\+)?json\s*(?:;|$)/i;
const WITH_BODY = ["POST", "PUT", "PATCH"];

/**
 * Makes a route of what answers a request that has the token. Whatever changes something tells the log and the counts by
 * itself, unless it is refused.
 */
export function createRoute(
  kind: "reads" | "writes",
  work: (asked: Asked) => Read<Answer> | Promise<Read<Answer>>,
): EventHandler {
  return {
    source: "scim",
    maxBytes: MAX_BODY_BYTES,
    admit,
    refuse: refuseError,
    receive: async (deps, exchange, body) => {
      const url = parseAddress(exchange.request);
      const read =
        url === undefined
          ? refuse("invalidValue", "The URL is too long, or has too many parameters.")
          : await work({ deps, query: url.searchParams, id: idIn(url.pathname), body });
      if (kind === "reads") receiveEvent(deps, "scim", "answered");
      else if ("fault" in read) receiveEvent(deps, "scim", read.fault.status === 400 ? "refused" : "ignored");
      return "fault" in read ? answerFault(deps, exchange, read.fault) : respond(deps, exchange, read.value);
    },
  };
}

/** Behind `/scim/v2/Users`. */
const ID_PLACE = 4;
/** What can be a part of an id: an id is made by Janus, or is the name of a schema. */
const OF_ID = /^[\w.:-]*$/;

/** A slash at the end means nothing, and a client may write any character by its code. RFC 3986 2.3 */
function idIn(path: string): string {
  const part = path.split("/", ID_PLACE + 1)[ID_PLACE] ?? "";
  const plain = part.replaceAll(/%([2-7][0-9a-f])/gi, (_, code: string) =>
    String.fromCharCode(Number.parseInt(code, 16)),
  );
  return OF_ID.test(plain) ? plain : part;
}

/** Sees the head alone. Throws not_found where no SCIM client provisions Janus. */
function admit(deps: Deps, exchange: Exchange): Response | undefined {
  if (deps.config.scim === undefined) throw notFound();
  const { headers, method } = exchange.request;
  if (!hasToken(deps.config.scim, headers.get("authorization"))) {
    receiveEvent(deps, "scim", "refused");
    const fault = { status: 401, detail: "The bearer token is missing or wrong." } as const;
    return answerFault(deps, exchange, fault, { "www-authenticate": 'Bearer realm="scim"' });
  }
  if (WITH_BODY.includes(method) && !BODY_TYPE.test(headers.get("content-type") ?? "")) {
    receiveEvent(deps, "scim", "refused");
    return answerFault(deps, exchange, { status: 415, detail: `The body must be ${MEDIA_TYPE}.` });
  }
  const fault = findHeadFault(headers);
  if (fault === undefined) return undefined;
  receiveEvent(deps, "scim", "refused");
  return answerFault(deps, exchange, fault);
}

/** What of the head Janus cannot do. No resource has an entity tag, so none fits a condition. RFC 9110 8.4, 13.1.1 */
function findHeadFault(headers: Headers): Fault | undefined {
  if ((headers.get("content-encoding") ?? "identity").toLowerCase() !== "identity")
    return { status: 415, detail: "The body must not be compressed." };
  if ((headers.get("if-match") ?? "*") !== "*")
    return { status: 412, detail: "Janus has no entity tags, so nothing fits If-Match." };
  return undefined;
}

/** RFC 6750 2.1. Hashes are compared, so that the time does not depend on the length of a token. */
function hasToken({ tokens }: ScimSettings, authorization: string | null): boolean {
  const given = /^Bearer +(\S+)$/i.exec(authorization ?? "")?.[1];
  if (given === undefined) return false;
  const hash = sha256Hex(given);
  const matches = tokens.map((token) => equalInConstantTime(sha256Hex(token), hash));
  return matches.includes(true);
}

function respond(deps: Deps, exchange: Exchange, answer: Answer): Response {
  if (answer.status === 204) return emptyResponse(deps, exchange, 204, MEDIA_TYPE);
  const { status, resource, location } = answer;
  const headers = { "content-type": MEDIA_TYPE, ...(location === undefined ? {} : { location }) };
  return jsonResponse(deps, exchange, status, resource, { headers });
}

function answerFault(
  deps: Deps,
  exchange: Exchange,
  fault: Fault,
  headers: Readonly<Record<string, string>> = {},
): Response {
  const options = { headers: { "content-type": MEDIA_TYPE, ...headers } };
  return jsonResponse(deps, exchange, fault.status, showFault(fault), options);
}

const DETAILS: Readonly<Record<number, string>> = {
  408: "The body did not arrive in time.",
  413: `The body is larger than ${MAX_BODY_BYTES} bytes.`,
  429: "Too many requests are under way: repeat this one later.",
  503: "Janus cannot answer now: repeat the request later.",
};

/** An error that has no form of the protocol yet. */
function refuseError(deps: Deps, exchange: Exchange, error: JanusError): Response {
  if (deps.config.scim === undefined) return errorResponse(deps, exchange, error);
  const { status, retryAfterSeconds } = error;
  const detail = DETAILS[status] ?? "Janus could not carry out the request.";
  const retry = retryAfterSeconds === undefined ? undefined : { "retry-after": String(retryAfterSeconds) };
  return answerFault(deps, exchange, { status, detail }, retry);
}

/** Errors of the doorbells are answered in the form that their senders read, and not in words for members. */
import { describe, expect, test } from "bun:test";
import type { JanusError } from "../../lib/errors.ts";
import {
  databaseUnavailable,
  internal,
  providerMisconfigured,
  requestTimeout,
  requestTooLarge,
  tooManyRequests,
} from "../../lib/errors.ts";
import { createEdge } from "../../lib/http/edge.ts";
import type { EventHandler } from "../../lib/http/response.ts";
import { receiveBackChannelLogout, receiveDiscord, receiveHook } from "../../lib/sync/handlers.ts";
import { useJanus } from "../harness/hooks.ts";
import { startJanusWithForger, UNHEARD } from "../harness/janus.ts";

const janus = useJanus(() => startJanusWithForger());

const ADDRESS = "https://janus.example.org/event";
const DOORBELLS: readonly (readonly [string, EventHandler])[] = [
  ["/discord/events", receiveDiscord],
  ["/hooks/recheck", receiveHook],
  ["/oidc/backchannel-logout", receiveBackChannelLogout],
];
const ERRORS: readonly (readonly [number, JanusError, string, string])[] = [
  [408, requestTimeout("late"), "did not arrive", "invalid_request"],
  [413, requestTooLarge("large"), "is larger than", "invalid_request"],
  [429, tooManyRequests(1), "again later", "temporarily_unavailable"],
  [500, internal("broken"), "could not carry out", "server_error"],
  [502, providerMisconfigured("wrong"), "could not carry out", "server_error"],
  [503, databaseUnavailable("away"), "again later", "temporarily_unavailable"],
];

/** The answer of a doorbell that meets an error, to a sender who would rather have a Swedish page. */
async function answerOf(handler: EventHandler, error: JanusError) {
  const admit = () => {
    throw error;
  };
  const edge = createEdge(janus.shared, { ...UNHEARD, peerAddress: () => "192.0.2.1" }, []);
  const headers = { accept: "text/html", "accept-language": "sv" };
  return edge.on("/event", { ...handler, admit })(new Request(ADDRESS, { method: "POST", headers }));
}

describe.each(DOORBELLS)("POST %s", (path, handler) => {
  test.each(ERRORS)("answers %i in words for its sender", async (status, error, words, code) => {
    const response = await answerOf(handler, error);

    const body = await response.json();
    const isLogout = path.startsWith("/oidc");
    const said = expect.stringMatching(new RegExp(`^[\\x20-\\x7e]*${words}[\\x20-\\x7e]*$`));
    expect(body).toEqual(isLogout ? { error: code, error_description: said } : { reason: said });
    expect(response.status).toBe(status);
    expect(response.headers.get("content-type")).toStartWith("application/json");
    expect(response.headers.get("cache-control")).toContain("no-store");
    expect(response.headers.get("retry-after")).toBe(error.retryAfterSeconds?.toString() ?? null);
  });
});

test.each([
  ["GET", "/hooks/recheck", 405],
  ["GET", "/discord/events", 405],
  ["GET", "/oidc/backchannel-logout", 405],
  ["DELETE", "/scim/v2/Users", 405],
  ["GET", "/scim/v2/Devices", 404],
])("%s %s is answered %i for programs", async (method, path, status) => {
  const accepted = ["*/*", "application/scim+json"];

  const answers = await Promise.all(
    accepted.map((accept) => fetch(janus.url + path, { method, headers: { accept } })),
  );

  for (const answer of answers) {
    expect(answer.status).toBe(status);
    expect(answer.headers.get("content-type")).toBe("application/problem+json");
  }
});

test("A doorbell that is closed is answered as any address that does not exist", async () => {
  const url = janus.url;

  const [closed, nowhere] = await Promise.all(
    ["/hooks/recheck", "/nowhere"].map(async (path) =>
      fetch(url + path, { method: "POST", headers: { accept: "application/json" } }),
    ),
  );

  expect([closed?.status, nowhere?.status]).toEqual([404, 404]);
  expect(await closed?.json()).toEqual(await nowhere?.json());
});

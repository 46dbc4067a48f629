/** Limits as Discord's answers speak of them, and pages that come in the place of its answers. */
import { describe, expect, test } from "bun:test";
import { isGood, isRefusal, readLimit, readWaitSeconds } from "../../lib/discord/limits.ts";

type Headers = Readonly<Record<string, string>>;
const answer = (status: number, body: unknown, headers: Headers = {}) => ({
  status,
  headers: new Headers(headers),
  text: typeof body === "string" ? body : JSON.stringify(body),
});

const LIMITED = { message: "You are being rate limited.", retry_after: 1.5, global: false };
const PAGE = "<!doctype html><title>Access denied</title>";
const HTML = { "content-type": "text/html; charset=UTF-8" };

describe("readLimit()", () => {
  test.each([
    ["a 429 of one member's", answer(429, LIMITED, { "x-ratelimit-scope": "user" }), "member"],
    ["a 429 of a shared resource", answer(429, LIMITED, { "x-ratelimit-scope": "shared" }), "member"],
    ["a 429 whose body alone says that it is not global", answer(429, LIMITED), "member"],
    ["a 429 of the global scope", answer(429, LIMITED, { "x-ratelimit-scope": "global" }), "global"],
    ["a 429 with the global header", answer(429, LIMITED, { "x-ratelimit-global": "true" }), "global"],
    ["a 429 whose body says that it is global", answer(429, { ...LIMITED, global: true }), "global"],
    ["a global 429 that asks for a negative wait", answer(429, { retry_after: -1, global: true }), "global"],
    ["a global 429 that asks for no number", answer(429, { retry_after: "soon", global: true }), "global"],
    ["a 429 whose scope is no boolean", answer(429, { ...LIMITED, global: "yes" }), undefined],
    ["a 429 that does not say whose", answer(429, { error: "slow down" }), undefined],
    ["an empty 429", answer(429, ""), undefined],
    ["a page with 403", answer(403, PAGE), "address"],
    ["a page with 429", answer(429, PAGE, { "retry-after": "900" }), "address"],
    ["a page with 503", answer(503, PAGE), "address"],
    ["Cloudflare's error code 1015", answer(429, "error code: 1015"), "address"],
    [
      "a compressed page, whose body Janus does not read",
      answer(403, "", { ...HTML, "content-encoding": "br" }),
      "address",
    ],
    ["a page with 502", answer(502, PAGE), undefined],
    ["Discord's own 403", answer(403, { message: "Missing Access", code: 50_001 }), undefined],
    ["Discord's own 503", answer(503, { message: "down", code: 0 }), undefined],
    ["a right answer", answer(200, { id: "1" }), undefined],
  ])("reads %s", (_, given, limit) => {
    expect(readLimit(given)).toBe(limit as ReturnType<typeof readLimit>);
  });
});

describe("readWaitSeconds()", () => {
  test.each([
    ["the header", answer(429, LIMITED, { "retry-after": "7" }), 7],
    ["the body", answer(429, LIMITED), 2],
    ["neither", answer(429, PAGE), 60],
    ["a header beyond an hour", answer(429, LIMITED, { "retry-after": "99999" }), 3_600],
    ["a day", answer(429, LIMITED, { "retry-after": "86400" }), 3_600],
    ["the body for a negative header", answer(429, LIMITED, { "retry-after": "-5" }), 2],
    ["the body for a date", answer(429, LIMITED, { "retry-after": "Fri, 31 Dec 2027 23:59:59 GMT" }), 2],
    ["the body for a header that is no number", answer(429, LIMITED, { "retry-after": "soon" }), 2],
    ["a body beyond all numbers", answer(429, '{"retry_after": 1e999, "global": true}'), 3_600],
    ["a minute for a body that asks for less than nothing", answer(429, { ...LIMITED, retry_after: -1 }), 60],
    ["a body whose scope is no boolean", answer(429, { ...LIMITED, global: "yes" }), 2],
  ])("takes %s", (_, given, seconds) => {
    expect(readWaitSeconds(given)).toBe(seconds);
  });
});

test("isRefusal() counts what Discord counts", () => {
  const counted = [200, 204, 400, 401, 403, 404, 429, 500].filter((status) => isRefusal(answer(status, "")));

  expect(counted).toEqual([401, 403, 429]);
});

describe("isGood()", () => {
  test.each([
    ["JSON", answer(200, { id: "1" }), true],
    ["an empty 204, which has the type of a page", answer(204, "", HTML), true],
    ["a page with 200", answer(200, PAGE, HTML), false],
    ["a refusal", answer(403, { message: "Missing Access", code: 50_001 }), false],
  ])("says of %s", (_, given, isSo) => {
    expect(isGood(given)).toBe(isSo);
  });
});

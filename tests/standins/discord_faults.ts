/**
 * What comes instead of Discord's right answer: Discord's own refusals, and the answers of what stands between Discord
 * and its client. Only the former are Discord's word.
 */
import type { FaultAnswer } from "./faults.ts";

/** A refusal in Discord's own shape. https://discord.com/developers/docs/reference#error-messages */
export const refusal = (status: number, message = `${status}: Refused`, code = 0): FaultAnswer => ({
  status,
  body: { message, code },
});

/** 401 as Discord says it of a token that it does not take. */
export const UNAUTHORIZED = refusal(401, "401: Unauthorized");

const html = (status: number, text: string): FaultAnswer => ({
  status,
  headers: { server: "cloudflare" },
  body: `<!doctype html><html><head><title>${text}</title></head><body>${text}</body></html>`,
});

/** Answers of a 4xx that Discord did not decide on, by what they are. */
export const NOT_DISCORDS_WORD: readonly (readonly [string, (status: number) => FaultAnswer])[] = [
  ["a page of Cloudflare's", (status) => html(status, "error code: 1010")],
  ["Discord's network error 40333", (status) => refusal(status, "internal network error", 40_333)],
  [
    "Discord's overload 130000",
    (status) => refusal(status, "API resource is currently overloaded.", 130_000),
  ],
  [
    "a disabled feature, 40006",
    (status) => refusal(status, "This feature has been temporarily disabled server-side", 40_006),
  ],
  [
    "Discord's rate limit 40062",
    (status) => refusal(status, "Service resource is being rate limited", 40_062),
  ],
  ["Discord's write limit 20029", (status) => refusal(status, "Write rate limit", 20_029)],
  ["Discord's 110001", (status) => refusal(status, "Application not yet available", 110_001)],
  [
    "Discord's code and a wait",
    (status) => ({ status, body: { message: "You are being rate limited.", code: 0, retry_after: 1.5 } }),
  ],
  ["an empty body", (status) => ({ status })],
  ["an empty JSON object", (status) => ({ status, body: {} })],
  ["a proxy's JSON", (status) => ({ status, body: { error: "forbidden", detail: "blocked by policy" } })],
  ["a gateway's status as its code", (status) => refusal(status, "Forbidden", status)],
  ["a gateway's JSON, its code 0", (status) => refusal(status, "Refused by policy", 0)],
  ["another status in its words", (status) => refusal(status, "499: Client Closed Request", 0)],
  ["a code that is a text", (status) => ({ status, body: { message: "401: Unauthorized", code: "0" } })],
  ["a code without a message", (status) => ({ status, body: { code: 0 } })],
  ["a code that is a fraction", (status) => refusal(status, "Refused", 10_002.5)],
  ["JSON that is a list", (status) => ({ status, body: [{ message: "401: Unauthorized", code: 0 }] })],
  ["Discord's answer, cut short", (status) => ({ status, body: '{"message": "401: Unauthorized", "co' })],
];

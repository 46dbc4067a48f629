/** What browsers, their add-ons and what stands between do to requests and answers, without the member's doing. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { createBrowser, startJanusWithForger } from "./harness/janus.ts";
import { callApi, signIn } from "./harness/sign_in.ts";
import { newUser, reachForgerCallback } from "./harness/walk.ts";

setDefaultTimeout(30_000);

let janus: Awaited<ReturnType<typeof startJanusWithForger>>;
beforeAll(async () => {
  janus = await startJanusWithForger({ forger: { freshSubjects: true } });
});
afterAll(() => janus.stop());

describe("an answer", () => {
  /** Cloudflare and the like rewrite pages: a name that is an e-mail address becomes "[email protected]". RFC 9111 5.2.2.6 */
  const UNTOUCHED = "no-store, no-transform";

  test.each([
    ["a page", "/"],
    ["an error page", "/nowhere"],
    ["the page to sign in", "/account"],
    ["a problem document", "/api/userinfo"],
    ["JSON", "/healthz"],
    ["the API's description", "/openapi.json"],
    ["a redirect to Discord", "/linked-role"],
    ["a callback that is refused", "/dsek-oauth-callback"],
  ])("that is %s is kept by nobody and changed by nobody on the way", async (_, path) => {
    const response = await fetch(janus.url + path, { redirect: "manual" });

    expect(response.headers.get("cache-control")).toBe(UNTOUCHED);
  });

  test("is changed by nobody on the pages that name accounts: the link, the account, the question of a move", async () => {
    const own = await startJanusWithForger();
    own.provider.signInAs({ sub: "elin", preferred_username: "elin@example.org", groups: [] });
    const [first, second] = [createBrowser(own.url), createBrowser(own.url)];
    const linked = await first.get(await reachForgerCallback(first, newUser()));
    const account = await first.get("/account");
    const unlink = await first.get("/account/unlink");
    const conflict = await second.get(await reachForgerCallback(second, newUser()));
    const data = await first.get("/api/me/export");

    const pages = [linked, account, unlink, conflict, data];

    expect(pages.map(({ status }) => status)).toEqual([200, 200, 200, 409, 200]);
    for (const page of pages) {
      expect(page.headers.get("cache-control")).toBe(UNTOUCHED);
      expect(await page.text()).toContain("elin@example.org");
    }
    await own.stop();
  });

  test("to a form is kept and changed by nobody either", async () => {
    const browser = await signIn(janus, newUser());

    const response = await callApi(janus, "/api/auth/logout", { browser, method: "POST" });

    expect(response.headers.get("cache-control")).toBe(UNTOUCHED);
  });
});

/** The watch over every line of the suite's logs finds the secrets in them. */
import { describe, expect, test } from "bun:test";
import { createLogWatch, logWatch } from "./log_watch.ts";

const SECRET = "Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4";
const LINE = JSON.stringify({ level: "info", event: "request", requestId: crypto.randomUUID() });

/** A watch that has seen the secret somewhere. */
const SEEN: readonly (readonly [string, (watch: ReturnType<typeof createLogWatch>) => void])[] = [
  ["by itself", (watch) => watch.addSecret(SECRET)],
  ["in an address", (watch) => watch.addRequest(`http://a.test/?code=${SECRET}`, new Headers(), null)],
  [
    "in a cookie",
    (watch) => watch.addRequest("http://a.test/", new Headers({ cookie: `a=b; sessionKey=${SECRET}` }), null),
  ],
  [
    "in a header",
    (watch) => watch.addRequest("http://a.test/", new Headers({ authorization: `Bearer ${SECRET}` }), null),
  ],
  ["in a form", (watch) => watch.addRequest("http://a.test/", new Headers(), `code_verifier=${SECRET}`)],
  ["in an answer", (watch) => watch.addAnswer(new Headers(), `{"refresh_token": "${SECRET}"}`)],
  ["in a redirect", (watch) => watch.addAnswer(new Headers({ location: `/?state=${SECRET}` }), "")],
  [
    "in a cookie that was set",
    (watch) =>
      watch.addAnswer(new Headers({ "set-cookie": `__Host-janus_flow_x=discord.kq1.${SECRET}; Path=/` }), ""),
  ],
];

describe("createLogWatch()", () => {
  test.each(SEEN)("finds a secret seen %s, wherever it is", (_, see) => {
    const watch = createLogWatch();
    const leaks = [`{"reason":"${SECRET}"}`, `{"stack":"at x (${SECRET}:1)"}`, `a ${SECRET}.`];

    see(watch);
    watch.addLines([LINE, ...leaks, LINE].join("\n"));

    expect(watch.leaks()).toEqual(leaks);
  });

  test("finds a canary that it was never told about", () => {
    const watch = createLogWatch();

    watch.addLines(`${LINE}\n{"reason":"the Canary of a test"}\n`);

    expect(watch.leaks()).toHaveLength(1);
  });

  test("finds nothing in lines without a secret", () => {
    const watch = createLogWatch();
    for (const [, see] of SEEN) see(watch);

    watch.addLines(LINE);

    expect(watch.leaks()).toEqual([]);
    expect(watch.counts().lines).toBe(1);
  });

  test("forgets lines, but no secret", () => {
    const watch = createLogWatch();
    watch.addSecret(SECRET);
    watch.addLines(SECRET);

    watch.forgetLines();
    const before = watch.leaks();
    watch.addLines(`${LINE}\n${SECRET}`);

    expect(before).toEqual([]);
    expect(watch.leaks()).toEqual([SECRET]);
  });

  test("has found no leak in this run so far", () => {
    expect(logWatch.leaks()).toEqual([]);
  });
});

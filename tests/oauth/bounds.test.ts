/** The bounds of every outgoing call, what a callback may say, and how the client's credentials are spelt. */
import { afterAll, afterEach, describe, expect, test } from "bun:test";
import fc from "fast-check";
import { JanusError, providerClientRejected, providerUnavailable } from "../../lib/errors.ts";
import { authorizationError, readAuthorizationResponse, readRefusal } from "../../lib/oauth/authorization.ts";
import { retryAfterSeconds } from "../../lib/oauth/outage.ts";
import { revokeToken } from "../../lib/oauth/revocation.ts";
import type { TokenEndpoint } from "../../lib/oauth/token_endpoint.ts";
import { postForm, requestTokens } from "../../lib/oauth/token_endpoint.ts";
import type { Answer, Upstream, UpstreamRequest } from "../../lib/oauth/upstream.ts";
import { send } from "../../lib/oauth/upstream.ts";
import { createLog } from "../../lib/telemetry/log.ts";
import { rejection } from "../harness/rejection.ts";
import { createFaults } from "../standins/faults.ts";

const DEADLINE_MS = 300;
const LATE = `call: no answer within ${DEADLINE_MS} ms`;
const CAP_BYTES = 256 * 1024;

const logLines: string[] = [];
const log = createLog(
  "debug",
  (line) => void logLines.push(line),
  () => new Date(),
);
const upstreamWith = (fetchIt: Upstream["fetch"], deadlineMs = DEADLINE_MS): Upstream => ({
  name: "provider",
  fetch: fetchIt,
  log,
  deadlineMs,
  userAgent: "Janus/test",
  unavailable: providerUnavailable,
  clientRejected: providerClientRejected,
});
const upstream = upstreamWith((url, init) => fetch(url, init));
/** For answers that arrive, on a machine that may be busy. */
const patient = upstreamWith((url, init) => fetch(url, init), 300_000);

describe("send()", () => {
  const faults = createFaults<"call">();
  const seen: { readonly path: string; readonly headers: Headers }[] = [];
  const sockets = new Set<{ end: () => void }>();
  let respond: () => Response | Promise<Response> = () => new Response("right");
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    idleTimeout: 0,
    fetch: (request) => {
      const url = new URL(request.url);
      seen.push({ path: url.pathname, headers: request.headers });
      return faults.meet("call", url, () => respond());
    },
  });
  /** A server below HTTP: it writes a byte now and then, and never ends a line. */
  const slow = Bun.listen({
    hostname: "127.0.0.1",
    port: 0,
    socket: {
      open: (socket) => void sockets.add(socket),
      data: (socket) => {
        socket.write("HTTP/1.1 200 OK\r\nx-slow: ");
        const timer = setInterval(() => socket.write("x"), 20);
        sockets.add({ end: () => clearInterval(timer) });
      },
    },
  });
  afterEach(() => {
    seen.length = 0;
    respond = () => new Response("right");
  });
  afterAll(async () => {
    for (const socket of sockets) socket.end();
    slow.stop(true);
    faults.stop();
    await server.stop(true);
  });
  const call = (init: Partial<UpstreamRequest> = {}, by = patient, url = server.url.href) =>
    send(by, "call", url, { headers: {}, ...init });

  test.each(["hang", "trickle"] as const)("gives up on a %s at the deadline", async (behaviour) => {
    faults.failNext("call", behaviour);
    const begun = performance.now();

    const error = await rejection(call({}, upstream));

    // Nothing else ends such a call.
    expect([error.code, error.message]).toEqual(["provider_unavailable", LATE]);
    expect(performance.now() - begun).toBeGreaterThan(DEADLINE_MS - 50);
  });

  test("has one deadline for headers and body together", async () => {
    respond = async () => {
      await Bun.sleep(200);
      return new Response(
        new ReadableStream({
          start: async (controller) => {
            controller.enqueue(Buffer.from("{"));
            await Bun.sleep(200);
            controller.enqueue(Buffer.from("}"));
            controller.close();
          },
        }),
      );
    };

    expect((await rejection(call({}, upstream))).message).toBe(LATE);
    expect((await call()).text).toBe("{}");
  });

  test("gives up on headers that trickle", async () => {
    const error = await rejection(call({}, upstream, `http://127.0.0.1:${slow.port}/`));

    expect([error.code, error.message]).toEqual(["provider_unavailable", LATE]);
  });

  test("stops reading an endless body at the cap, before the deadline", async () => {
    faults.failNext("call", "huge");

    const error = await rejection(call());

    expect(error.message).toContain("262144 bytes");
  });

  test.each([
    ["at the cap", CAP_BYTES, true],
    ["a byte over the cap", CAP_BYTES + 1, false],
  ])("reads a body %s: %d bytes", async (_, bytes, isRead) => {
    respond = () => new Response("x".repeat(bytes));

    const answer = await call().catch((error: JanusError) => error);

    if (isRead) expect(answer).toMatchObject({ status: 200, text: "x".repeat(bytes) });
    else expect(answer).toMatchObject({ code: "provider_unavailable" });
  });

  /** An answer whose body arrives in just these pieces; "break" ends it as a lost connection does. */
  const inPieces = (...pieces: readonly (Uint8Array | "break")[]) => {
    const left = [...pieces];
    return upstreamWith(
      async () =>
        new Response(
          new ReadableStream({
            pull: (controller) => {
              const piece = left.shift();
              if (piece === undefined) controller.close();
              else if (piece === "break") controller.error(new Error("connection lost"));
              else controller.enqueue(piece);
            },
          }),
        ),
    );
  };

  test("joins characters that arrive in two pieces", async () => {
    const bytes = [...Buffer.from("å🐈é")].map((byte) => Buffer.of(byte));

    expect((await call({}, inPieces(...bytes))).text).toBe("å🐈é");
  });

  test("refuses a body that never ends, even if it is whole JSON", async () => {
    const body = new ReadableStream({ start: (controller) => controller.enqueue(Buffer.from("{}")) });

    const error = await rejection(
      call(
        {},
        upstreamWith(async () => new Response(body)),
      ),
    );

    expect(error.code).toBe("provider_unavailable");
  });

  test("counts the bytes of a body, not its characters", async () => {
    respond = () => new Response("é".repeat(CAP_BYTES / 2 + 1));

    expect((await rejection(call())).code).toBe("provider_unavailable");
  });

  test("refuses a body that breaks off, even if it is whole JSON", async () => {
    const error = await rejection(call({}, inPieces(Buffer.from('{"whole": true}'), "break")));

    expect(error.code).toBe("provider_unavailable");
  });

  test.each([300, 301, 302, 303, 304, 307, 308])(
    "does not follow a redirect of status %d",
    async (status) => {
      respond = () => new Response(null, { status, headers: { location: "/elsewhere" } });

      const error = await rejection(call({ method: "POST", body: "secret=1" }));

      expect(error).toMatchObject({ code: "provider_unavailable" });
      expect(error.message).toContain(String(status));
      expect(seen.map(({ path }) => path)).toEqual(["/"]);
    },
  );

  test("takes a broken connection or a closed port for unavailable", async () => {
    faults.failNext("call", "drop");

    const errors = [
      // A POST, which fetch does not try again by itself.
      await rejection(call({ method: "POST", body: "a=1" })),
      await rejection(call({}, patient, "http://127.0.0.1:1/")),
      await rejection(call({}, patient, "no address")),
      await rejection(call({ headers: { authorization: "Bearer a\nb" } })),
    ];

    expect(errors.map(({ code }) => code)).toEqual(Array(4).fill("provider_unavailable"));
    expect(errors[1]?.cause).toBeInstanceOf(Error);
  });

  test.each([200, 201, 204, 400, 401, 404, 418, 500, 503])(
    "returns status %d with headers and body",
    async (status) => {
      const body = status === 204 ? null : "text";
      respond = () => new Response(body, { status, headers: { "retry-after": "3" } });

      const answer = await call();

      expect(answer).toMatchObject({ status, text: body ?? "" });
      expect(answer.headers.get("retry-after")).toBe("3");
    },
  );

  test("sends its own User-Agent, whatever headers it is given", async () => {
    await call({ headers: { "user-agent": "somebody else", "x-kept": "1" } });

    expect(seen[0]?.headers.get("user-agent")).toBe("Janus/test");
    expect(seen[0]?.headers.get("x-kept")).toBe("1");
  });

  test("logs a call without its address, headers or body", async () => {
    respond = () => new Response("canary-body");
    logLines.length = 0;

    await call(
      { headers: { "x-canary": "canary-header" } },
      patient,
      `${server.url.href}canary-path?canary-query`,
    );
    faults.failNext("call", "redirect");
    await rejection(call());

    expect(logLines.map((line) => JSON.parse(line))).toMatchObject([
      { event: "upstream_call", upstream: "provider", operation: "call", status: 200, outcome: "answered" },
      { event: "upstream_call", upstream: "provider", operation: "call", outcome: "failed" },
    ]);
    expect(logLines.join("")).not.toContain("canary");
  });

  test("logs the id of the request that it works for, if any", async () => {
    logLines.length = 0;

    await call({}, { ...patient, requestId: "request-1" });
    await call({}, patient);

    const [ofRequest, ofNone] = logLines.map((line) => JSON.parse(line));
    expect(ofRequest.requestId).toBe("request-1");
    expect(ofNone).not.toContainKey("requestId");
  });

  const unreachable = upstreamWith(() =>
    Promise.reject(Object.assign(new TypeError("canary"), { code: "ECONNREFUSED" })),
  );
  const silent = upstreamWith((_, { signal }) => {
    const never = Promise.withResolvers<never>();
    signal?.addEventListener("abort", () => never.reject(signal.reason));
    return never.promise;
  });

  test.each([
    ["nobody there", unreachable, "TypeError", "ECONNREFUSED"],
    ["the deadline", silent, "TimeoutError", undefined],
  ])("logs the cause of a failure by %s", async (_, by, causeName, causeCode) => {
    logLines.length = 0;

    await rejection(call({}, by));

    const [line] = logLines.map((text) => JSON.parse(text));
    expect(line).toMatchObject({ outcome: "failed", code: "provider_unavailable", causeName });
    expect(line.causeCode).toBe(causeCode);
    expect(line).not.toContainAnyKeys(["stack", "status"]);
    expect(logLines.join("")).not.toContain("canary");
  });

  test("logs only the code of a failure that has no cause", async () => {
    faults.failNext("call", "redirect");
    logLines.length = 0;

    await rejection(call());

    const [line] = logLines.map((text) => JSON.parse(text));
    expect(line).toMatchObject({ outcome: "failed", code: "provider_unavailable" });
    expect(line).not.toContainAnyKeys(["causeName", "causeCode", "stack"]);
  });
});

describe("retryAfterSeconds()", () => {
  test.each([
    ["7", 7],
    ["0", 0],
    ["0.2", 1],
    ["1.000", 1],
    ["3600", 3_600],
    ["3601", 3_600],
    ["999999999", 3_600],
    ["-1", undefined],
    ["1e9", undefined],
    ["", undefined],
    ["1, 2", undefined],
    ["Infinity", undefined],
    ["0x10", undefined],
    ["1".repeat(400), undefined],
    ["Fri, 31 Dec 1999 23:59:59 GMT", undefined],
  ])("reads %p as %p", (header, expected) => {
    const answer: Answer = { status: 429, headers: new Headers({ "retry-after": header }), text: "" };

    expect(retryAfterSeconds(answer)).toBe(expected);
  });

  test.each([
    ["Fri, 27 Nov 2026 12:00:30 GMT", "Fri, 27 Nov 2026 12:00:00 GMT", 30],
    ["Fri, 27 Nov 2026 12:00:00 GMT", "Fri, 27 Nov 2026 12:00:00 GMT", 0],
    ["Fri, 31 Dec 1999 23:59:59 GMT", "Fri, 27 Nov 2026 12:00:00 GMT", undefined],
    ["Sat, 28 Nov 2026 12:00:00 GMT", "Fri, 27 Nov 2026 12:00:00 GMT", 3_600],
    ["Fri, 27 Nov 2026 12:00:30 GMT", "soon", undefined],
    ["Fri, 99 Nov 2026 12:00:30 GMT", "Fri, 27 Nov 2026 12:00:00 GMT", undefined],
    ["2026-11-27T12:00:30Z", "Fri, 27 Nov 2026 12:00:00 GMT", undefined],
    ["Fri, 27 Nov 2026 12:00:30 +0900", "Fri, 27 Nov 2026 12:00:00 GMT", undefined],
  ])("reads %p in an answer of %p as %p", (header, date, expected) => {
    const headers = new Headers({ "retry-after": header, date });

    expect(retryAfterSeconds({ status: 429, headers, text: "" })).toBe(expected);
  });

  test("gives undefined without the header", () => {
    expect(retryAfterSeconds({ status: 429, headers: new Headers(), text: "" })).toBeUndefined();
  });
});

describe("readAuthorizationResponse()", () => {
  const plain = fc.string({ unit: fc.constantFrom(..."abzAZ019-_"), minLength: 1, maxLength: 140 });
  const values = fc.oneof(
    { weight: 6, arbitrary: plain },
    { weight: 1, arbitrary: fc.string({ unit: "binary", maxLength: 50 }) },
    { weight: 1, arbitrary: fc.string({ unit: "grapheme-ascii", minLength: 100, maxLength: 5_000 }) },
    {
      weight: 1,
      arbitrary: fc.constantFrom("", "{}", "[object Object]", "a\0b", "a\nb", "é", "ａ", "%00", "\u2028"),
    },
  );
  const others = fc.tuple(
    fc.constantFrom("error_description", "__proto__", "STATE", "", "iss", "code"),
    values,
  );
  /** Mostly what a server sends, with something wrong here and there. */
  const queries = fc
    .tuple(
      fc.tuple(fc.constant("state"), values),
      fc.tuple(fc.constantFrom("code", "error"), values),
      fc.array(others, { maxLength: 2 }),
    )
    .chain(([state, result, more]) => fc.shuffledSubarray([state, result, ...more], { minLength: 1 }));
  const read = (pairs: readonly (readonly [string, string])[]) =>
    readAuthorizationResponse(new URLSearchParams(pairs.map(([name, value]) => [name, value])));
  const tryRead = (pairs: readonly (readonly [string, string])[]) => {
    try {
      return read(pairs);
    } catch (error) {
      if (error instanceof JanusError && error.code === "callback_malformed") return undefined;
      throw error;
    }
  };
  const state = fc.string({ unit: fc.constantFrom(..."abzAZ019-_"), minLength: 1, maxLength: 128 });
  const code = fc.string({ unit: "grapheme-ascii", minLength: 1, maxLength: 4_096 });
  const iss = fc.webUrl({ size: "small" });

  test("gives bounded ASCII or throws callback_malformed", () => {
    let accepted = 0;
    fc.assert(
      fc.property(queries, (pairs) => {
        const response = tryRead(pairs);
        if (response === undefined) return;
        accepted += 1;
        const { state, iss, result } = response;
        expect(state).toMatch(/^[A-Za-z0-9_-]{1,128}$/);
        expect(iss ?? "x").toMatch(/^[\x21-\x7e]{1,2048}$/);
        expect("code" in result ? result.code : result.error).toMatch(/^[\x20-\x7e]{1,4096}$/);
        expect("code" in result && "error" in result).toBe(false);
      }),
      { numRuns: 2_000 },
    );

    expect(accepted).toBeGreaterThan(10);
  });

  test("returns a valid response unchanged", () => {
    fc.assert(
      fc.property(state, code, fc.option(iss, { nil: undefined }), fc.string(), (state, code, iss, other) => {
        const pairs: [string, string][] = [
          ["code", code],
          ["state", state],
          ["session_state", other],
          ["session_state", other],
        ];
        if (iss !== undefined) pairs.push(["iss", iss]);

        expect(read(pairs)).toEqual({ state, iss, result: { code } });
      }),
    );
  });

  test("refuses a doubled parameter, even with equal values", () => {
    fc.assert(
      fc.property(
        state,
        code,
        fc.constantFrom("state", "code", "iss", "error"),
        fc.boolean(),
        (state, code, twice, same) => {
          const right = { state, code, iss: "https://idp.example", error: "access_denied" };
          const pairs = Object.entries(right).filter(([name]) => name !== "error" || twice === "error");
          const value = right[twice];

          expect(tryRead([...pairs, [twice, same ? value : `${value}x`]])).toBeUndefined();
        },
      ),
    );
  });

  test.each([
    ["no state", "code=c"],
    ["an empty state", "state=&code=c"],
    ["a state of 129 characters", `state=${"s".repeat(129)}&code=c`],
    ["a state with a dot", "state=a.b&code=c"],
    ["neither code nor error", "state=s"],
    ["both code and error", "state=s&code=c&error=access_denied"],
    ["an empty code", "state=s&code="],
    ["a code of 4097 characters", `state=s&code=${"c".repeat(4_097)}`],
    ["a code with a NUL", "state=s&code=%00"],
    ["a code with a line feed at its end", "state=s&code=c%0A"],
    ["a code that is not ASCII", "state=s&code=%C3%A9"],
    ["an error of 129 characters", `state=s&error=${"e".repeat(129)}`],
    ["an empty iss", "state=s&code=c&iss="],
    ["an iss with a space", "state=s&code=c&iss=a%20b"],
    ["an iss of 2049 characters", `state=s&code=c&iss=${"i".repeat(2_049)}`],
  ])("refuses %s", (_, query) => {
    expect(() => readAuthorizationResponse(new URLSearchParams(query))).toThrow(JanusError);
    expect(tryRead([...new URLSearchParams(query)])).toBeUndefined();
  });
});

describe("authorizationError()", () => {
  test.each([
    ["server_error", "provider_unavailable"],
    ["temporarily_unavailable", "provider_unavailable"],
    ["invalid_request", "authorization_rejected"],
    ["unauthorized_client", "authorization_rejected"],
    ["unsupported_response_type", "authorization_rejected"],
    ["invalid_scope", "authorization_rejected"],
    ["login_required", "authorization_rejected"],
    ["<script>canary</script>", "authorization_rejected"],
  ])("takes %s for %s", (error, code) => {
    const made = authorizationError(upstream, error);

    expect(made.code).toBe(code as JanusError["code"]);
    expect(made.message).not.toContain("canary");
  });
});

describe("readAuthorizationResponse()", () => {
  const read = (query: string) => readAuthorizationResponse(new URLSearchParams(`state=s&${query}`)).result;

  test("returns an error_description with the error", () => {
    expect(read("error=access_denied&error_description=No+way.")).toEqual({
      error: "access_denied",
      description: "No way.",
    });
    expect(read("error=access_denied")).toEqual({ error: "access_denied", description: undefined });
  });

  test.each(["a", "authentication_expired"])("ignores doubled descriptions, %s", (description) => {
    const query = `error_description=${description}&error_description=${description}`;

    expect(read(`error=temporarily_unavailable&${query}`)).toEqual({
      error: "temporarily_unavailable",
      description: undefined,
    });
  });
});

describe("readRefusal()", () => {
  const codeOf = (error: string, description?: string, name: Upstream["name"] = "provider") => {
    try {
      return readRefusal({ ...upstream, name }, { error, description });
    } catch (failure) {
      if (!(failure instanceof JanusError)) throw failure;
      return failure.code;
    }
  };

  test.each([
    ["access_denied", undefined],
    ["access_denied", "User is not assigned to the client application."],
    ["login_required", undefined],
    ["consent_required", "AADSTS65001"],
    ["interaction_required", undefined],
    ["account_selection_required", undefined],
    ["unmet_authentication_requirements", undefined],
    // Auth0 of a blocked user; LinkedIn and Apple of a member who cancelled.
    ["unauthorized", "user is blocked"],
    ["user_cancelled_login", undefined],
    ["user_cancelled_authorize", undefined],
  ])("takes %s (%s) for a no", (error, description) => {
    expect(codeOf(error, description)).toBe(`provider: the authorization endpoint answered ${error}`);
  });

  test("takes only access_denied for a no by Discord", () => {
    expect(codeOf("access_denied", undefined, "discord")).toBe(
      "discord: the authorization endpoint answered access_denied",
    );
    for (const error of ["login_required", "consent_required", "unauthorized"])
      expect(codeOf(error, undefined, "discord")).toBe("authorization_rejected");
  });

  test.each([
    // Keycloak.
    ["temporarily_unavailable", "temporarily_unavailable", "authentication_expired"],
    ["server_error", "server_error", "authentication_expired"],
    ["access_denied", "access_denied", "authentication_expired"],
    // Ory Hydra, of two releases.
    [
      "Hydra's login request",
      "request_unauthorized",
      "The request could not be authorized. The login request has expired. Please try again.",
    ],
    [
      "a newer Hydra's login request",
      "request_unauthorized",
      "The request could not be authorized. The login request has expired, please try again.",
    ],
    [
      "Hydra's consent request",
      "request_unauthorized",
      "The request could not be authorized. The consent request has expired, please try again.",
    ],
    // Gluu and Janssen, whatever they add.
    ["an invalid session", "authentication_session_invalid", undefined],
    ["an invalid session with more", "authentication_session_invalid", "anything"],
  ])("takes %s for an expired sign-in page", (_, error, description) => {
    expect(codeOf(error, description)).toBe("flow_expired");
    expect(authorizationError(upstream, error, description).message).toBe(
      "provider: the sign-in page had expired",
    );
  });

  test.each([
    ["no description", "temporarily_unavailable", undefined, "provider_unavailable"],
    ["an empty description", "temporarily_unavailable", "", "provider_unavailable"],
    ["a blank after it", "temporarily_unavailable", "authentication_expired ", "provider_unavailable"],
    ["capitals", "temporarily_unavailable", "Authentication_Expired", "provider_unavailable"],
    ["more after it", "temporarily_unavailable", "authentication_expired, canary", "provider_unavailable"],
    ["words of another error", "server_error", "The login request has expired", "provider_unavailable"],
    [
      "half of the words",
      "request_unauthorized",
      "The request could not be authorized.",
      "authorization_rejected",
    ],
    ["invalid_scope", "invalid_scope", "canary", "authorization_rejected"],
  ] as const)("takes no expiry from %s", (_, error, description, code) => {
    expect(codeOf(error, description)).toBe(code);
    expect(authorizationError(upstream, error, description).message).not.toContain("canary");
  });
});

describe("postForm()", () => {
  type Sent = {
    readonly authorization: string | null;
    readonly body: URLSearchParams;
    readonly init: RequestInit;
  };
  async function post(
    client: Omit<TokenEndpoint, "url">,
    form: Readonly<Record<string, string>>,
  ): Promise<Sent> {
    const requests: RequestInit[] = [];
    const recording = upstreamWith(async (_, init) => {
      requests.push(init);
      return new Response("{}");
    });
    await postForm(recording, "call", client, "https://idp.example/token", form);
    const [init, ...others] = requests;
    if (init === undefined || others.length > 0) throw new Error(`${requests.length} requests`);
    return {
      authorization: new Headers(init.headers).get("authorization"),
      body: new URLSearchParams(String(init.body)),
      init,
    };
  }
  const basic = { authMethod: "client_secret_basic" } as const;
  const decode = (authorization: string | null) =>
    Buffer.from(/^Basic ([A-Za-z0-9+/]+=*)$/.exec(authorization ?? "")?.[1] ?? "", "base64").toString();

  test.each([
    // RFC 6749 2.3.1 and Appendix B, whose own example is the first.
    [" %&+£€", "+%25%26%2B%C2%A3%E2%82%AC"],
    ["a:b", "a%3Ab"],
    ["a/b?c=d", "a%2Fb%3Fc%3Dd"],
    // Left alone: some servers do not decode them.
    ["-_.~", "-_.~"],
    ["!'()*", "%21%27%28%29%2A"],
    ["abcXYZ019", "abcXYZ019"],
    ["🐈", "%F0%9F%90%88"],
    ["a\nb", "a%0Ab"],
  ])("spells %p as %p in Basic credentials", async (plain, encoded) => {
    const { authorization } = await post({ ...basic, clientId: plain, clientSecret: plain }, { a: "1" });

    expect(decode(authorization)).toBe(`${encoded}:${encoded}`);
  });

  test("spells any credentials so that a server can read them back", async () => {
    const text = fc.string({ unit: "binary", minLength: 1 }).filter((s) => s.isWellFormed());
    await fc.assert(
      fc.asyncProperty(text, text, async (clientId, clientSecret) => {
        const { authorization, body } = await post({ ...basic, clientId, clientSecret }, { grant_type: "x" });

        const parts = decode(authorization).split(":");
        expect(parts.map((part) => new URLSearchParams(`v=${part}`).get("v"))).toEqual([
          clientId,
          clientSecret,
        ]);
        expect(Object.fromEntries(body)).toEqual({ grant_type: "x" });
      }),
    );
  });

  test("puts both credentials into the form for client_secret_post", async () => {
    const client = { authMethod: "client_secret_post", clientId: "a b&c", clientSecret: "+%=é" } as const;

    const { authorization, body } = await post(client, { code: "c&d=e", client_id: "another" });

    expect(authorization).toBeNull();
    expect([...body]).toEqual([
      ["code", "c&d=e"],
      ["client_id", "a b&c"],
      ["client_secret", "+%=é"],
    ]);
  });

  test("sends a POST with a deadline and follows no redirect", async () => {
    const { init } = await post({ ...basic, clientId: "a", clientSecret: "b" }, {});

    expect(init).toMatchObject({ method: "POST", redirect: "manual" });
    expect(init.signal).toBeInstanceOf(AbortSignal);
  });
});

describe("requestTokens()", () => {
  const endpoint: TokenEndpoint = {
    url: "https://idp.example/token",
    clientId: "a",
    clientSecret: "b",
    authMethod: "client_secret_basic",
  };
  const answering = (status: number, body: unknown) => {
    let calls = 0;
    const by = upstreamWith(async () => {
      calls += 1;
      return Response.json(body, { status });
    });
    return { ask: () => requestTokens(by, "token_code", endpoint, { code: "c" }), calls: () => calls };
  };

  test("asks once and throws only known errors", async () => {
    const json = fc.oneof(
      fc.jsonValue(),
      fc.record({ error: fc.oneof(fc.string(), fc.constantFrom("invalid_grant", "invalid_client")) }),
      fc.record({ access_token: fc.jsonValue(), token_type: fc.constantFrom("Bearer", "mac", 1) }),
    );
    const statuses = fc.constantFrom(200, 201, 400, 401, 403, 404, 429, 500, 503);
    await fc.assert(
      fc.asyncProperty(statuses, json, async (status, body) => {
        const { ask, calls } = answering(status, body);

        const error = await ask().then(
          ({ accessToken }) => void expect(accessToken).toBeString(),
          (reason: unknown) => reason,
        );

        expect(calls()).toBe(1);
        if (error === undefined) return;
        expect(error).toBeInstanceOf(JanusError);
        const codes = [
          "authorization_rejected",
          "code_rejected",
          "provider_client_rejected",
          "provider_unavailable",
        ];
        expect(codes).toContain((error as JanusError).code);
        if (status >= 500 || status === 429) expect((error as JanusError).code).toBe("provider_unavailable");
      }),
      { numRuns: 300 },
    );
  });

  test.each([
    [{}, '"access_token" is missing'],
    [{ access_token: null, token_type: "Bearer" }, '"access_token" is missing'],
    [{ access_token: "", token_type: "Bearer" }, '"access_token" is malformed'],
    [{ access_token: ["canary"], token_type: "Bearer" }, '"access_token" is malformed'],
    [{ access_token: "a" }, '"token_type" is missing'],
    [{ access_token: "a", token_type: "canary" }, '"token_type" is malformed'],
    [{ access_token: "a", token_type: "Bearer", id_token: 7 }, '"id_token" is malformed'],
    ["canary", "not a JSON object"],
    [["canary"], "not a JSON object"],
    [null, "not a JSON object"],
  ])("refuses %j", async (body, fault) => {
    const failure = await rejection(answering(200, body).ask());

    expect([failure.code, failure.message]).toEqual([
      "provider_unavailable",
      `token_code: token response: ${fault}`,
    ]);
  });

  // They are not of RFC 6749 5.2, and say "not now" wherever they are said.
  test.each([
    "server_error",
    "temporarily_unavailable",
    "slow_down",
    "too_many_requests",
    "service_unavailable",
    "timeout",
    "Too_Early",
    "rate_limited",
    "RateLimitExceeded",
    "throttling",
    "overloaded",
    "UNAVAILABLE",
  ])("takes 400 %s for an outage, not a bad code", async (error) => {
    const failure = await rejection(answering(400, { error }).ask());

    expect([failure.code, failure.message]).toEqual([
      "provider_unavailable",
      `token_code: answered 400 ${error}`,
    ]);
  });

  test.each([
    // Keycloak, to the right code of a member without the role offline_access.
    [400, "not_allowed"],
    [400, "access_denied"],
    [400, "interaction_required"],
    [403, "consent_required"],
    [403, "mfa_required"],
    [403, "unauthorized"],
    [404, "no_such_user"],
    [422, "AADSTS50105"],
    [400, "vendor-word.v2"],
    [499, "w".repeat(40)],
  ])("takes %d %s for a refusal", async (status, error) => {
    const failure = await rejection(answering(status, { error, error_description: "described" }).ask());

    expect([failure.code, failure.message]).toEqual([
      "authorization_rejected",
      `token_code: answered ${status} ${error}`,
    ]);
    expect(failure.retryAfterSeconds).toBeUndefined();
  });

  test.each([
    "invalid_client",
    "unauthorized_client",
    "invalid_request",
    "invalid_scope",
    "unsupported_grant_type",
    // Google, GitHub, Entra, RFC 8707 and RFC 9449.
    "redirect_uri_mismatch",
    "deleted_client",
    "incorrect_client_credentials",
    "invalid_resource",
    "invalid_target",
    "use_dpop_nonce",
  ])("takes 400 %s for client_rejected", async (error) => {
    const failure = await rejection(answering(400, { error }).ask());

    expect([failure.code, failure.message]).toEqual([
      "provider_client_rejected",
      `token_code: answered 400 ${error}`,
    ]);
  });

  test.each(["access_denied", "Unauthorized", "unauthorized", "invalid_credentials", "invalid_token", "w"])(
    "takes 401 %s for client_rejected",
    async (error) => {
      const failure = await rejection(answering(401, { error }).ask());

      expect([failure.code, failure.message]).toEqual([
        "provider_client_rejected",
        `token_code: answered 401 ${error}`,
      ]);
    },
  );

  test("takes 401 invalid_grant for code_rejected", async () => {
    expect((await rejection(answering(401, { error: "invalid_grant" }).ask())).code).toBe("code_rejected");
  });

  test.each([
    [429, "not_allowed"],
    [500, "access_denied"],
    [503, "vendor_word"],
    [201, "invalid_grant"],
    [408, "timeout"],
    [408, "invalid_grant"],
    [425, "too_early"],
    [425, "invalid_client"],
    [421, "access_denied"],
    // Words that only spell the status out are a gateway's.
    [403, "Forbidden"],
    [403, "forbidden"],
    [404, "NotFound"],
    [405, "method_not_allowed"],
    [403, "rate_limited"],
    [401, "temporarily_unavailable"],
  ])("takes %d for unavailable despite %s", async (status, error) => {
    const failure = await rejection(answering(status, { error }).ask());

    expect([failure.code, failure.message]).toEqual([
      "provider_unavailable",
      `token_code: answered ${status} ${error}`,
    ]);
  });

  test.each([
    ["a sentence", { error: "Not Found" }],
    ["an empty text", { error: "" }],
    ["markup", { error: "<b>" }],
    ["more than a word", { error: "e".repeat(41) }],
    ["a line break", { error: "not_allowed\n" }],
    ["a number", { error: 400 }],
    ["an object", { error: { code: "not_allowed" } }],
    ["an error inside a list", [{ error: "not_allowed" }]],
  ])("does not take %s for an OAuth error", async (_, body) => {
    const failure = await rejection(answering(400, body).ask());

    expect([failure.code, failure.message]).toEqual([
      "provider_unavailable",
      "token_code: answered 400 without an OAuth error",
    ]);
  });

  describe("with a refresh token", () => {
    const refreshing = (status: number, error: string) => {
      const by = upstreamWith(async () => Response.json({ error }, { status }));
      const grant = { grant_type: "refresh_token", refresh_token: "r" };
      return rejection(requestTokens(by, "token_refresh", endpoint, grant));
    };

    test.each(["not_allowed", "access_denied", "invalid_token", "vendor_word", "consent_required"])(
      "takes 400 %s for unavailable",
      async (error) => {
        const failure = await refreshing(400, error);

        expect([failure.code, failure.message]).toEqual([
          "provider_unavailable",
          `token_refresh: answered 400 ${error}`,
        ]);
      },
    );

    test("takes only 400 invalid_grant for the end", async () => {
      expect((await refreshing(400, "invalid_grant")).code).toBe("code_rejected");
      for (const status of [408, 425, 429, 500])
        expect((await refreshing(status, "invalid_grant")).code).toBe("provider_unavailable");
      expect((await refreshing(503, "invalid_grant")).code).toBe("provider_unavailable");
    });
  });

  test.each(["access_denied", "unauthorized", "invalid_client"])(
    "takes 401 %s for client_rejected at a refresh, too",
    async (error) => {
      const by = upstreamWith(async () => Response.json({ error }, { status: 401 }));
      const grant = { grant_type: "refresh_token", refresh_token: "r" };

      const failure = await rejection(requestTokens(by, "token_refresh", endpoint, grant));

      expect(failure.code).toBe("provider_client_rejected");
    },
  );

  test.each([
    ["the code", { code: "Zm9vYmFyYmF6cXV4MDEyMzQ1" }, "Zm9vYmFyYmF6cXV4MDEyMzQ1"],
    ["a part of the code", { code: "Zm9vYmFyYmF6cXV4MDEyMzQ1" }, "YmF6cXV4"],
    ["the code in a word", { code: "5f2c9a1e7b" }, "unknown_code_5f2c9a1e7b"],
    [
      "the code verifier",
      { code_verifier: "verifier-of-43-characters.or_more" },
      "verifier-of-43-characters.or_more",
    ],
    ["the refresh token", { refresh_token: "f81d4fae-7dec-11d0" }, "f81d4fae-7dec-11d0"],
    ["the client secret", {}, "s3cret-of-the-client"],
    ["the Basic credentials", {}, "YTpzM2NyZXQtb2YtdGhlLWNsaWVudA"],
  ])("does not repeat %s that an error contains", async (_, sent, error) => {
    const by = upstreamWith(async () => Response.json({ error }, { status: 400 }));
    const client = { ...endpoint, clientSecret: "s3cret-of-the-client" };

    const failure = await rejection(requestTokens(by, "token_code", client, sent));

    expect([failure.code, failure.message]).toEqual([
      "authorization_rejected",
      "token_code: answered 400 an unlisted error",
    ]);
  });

  describe("with an odd secret", () => {
    const HINT =
      "the client id or the secret has characters that Basic credentials encode and some providers do not decode: " +
      "set OIDC_TOKEN_AUTH_METHOD=client_secret_post";
    const told = async (
      change: Partial<TokenEndpoint>,
      status = 401,
      body: unknown = { error: "invalid_client" },
      name: Upstream["name"] = "provider",
    ) => {
      const by = { ...upstreamWith(async () => Response.json(body, { status })), name };
      const { message } = await rejection(
        requestTokens(by, "token_code", { ...endpoint, ...change }, { code: "c" }),
      );
      return message;
    };

    test.each(["a+b/c=%", "with space", "colon:", "star*", "(x)", "it's", "bang!", "å", "a&b", "a~b@c"])(
      "gives a hint for %p",
      async (clientSecret) => {
        const message = await told({ clientSecret });

        expect(message).toBe(`token_code: answered 401 invalid_client; ${HINT}`);
        expect(await told({ clientId: clientSecret })).toBe(message);
      },
    );

    test.each(["abcXYZ019", "a-b_c.d~e", "0"])("gives no hint for %p", async (clientSecret) => {
      expect(await told({ clientSecret })).toBe("token_code: answered 401 invalid_client");
    });

    test("gives no hint in other cases", async () => {
      const clientSecret = "a+b";

      for (const message of [
        await told({ clientSecret, authMethod: "client_secret_post" }),
        await told({ clientSecret }, 401, { error: "invalid_client" }, "discord"),
        await told({ clientSecret }, 400, { error: "invalid_scope" }),
        await told({ clientSecret }, 400, { error: "invalid_grant" }),
        await told({ clientSecret }, 400, { error: "not_allowed" }),
        await told({ clientSecret }, 401, { error: "invalid_grant" }),
        await told({ clientSecret }, 403, { error: "access_denied" }),
        await told({ clientSecret }, 503, { error: "server_error" }),
      ])
        expect(message).not.toContain("client_secret_post");
    });

    test.each([
      ["400 invalid_client", 400, { error: "invalid_client" }],
      // Keycloak says it of a wrong secret.
      ["401 unauthorized_client", 401, { error: "unauthorized_client" }],
      ["400 of incorrect credentials", 400, { error: "incorrect_client_credentials" }],
      ["401 without an error", 401, { message: "Unauthorized" }],
      // Auth0 says it of a wrong secret.
      ["401 access_denied", 401, { error: "access_denied" }],
    ])("gives a hint for %s", async (_, status, body) => {
      expect(await told({ clientSecret: "a+b" }, status, body)).toEndWith(`; ${HINT}`);
    });
  });
});

describe("revokeToken()", () => {
  const client = { clientId: "a", clientSecret: "b", authMethod: "client_secret_basic" } as const;
  const revoking = (status: number, body?: string, headers = {}) => {
    const by = upstreamWith(async () => new Response(body ?? null, { status, headers }));
    const token = { token: "t", token_type_hint: "refresh_token" } as const;
    return revokeToken(by, client, "https://idp.example/revoke", token);
  };

  test.each([
    [200, undefined],
    [200, "{}"],
    [200, "OK"],
    [202, undefined],
    [204, undefined],
  ])("takes %d %j for revoked", async (status, body) => {
    expect(await revoking(status, body)).toBe("revoked");
  });

  test.each([
    [200, "<!doctype html>"],
    [202, " <html>"],
    [200, "\ufeff\n<html>"],
    [200, '{"error":"invalid_client"}'],
    [200, '{"error":"invalid_token"}'],
    [202, '{"error":{"code":500,"message":"internal"}}'],
    [201, undefined],
    [206, "{}"],
    [408, '{"error":"invalid_request"}'],
    [425, '{"error":"invalid_grant"}'],
    [429, '{"error":"invalid_token"}'],
    [500, '{"error":"unsupported_token_type"}'],
    [403, '{"error":"rate_limited"}'],
    [403, '{"error":"Forbidden"}'],
    [401, '{"error":"temporarily_unavailable"}'],
    [401, undefined],
  ])("fails at %d %j", async (status, body) => {
    expect((await rejection(revoking(status, body))).code).toBe("provider_unavailable");
  });

  test.each(["Please sign in to this network", "&lt;"])(
    "takes 200 %j as HTML for unavailable",
    async (text) => {
      const headers = { "content-type": "Text/HTML; charset=utf-8" };

      expect((await rejection(revoking(200, text, headers))).code).toBe("provider_unavailable");
    },
  );

  test("takes an empty 200 for revoked, whatever its type", async () => {
    expect(await revoking(200, "", { "content-type": "text/html" })).toBe("revoked");
  });

  test.each(["access_denied", "unauthorized", "invalid_request", "invalid_token", "invalid_client"])(
    "takes 401 %s for client_rejected",
    async (error) => {
      const failure = await rejection(revoking(401, JSON.stringify({ error })));

      expect([failure.code, failure.message]).toEqual([
        "provider_client_rejected",
        `revoke: answered 401 ${error}`,
      ]);
    },
  );

  test("takes 400 and 401 invalid_grant for revoked", async () => {
    for (const status of [400, 401])
      expect(await revoking(status, '{"error":"invalid_grant"}')).toBe("revoked");
  });
});

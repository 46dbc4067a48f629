/** What a SCIM request is refused for, each in the form of the protocol, with nothing changed. */
import { describe, expect, test } from "bun:test";
import { databaseUnavailable } from "../../lib/errors.ts";
import { findScimUser } from "../../lib/scim/handlers.ts";
import type { ScimAnswer } from "../fixtures/scim.ts";
import { newName, SCIM_TOKEN, scimClient } from "../fixtures/scim.ts";
import { useDatabase, useJanus } from "../harness/hooks.ts";
import { startJanusWithForger } from "../harness/janus.ts";
import { linesOf } from "../harness/seen.ts";

const NEXT_TOKEN = "canary-scim-token-that-comes-next-0123456789";

const database = useDatabase();
const janus = useJanus(() =>
  startJanusWithForger({ database, environment: { SCIM_TOKEN: `${NEXT_TOKEN}, ${SCIM_TOKEN}` } }),
);
const closed = useJanus(() => startJanusWithForger({ database }));

const client = () => scimClient(janus);
const users = () => database.dump(["scim_user", "scim_group", "scim_member"]);
const operations = (...list: readonly unknown[]) => ({ Operations: list });
const user = () => ({ userName: newName("user"), externalId: newName("external") });

function expectFault(answer: ScimAnswer, status: number, scimType?: string): void {
  expect(answer.headers.get("content-type")).toBe("application/scim+json");
  expect(answer.status).toBe(status);
  expect(answer.body).toEqual({
    schemas: ["urn:ietf:params:scim:api:messages:2.0:Error"],
    status: String(status),
    ...(scimType === undefined ? {} : { scimType }),
    detail: expect.any(String),
  });
}

describe("without SCIM_TOKEN", () => {
  test.each([
    ["GET", "/ServiceProviderConfig"],
    ["GET", "/Users"],
    ["POST", "/Users"],
    ["PATCH", "/Groups/x"],
  ])("%s %s does not exist", async (method, path) => {
    const headers = {
      authorization: `Bearer ${SCIM_TOKEN}`,
      accept: "application/json",
      "content-type": "application/json",
    };

    const response = await fetch(`${closed.url}/scim/v2${path}`, { method, headers });

    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({ code: "not_found" });
  });
});

describe("the token", () => {
  test.each([
    ["is missing", undefined],
    ["is another one", `Bearer ${SCIM_TOKEN}x`],
    ["is only a part", `Bearer ${SCIM_TOKEN.slice(0, -1)}`],
    ["is both with their comma", `Bearer ${NEXT_TOKEN},${SCIM_TOKEN}`],
    ["is of another scheme", `Basic ${SCIM_TOKEN}`],
    ["is empty", "Bearer "],
  ])("that %s is answered 401 before anything else", async (_, authorization) => {
    const headers = authorization === undefined ? {} : { authorization };
    const before = linesOf(janus, "event_received").length;

    for (const path of ["/ServiceProviderConfig", "/Users", "/Users/unknown", "/Bulk"]) {
      const method = path === "/Bulk" ? "POST" : "GET";
      const response = await fetch(`${janus.url}/scim/v2${path}`, { method, headers });
      const answer = { status: response.status, headers: response.headers, body: await response.json() };
      expectFault(answer, 401);
      expect(answer.headers.get("www-authenticate")).toBe('Bearer realm="scim"');
    }

    const lines = linesOf(janus, "event_received").slice(before);
    expect(lines.map(({ outcome }) => outcome)).toEqual(Array(4).fill("refused"));
  });

  test("may be any of two, so that it can be replaced", async () => {
    expect((await scimClient(janus, NEXT_TOKEN).send("GET", "/Users")).status).toBe(200);
    expect((await scimClient(janus, SCIM_TOKEN).send("GET", "/Users")).status).toBe(200);
  });
});

describe("a request", () => {
  test.each<
    readonly [
      what: string,
      method: string,
      path: string,
      body: unknown,
      status: number,
      type: string | undefined,
    ]
  >([
    ["that is not JSON", "POST", "/Users", "{", 400, "invalidSyntax"],
    ["that is a list", "POST", "/Users", [], 400, "invalidSyntax"],
    ["that nests without end", "POST", "/Users", "[".repeat(500_000), 400, "invalidSyntax"],
    ["without userName", "POST", "/Users", { externalId: "x" }, 400, "invalidValue"],
    ["with an empty userName", "POST", "/Users", { userName: " " }, 400, "invalidValue"],
    ["with a NUL", "POST", "/Users", { userName: "a\u0000b" }, 400, "invalidValue"],
    ["with half a character", "POST", "/Users", '{"userName": "\\ud800"}', 400, "invalidValue"],
    ["with a name of 256 characters", "POST", "/Users", { userName: "x".repeat(256) }, 400, "invalidValue"],
    [
      "with an active that is a word",
      "POST",
      "/Users",
      { userName: "x", active: "yes" },
      400,
      "invalidValue",
    ],
    ["without displayName", "POST", "/Groups", {}, 400, "invalidValue"],
    [
      "with members that are numbers",
      "POST",
      "/Groups",
      { displayName: "x", members: [1] },
      400,
      "invalidValue",
    ],
    ["for an unknown user", "PATCH", "/Users/x", operations({ op: "replace", value: {} }), 404, undefined],
    ["for an unknown group", "PUT", "/Groups/x", { displayName: "x" }, 404, undefined],
    ["for an unknown type", "GET", "/ResourceTypes/Device", undefined, 404, undefined],
    ["for an unknown schema", "GET", "/Schemas/urn:x", undefined, 404, undefined],
    ["with a filter of schemas", "GET", '/Schemas?filter=id eq "x"', undefined, 403, undefined],
    ["for /Me", "GET", "/Me", undefined, 501, undefined],
    ["to search by POST", "POST", "/Users/.search", { filter: "" }, 501, undefined],
    ["to search everything", "POST", "/.search", { filter: "" }, 501, undefined],
    ["for /Bulk", "POST", "/Bulk", { Operations: [] }, 501, undefined],
    [
      "with a filter by another attribute",
      "GET",
      '/Users?filter=emails eq "x"',
      undefined,
      400,
      "invalidFilter",
    ],
    ["with another comparison", "GET", '/Users?filter=userName co "x"', undefined, 400, "invalidFilter"],
    [
      "with two comparisons",
      "GET",
      '/Users?filter=userName eq "x" and active eq true',
      undefined,
      400,
      "invalidFilter",
    ],
    [
      "with a filter that is too long",
      "GET",
      `/Users?filter=userName eq "${"x".repeat(1_000)}"`,
      undefined,
      400,
      "invalidFilter",
    ],
    [
      "with a filter with a NUL",
      "GET",
      '/Users?filter=userName eq "a\\u0000"',
      undefined,
      400,
      "invalidFilter",
    ],
    [
      "with a filter of groups with a NUL",
      "GET",
      '/Groups?filter=externalId eq "\\u0000"',
      undefined,
      400,
      "invalidFilter",
    ],
    ["with a page that is no number", "GET", "/Users?startIndex=one", undefined, 400, "invalidValue"],
    [
      "with an address that is too long",
      "GET",
      `/Users?filter=${"x".repeat(9_000)}`,
      undefined,
      400,
      "invalidValue",
    ],
  ])("%s is refused", async (_, method, path, body, status, type) => {
    const before = await users();

    expectFault(await client().send(method, path, body), status, type);

    expect(await users()).toBe(before);
  });

  test.each<readonly [what: string, operation: unknown, type: string]>([
    ["that is no object", "replace", "invalidSyntax"],
    ["with another op", { op: "move", path: "active" }, "invalidSyntax"],
    ["that removes without a path", { op: "remove" }, "noTarget"],
    ["that removes the name", { op: "remove", path: "userName" }, "mutability"],
    ["that changes the id", { op: "replace", path: "id", value: "x" }, "mutability"],
    ["with a path that is none", { op: "replace", path: "a b", value: 1 }, "invalidPath"],
    ["with a path that is a number", { op: "replace", path: 1, value: 1 }, "invalidPath"],
    ["without a path, with a text", { op: "replace", value: "x" }, "invalidValue"],
    ["that makes active nothing", { op: "replace", path: "active", value: null }, "invalidValue"],
  ])("with an operation %s changes nothing, nor do the others", async (_, operation, type) => {
    const id = await client().createUser(user());
    const before = await client().read(`/Users/${id}`);

    const answer = await client().patch(
      `/Users/${id}`,
      { op: "replace", path: "active", value: false },
      operation,
    );

    expectFault(answer, 400, type);
    expect(await client().read(`/Users/${id}`)).toEqual(before);
  });

  test("without operations, or with too many, is refused", async () => {
    const id = await client().createGroup({ displayName: newName("group") });
    const add = { op: "add", path: "members", value: [] };

    expectFault(await client().patch(`/Groups/${id}`), 400, "invalidSyntax");
    expectFault(await client().patch(`/Groups/${id}`, ...Array(10_001).fill(add)), 400, "tooMany");
  });

  test("of another type, or over 1 MiB, is refused", async () => {
    const headers = { authorization: `Bearer ${SCIM_TOKEN}` };
    const send = (body: string, type: string) =>
      fetch(`${janus.url}/scim/v2/Users`, {
        method: "POST",
        headers: { ...headers, "content-type": type },
        body,
      });

    const form = await send("userName=x", "application/x-www-form-urlencoded");
    const large = await send(`{"userName": "${"x".repeat(1_048_576)}"}`, "application/json");

    expectFault({ status: form.status, headers: form.headers, body: await form.json() }, 415);
    expectFault({ status: large.status, headers: large.headers, body: await large.json() }, 413);
  });

  test("that takes the name or the external id of another is refused", async () => {
    const [one, other] = [user(), user()];
    await client().createUser(one);
    const id = await client().createUser(other);

    expectFault(
      await client().send("POST", "/Users", { ...user(), userName: one.userName.toUpperCase() }),
      409,
      "uniqueness",
    );
    expectFault(
      await client().send("PUT", `/Users/${id}`, { ...other, externalId: one.externalId }),
      409,
      "uniqueness",
    );
    expect(await client().read(`/Users/${id}`)).toMatchObject(other);
  });

  test("with members that Janus has no user for is carried out for the others", async () => {
    const id = await client().createUser(user());
    const members = [{ value: id }, { value: crypto.randomUUID() }, { value: "no id at all" }];

    const group = await client().createGroup({ displayName: newName("group"), members });

    expect((await client().read(`/Groups/${group}`)).members).toMatchObject([{ value: id }]);
  });

  test("asks for some of the attributes, or for no resource at all", async () => {
    const id = await client().createUser(user());

    const some = await client().read(
      `/Users/${id}?attributes=urn:ietf:params:scim:schemas:core:2.0:User:userName`,
    );
    const none = await client().list("/Users?count=0");

    expect(Object.keys(some).sort()).toEqual(["id", "schemas", "userName"]);
    expect(none.Resources).toEqual([]);
    expect(none.totalResults).toBeGreaterThan(0);
  });
});

test("a database that is away is answered 503, so that the client repeats the request", async () => {
  const exchange = {
    request: new Request(`${janus.url}/scim/v2/Users/x`),
    requestId: "request",
    route: "/scim/v2/Users/:id",
    isStopping: false,
    peerAddress: () => undefined,
  };

  const response = findScimUser.refuse?.(janus.request(), exchange, databaseUnavailable("away")) as Response;

  expectFault({ status: response.status, headers: response.headers, body: await response.json() }, 503);
  expect(Number(response.headers.get("retry-after"))).toBeGreaterThan(0);
});

test("the log never has a token, nor what a client sends", async () => {
  const one = user();
  await client().createUser(one);

  const log = janus.logLines.join("\n");
  for (const secret of [SCIM_TOKEN, NEXT_TOKEN, one.userName, one.externalId])
    expect(log).not.toContain(secret);
});

/**
 * SCIM requests that another program could read in another way: names that stand twice or in another case, paths and
 * addresses in odd forms, heads that ask for what Janus cannot do. Each means one thing, or is refused and changes nothing.
 */
import { describe, expect, test } from "bun:test";
import { gzipSync } from "node:zlib";
import type { Resource, ScimAnswer } from "../fixtures/scim.ts";
import { newName, SCIM_TOKEN, scimClient } from "../fixtures/scim.ts";
import { useDatabase, useJanus } from "../harness/hooks.ts";
import { startJanusWithForger } from "../harness/janus.ts";

const USER = "urn:ietf:params:scim:schemas:core:2.0:User";
const GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group";

const database = useDatabase();
const janus = useJanus(() => startJanusWithForger({ database, environment: { SCIM_TOKEN } }));

const client = () => scimClient(janus);
const kept = () => database.dump(["scim_user", "scim_group", "scim_member"]);
const user = () => ({ userName: newName("user"), externalId: newName("external") });
const refusal = ({ status, body }: ScimAnswer): unknown => [status, (body as Resource).scimType];

/** Sends what `scimClient` does not: a head of the test's own. */
const sendWith = (
  headers: Readonly<Record<string, string>>,
  method: string,
  path: string,
  body: BodyInit,
): Promise<Response> =>
  fetch(`${janus.url}/scim/v2${path}`, {
    method,
    headers: { authorization: `Bearer ${SCIM_TOKEN}`, "content-type": "application/scim+json", ...headers },
    body,
  });

describe("an attribute that stands there twice", () => {
  test.each([
    ["/Users", '{"userName": "a", "USERNAME": "b"}'],
    ["/Users", `{"userName": "a", "${USER}:userName": "b"}`],
    ["/Users", `{"userName": "a", "active": true, "${USER}": {"active": false}}`],
    ["/Groups", '{"displayName": "a", "members": [], "Members": [{"value": "x"}]}'],
    ["/Groups", `{"displayName": "a", "${GROUP}": {"displayName": "b"}}`],
  ])("is refused in the body of a POST to %s: %s", async (path, body) => {
    const before = await kept();

    expect(refusal(await client().send("POST", path, body))).toEqual([400, "invalidSyntax"]);

    expect(await kept()).toBe(before);
  });

  test.each([
    '{"Operations": [{"op": "remove", "path": "externalId"}], "operations": []}',
    '{"Operations": [{"op": "replace", "OP": "remove", "path": "externalId"}]}',
    `{"Operations": [{"op": "add", "value": {"active": true, "${USER}:ACTIVE": false}}]}`,
  ])("is refused in a PATCH: %s", async (body) => {
    const id = await client().createUser(user());
    const before = await kept();

    expect(refusal(await client().send("PATCH", `/Users/${id}`, body))).toEqual([400, "invalidSyntax"]);

    expect(await kept()).toBe(before);
  });
});

describe("the names of attributes", () => {
  test("have no case, those of an operation and of a member neither", async () => {
    const id = await client().createUser(user());
    const group = await client().createGroup({ DISPLAYNAME: newName("group"), Members: [{ VALUE: id }] });

    const answer = await client().send("PATCH", `/Users/${id}`, {
      OPERATIONS: [{ OP: "Replace", Path: "ACTIVE", VALUE: false }],
    });

    expect(answer).toMatchObject({ status: 200, body: { active: false } });
    expect(await client().read(`/Groups/${group}`)).toMatchObject({ members: [{ value: id }] });
  });

  test("are those of the resource's own schema, and of no other", async () => {
    const one = user();
    const id = await client().createUser(one);

    const alone = await client().send("POST", "/Users", { [`${GROUP}:userName`]: "x", [GROUP]: one });
    const added = await client().patch(
      `/Users/${id}`,
      { op: "replace", path: `${GROUP}:active`, value: false },
      { op: "replace", value: { [GROUP]: { active: false } } },
    );
    const found = await client().send("GET", `/Users?filter=${GROUP}:externalId eq "${one.externalId}"`);

    expect(refusal(alone)).toEqual([400, "invalidValue"]);
    expect(added).toMatchObject({ status: 200, body: { active: true } });
    expect(refusal(found)).toEqual([400, "invalidFilter"]);
  });

  test("that JavaScript gives a meaning are names like any other", async () => {
    const id = await client().createUser(user());
    const { userName } = await client().read(`/Users/${id}`);

    const created = await client().send("POST", "/Users", `{"__proto__": {"userName": "x"}}`);
    const put = await client().send(
      "PUT",
      `/Users/${id}`,
      `{"constructor": {"active": false}, "__proto__": {"active": false, "userName": "x"}}`,
    );

    expect(refusal(created)).toEqual([400, "invalidValue"]);
    expect(put).toMatchObject({ status: 200, body: { userName, active: true } });
  });

  test("that are null are as if they were left out", async () => {
    const created = await client().send("POST", "/Users", { ...user(), active: null });
    const { id, userName } = created.body as Resource;

    const put = await client().send("PUT", `/Users/${id}`, { userName: null, active: null });

    expect(created).toMatchObject({ status: 201, body: { active: true } });
    expect(put).toMatchObject({ status: 200, body: { userName, active: true } });
  });
});

describe("a path", () => {
  test.each([
    ["/Users", "replace", 'active[value eq "x"]', false, "invalidPath"],
    ["/Users", "replace", "active.value", false, "invalidPath"],
    ["/Users", "remove", 'externalId[value eq "x"]', undefined, "invalidPath"],
    ["/Users", "replace", "userName.formatted", "x", "invalidPath"],
    ["/Users", "replace", `${USER}:userName[type eq "x"]`, "x", "invalidPath"],
    ["/Users", "replace", "meta.created", "2026-01-01T00:00:00Z", "mutability"],
    ["/Users", "replace", 'schemas[value eq "x"]', "x", "mutability"],
    ["/Groups", "replace", "displayName[x eq 1]", "x", "invalidPath"],
    ["/Groups", "add", "members.value", "x", "invalidPath"],
    ["/Groups", "remove", "members.value", undefined, "invalidPath"],
    ["/Groups", "remove", 'members[value eq "x" or value eq "y"]', undefined, "invalidPath"],
    ["/Groups", "remove", 'members[not (value eq "x")]', undefined, "invalidPath"],
    ["/Groups", "remove", 'members[value eq "\\ud800"]', undefined, "invalidPath"],
    ["/Groups", "remove", 'members[value eq "x"]][type eq "y"]', undefined, "invalidPath"],
  ])("of %s that cannot be followed is refused: %s %s", async (kind, op, path, value, scimType) => {
    const member = await client().createUser(user());
    const group = { displayName: newName("group"), members: [{ value: member }] };
    const id = kind === "/Users" ? member : await client().createGroup(group);
    const before = await kept();

    expect(refusal(await client().patch(`${kind}/${id}`, { op, path, value }))).toEqual([400, scimType]);

    expect(await kept()).toBe(before);
  });

  test("that is the schema means the resource", async () => {
    const [one, other] = [await client().createUser(user()), await client().createUser(user())];
    const group = await client().createGroup({ displayName: newName("group") });

    const patched = await client().patch(`/Users/${one}`, {
      op: "replace",
      path: USER,
      value: { active: false },
    });
    await client().patch(`/Groups/${group}`, {
      op: "add",
      path: GROUP.toLowerCase(),
      value: { members: [{ value: other }] },
    });
    const removed = await client().patch(`/Users/${one}`, { op: "remove", path: USER });

    expect(patched).toMatchObject({ status: 200, body: { active: false } });
    expect(await client().read(`/Groups/${group}`)).toMatchObject({ members: [{ value: other }] });
    expect(refusal(removed)).toEqual([400, "invalidValue"]);
  });
});

describe("an address", () => {
  test("may end with a slash, and have any character by its code", async () => {
    const { status, headers, body } = await client().send("POST", "/Users/", user());
    const { id } = body as Resource;
    const coded = id.replaceAll("-", "%2D").replace("0", "%30");

    const patched = await client().patch(`/Users/${coded}`, { op: "replace", path: "active", value: false });
    const deleted = await client().send("DELETE", `/Users/${id}/`);

    expect(status).toBe(201);
    expect(headers.get("location")).toBe(`${janus.url}/scim/v2/Users/${id}`);
    expect(patched).toMatchObject({ status: 200, body: { id, active: false } });
    expect(deleted.status).toBe(204);
    expect((await client().send("GET", `/Users/${id}`)).status).toBe(404);
  });

  test.each(["%00", "%2e%2e%2f", "%ed%a0%80", "%zz", "a'b", "a;b", "x".repeat(3_000)])(
    "of nobody is answered 404: %s",
    async (id) => {
      const before = await kept();

      const statuses = [
        (await client().send("GET", `/Users/${id}`)).status,
        (await client().send("PUT", `/Groups/${id}`, { displayName: "x" })).status,
        (await client().send("DELETE", `/Users/${id}`)).status,
        (await client().send("DELETE", `/Groups/${id}`)).status,
      ];

      expect(statuses).toEqual([404, 404, 404, 404]);
      expect(await kept()).toBe(before);
    },
  );

  test.each([
    ["asks for two pages", "startIndex=1&startIndex=3", 400],
    ["has two filters", 'filter=userName eq "a"&filter=userName eq "b"', 400],
    ["asks for half a resource", "count=2.5", 400],
    ["asks for half a character", 'filter=userName eq "\\udc00"', 400],
    ["asks for more than there is", "count=2147483647&startIndex=-9223372036854", 200],
    ["asks for a page behind all", "startIndex=999999999999999", 200],
  ])("of a list that %s is answered in the protocol's form", async (_, query, status) => {
    const answer = await client().send("GET", `/Users?${query}`);

    expect(answer.status).toBe(status);
    expect(answer.headers.get("content-type")).toBe("application/scim+json");
    if (status === 200) expect(answer.body).toMatchObject({ totalResults: expect.any(Number) });
  });

  test("that asks for no attribute gets all, and without a part of one the whole", async () => {
    const member = await client().createUser(user());
    const members = [{ value: member, type: "User" }];
    const id = await client().createGroup({ displayName: newName("group"), members });

    const whole = await client().read(`/Groups/${id}`);

    expect(await client().read(`/Groups/${id}?attributes=`)).toEqual(whole);
    expect(await client().read(`/Groups/${id}?excludedAttributes=members.display,id`)).toEqual(whole);
    expect(whole).toMatchObject({ members });
  });
});

describe("a head", () => {
  test("with a body that is compressed is refused, and so is a body that is none", async () => {
    const json = JSON.stringify(user());
    const before = await kept();

    const gzip = await sendWith({ "content-encoding": "gzip" }, "POST", "/Users", gzipSync(json));
    const claimed = await sendWith({ "content-encoding": "br" }, "POST", "/Users", json);
    const utf16 = await sendWith({}, "POST", "/Users", Buffer.from(json, "utf16le"));

    expect([gzip.status, claimed.status, utf16.status]).toEqual([415, 415, 400]);
    expect(await kept()).toBe(before);
    expect((await sendWith({ "content-encoding": "identity" }, "POST", "/Users", json)).status).toBe(201);
  });

  test("with a condition on an entity tag is refused, since there are none", async () => {
    const one = user();
    const id = await client().createUser(one);
    const body = JSON.stringify({ ...one, active: false });
    const before = await kept();

    const put = await sendWith({ "if-match": 'W/"3694e05e9dff590"' }, "PUT", `/Users/${id}`, body);

    expect([put.status, await put.json()]).toMatchObject([412, { status: "412" }]);
    expect(await kept()).toBe(before);
    expect((await sendWith({ "if-match": "*" }, "PUT", `/Users/${id}`, body)).status).toBe(200);
  });
});

describe("the name of a user", () => {
  test.each([
    ["in another case", "Ängla", "ÄNGLA"],
    ["of a letter and a mark", "José", "Jose\u0301"],
    ["of both, in another case", "Ångström", "A\u030aNGSTRO\u0308M"],
    ["of full-width letters", "taro", "ＴＡＲＯ"],
    ["of half-width syllables", "ガク", "ｶﾞｸ"],
  ])("%s is the same name", async (_, name, other) => {
    const id = await client().createUser({ userName: name });

    const again = await client().send("POST", "/Users", { userName: other });
    const found = await client().list(`/Users?filter=${encodeURIComponent(`userName eq "${other}"`)}`);

    expect(refusal(again)).toEqual([409, "uniqueness"]);
    expect(found.Resources).toMatchObject([{ id, userName: name }]);
  });

  test("of other letters is another name", async () => {
    const names = ["strauß", "strauss", "ﬁa", "fia", "ı", "i", "а", "a"];

    for (const userName of names) await client().createUser({ userName });

    expect(await client().list("/Users")).toMatchObject({ totalResults: names.length });
  });

  test("is free again once the user is deleted", async () => {
    const one = user();
    const id = await client().createUser(one);

    await client().send("DELETE", `/Users/${id}`);

    expect(await client().createUser({ ...one, userName: one.userName.toUpperCase() })).not.toBe(id);
  });
});

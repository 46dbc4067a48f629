/**
 * Requests as the documentation of three SCIM clients shows them, answered as it wants. Only ids are ours. Sources:
 *
 *   Microsoft Entra   learn.microsoft.com/entra/identity/app-provisioning/use-scim-to-provision-users-and-groups, and
 *                     .../application-provisioning-config-problem-scim-compatibility
 *   Okta              developer.okta.com/docs/api/openapi/okta-scim/guides/scim-20
 *   Authentik         docs.goauthentik.io/providers/scim and its source, authentik/providers/scim/clients
 */
import { describe, expect, test } from "bun:test";
import type { Resource } from "../fixtures/scim.ts";
import { newName, SCIM_TOKEN, scimClient } from "../fixtures/scim.ts";
import { useDatabase, useJanus } from "../harness/hooks.ts";
import { startJanusWithForger } from "../harness/janus.ts";

const database = useDatabase();
const janus = useJanus(() => startJanusWithForger({ database, environment: { SCIM_TOKEN } }));

const client = () => scimClient(janus);
const membersOf = async (id: string): Promise<unknown> => {
  const { members } = await client().read(`/Groups/${id}`);
  return (members as readonly { readonly value: string }[]).map(({ value }) => value).sort();
};
const user = (name = newName("user")) => ({
  schemas: ["urn:ietf:params:scim:schemas:core:2.0:User"],
  userName: name,
  externalId: newName("external"),
  active: true,
});
const group = (name = newName("group")) => ({
  schemas: ["urn:ietf:params:scim:schemas:core:2.0:Group"],
  displayName: name,
});

describe("Microsoft Entra", () => {
  test("creates a user with attributes that are not kept", async () => {
    const externalId = newName("0a21f0f2-8d2a-4f8e-bf98-7363c4aed4ef");
    const userName = newName("Test_User");

    const { status, body, headers } = await client().send("POST", "/Users", {
      schemas: [
        "urn:ietf:params:scim:schemas:core:2.0:User",
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User",
      ],
      externalId,
      userName,
      active: true,
      emails: [
        {
          primary: true,
          type: "work",
          value: "Test_User_11bb11bb-cc22-dd33-ee44-55ff55ff55ff@testuser.com",
        },
      ],
      meta: { resourceType: "User" },
      name: { formatted: "givenName familyName", familyName: "familyName", givenName: "givenName" },
      roles: [],
    });

    const { id } = body as Resource;
    expect(status).toBe(201);
    expect(headers.get("content-type")).toBe("application/scim+json");
    expect(headers.get("location")).toBe(`${janus.url}/scim/v2/Users/${id}`);
    expect(body).toMatchObject({ externalId, userName, active: true, meta: { resourceType: "User" } });
    expect(await client().read(`/Users/${id}`)).toEqual(body as Resource);
    expect(await database.dump()).not.toContain("givenName");
  });

  test("gets 404 for a user that does not exist", async () => {
    const { status, body } = await client().send("GET", "/Users/5171a35d82074e068ce2");

    expect(status).toBe(404);
    expect(body).toMatchObject({ schemas: ["urn:ietf:params:scim:api:messages:2.0:Error"], status: "404" });
  });

  test("finds a user by its name, whatever the case, and an empty list for none", async () => {
    const name = newName("Test_User");
    const id = await client().createUser(user(name));

    const found = await client().list(`/Users?filter=userName eq "${name.toUpperCase()}"`);
    const none = await client().list('/Users?filter=userName eq "non-existent user"');

    expect(found).toMatchObject({
      schemas: ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
      totalResults: 1,
      startIndex: 1,
      Resources: [{ id, userName: name }],
    });
    expect(none).toMatchObject({ totalResults: 0, Resources: [], startIndex: 1 });
  });

  test("finds a user by its external id without quotes", async () => {
    const one = { ...user(), externalId: newName("jyoung") };
    const id = await client().createUser(one);

    const found = await client().list(`/Users?filter=externalId eq ${one.externalId}`);

    expect(found.Resources).toMatchObject([{ id }]);
  });

  test.each([
    (id: string, manager: string) => `id eq ${id} and manager eq ${manager}`,
    (id: string, manager: string) => `id eq "${id}" and manager eq "${manager}"`,
  ])("asks whether a user has a manager, and sets it, of which nothing is kept", async (filterOf) => {
    const [id, manager] = [await client().createUser(user()), await client().createUser(user())];
    const before = await client().read(`/Users/${id}`);
    const filter = encodeURIComponent(filterOf(id, manager));

    const found = await client().list(`/Users?filter=${filter}&attributes=id`);
    const { status, body } = await client().patch(`/Users/${id}`, {
      op: "Add",
      path: "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager",
      value: manager,
    });

    expect(found).toMatchObject({ totalResults: 0, Resources: [] });
    expect([status, body]).toEqual([200, before]);
  });

  test("updates attributes of which none is kept, with capital letters", async () => {
    const id = await client().createUser(user());
    const before = await client().read(`/Users/${id}`);

    const { status, body } = await client().patch(
      `/Users/${id}`,
      { op: "Replace", path: 'emails[type eq "work"].value', value: "updatedEmail@microsoft.com" },
      { op: "Replace", path: "name.familyName", value: "updatedFamilyName" },
    );

    expect(status).toBe(200);
    expect(body).toEqual(before);
  });

  test("updates the name of a user", async () => {
    const id = await client().createUser(user());
    const userName = newName("5b50642d-79fc-4410-9e90-4c077cdd1a59@testuser.com");

    const { body } = await client().patch(`/Users/${id}`, {
      op: "Replace",
      path: "userName",
      value: userName,
    });

    expect(body).toMatchObject({ id, userName });
  });

  test.each([
    ["as a text", "Replace", "False"],
    ["as JSON has it", "replace", false],
  ])("disables a user %s", async (_, op, value) => {
    const id = await client().createUser(user());

    const { status, body } = await client().patch(`/Users/${id}`, { op, path: "active", value });

    expect(status).toBe(200);
    expect(body).toMatchObject({ active: false });
    expect(await client().list(`/Users?filter=userName eq "${(body as Resource).userName}"`)).toMatchObject({
      totalResults: 1,
    });
  });

  test("replaces several attributes at once, with and without its compliance flag", async () => {
    const id = await client().createUser(user());
    const externalId = newName("Eqpj");

    const plain = await client().patch(
      `/Users/${id}`,
      { op: "Replace", path: "displayName", value: "Pvlo" },
      { op: "Replace", path: 'emails[type eq "work"].value', value: "TestBcwqnm@test.microsoft.com" },
      { op: "Replace", path: "name.givenName", value: "Gtfd" },
      { op: "Replace", path: "externalId", value: externalId },
      {
        op: "Replace",
        path: "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber",
        value: "Eqpj",
      },
    );
    const flagged = await client().patch(
      `/Users/${id}`,
      { op: "replace", path: 'emails[type eq "work"].value', value: "TestMhvaes@test.microsoft.com" },
      {
        op: "replace",
        value: {
          displayName: "Bjfe",
          "name.givenName": "Kkom",
          "urn:ietf:params:scim:schemas:core:2.0:User:active": "False",
          "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber": "Aklq",
        },
      },
    );

    expect(plain).toMatchObject({ status: 200, body: { externalId, active: true } });
    expect(flagged).toMatchObject({ status: 200, body: { externalId, active: false } });
  });

  test("deletes a user", async () => {
    const id = await client().createUser(user());

    const { status, body } = await client().send("DELETE", `/Users/${id}`);

    expect([status, body]).toEqual([204, undefined]);
    expect((await client().send("GET", `/Users/${id}`)).status).toBe(404);
    expect((await client().send("DELETE", `/Users/${id}`)).status).toBe(404);
  });

  test("creates a group without members, and reads it without them", async () => {
    const displayName = newName("displayName");
    const { status, body } = await client().send("POST", "/Groups", {
      schemas: [
        "urn:ietf:params:scim:schemas:core:2.0:Group",
        "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group",
      ],
      externalId: newName("8aa1a0c0-c4c3-4bc0-b4a5-2ef676900159"),
      displayName,
      meta: { resourceType: "Group" },
    });
    const { id } = body as Resource;

    const alone = await client().read(`/Groups/${id}?excludedAttributes=members`);
    const found = await client().list(
      `/Groups?excludedAttributes=members&filter=displayName eq "${displayName}"`,
    );

    expect(status).toBe(201);
    expect(body).toMatchObject({ displayName, members: [] });
    expect(Object.keys(alone)).not.toContain("members");
    expect(found).toMatchObject({ totalResults: 1, Resources: [{ id, displayName }] });
    expect(Object.keys(found.Resources[0] ?? {})).not.toContain("members");
  });

  test("renames a group, adds members and removes them, each answered 204", async () => {
    const id = await client().createGroup(group());
    const [one, other] = [await client().createUser(user()), await client().createUser(user())];
    const displayName = newName("1879db59-3bdf-4490-ad68-ab880a269474updatedDisplayName");

    const renamed = await client().patch(`/Groups/${id}`, {
      op: "Replace",
      path: "displayName",
      value: displayName,
    });
    const added = await client().patch(`/Groups/${id}`, {
      op: "Add",
      path: "members",
      value: [
        { $ref: null, value: one },
        { $ref: null, value: other },
      ],
    });
    const afterAdd = await membersOf(id);
    const removed = await client().patch(`/Groups/${id}`, {
      op: "Remove",
      path: "members",
      value: [{ $ref: null, value: one }],
    });
    const afterRemove = await membersOf(id);
    const flagged = await client().patch(`/Groups/${id}`, {
      op: "remove",
      path: `members[value eq "${other}"]`,
    });

    expect([renamed, added, removed, flagged].map(({ status }) => status)).toEqual([204, 204, 204, 204]);
    expect(await client().read(`/Groups/${id}`)).toMatchObject({ displayName, members: [] });
    expect(afterAdd).toEqual([one, other].sort());
    expect(afterRemove).toEqual([other]);
  });

  test("deletes a group, whose name is free again", async () => {
    const one = group();
    const id = await client().createGroup(one);

    const { status } = await client().send("DELETE", `/Groups/${id}`);

    expect(status).toBe(204);
    expect((await client().send("GET", `/Groups/${id}`)).status).toBe(404);
    expect(await client().createGroup(one)).not.toBe(id);
  });

  test("discovers the schemas", async () => {
    const { Resources, totalResults } = await client().list("/Schemas");

    expect(totalResults).toBe(2);
    expect(Resources.map(({ id }) => id)).toEqual([
      "urn:ietf:params:scim:schemas:core:2.0:User",
      "urn:ietf:params:scim:schemas:core:2.0:Group",
    ]);
    expect(JSON.stringify(Resources)).not.toContain("null");
  });
});

describe("Okta", () => {
  test("looks for a user, creates it, and is told of one that exists", async () => {
    const userName = newName("test.user@okta.local");
    const body = {
      schemas: ["urn:ietf:params:scim:schemas:core:2.0:User"],
      userName,
      name: { givenName: "Test", familyName: "User" },
      emails: [{ primary: true, value: "test.user@okta.local", type: "work" }],
      displayName: "Test User",
      locale: "en-US",
      externalId: newName("00ujl29u0le5T6Aj10h7"),
      groups: [],
      password: "1mz050nq",
      active: true,
    };
    const query = `filter=userName%20eq%20%22${encodeURIComponent(userName)}%22&startIndex=1&count=100`;

    const before = await client().list(`/Users?${query}`);
    const created = await client().send("POST", "/Users", body);
    const again = await client().send("POST", "/Users", body);

    expect(before).toMatchObject({ totalResults: 0, startIndex: 1, itemsPerPage: 0, Resources: [] });
    expect(created.status).toBe(201);
    expect(JSON.stringify(created.body)).not.toContain("1mz050nq");
    expect(await database.dump()).not.toContain("1mz050nq");
    expect(again.status).toBe(409);
    expect(again.body).toMatchObject({ scimType: "uniqueness", status: "409" });
  });

  test("reads users page by page, in an order that stays", async () => {
    for (let made = 0; made < 3; made += 1) await client().createUser(user());

    const first = await client().list("/Users?startIndex=1&count=2");
    const second = await client().list("/Users?startIndex=3&count=2");
    const both = await client().list("/Users?startIndex=1&count=4");

    expect(first).toMatchObject({ itemsPerPage: 2, startIndex: 1 });
    expect([...first.Resources, ...second.Resources].map(({ id }) => id)).toEqual(
      both.Resources.map(({ id }) => id),
    );
  });

  test("updates a user by PUT, and keeps what it leaves out", async () => {
    const one = user();
    const id = await client().createUser(one);
    const { userName, externalId } = one;

    const { status, body } = await client().send("PUT", `/Users/${id}`, {
      schemas: ["urn:ietf:params:scim:schemas:core:2.0:User"],
      id,
      userName,
      name: { givenName: "Another", middleName: "Excited", familyName: "User" },
      emails: [
        { primary: true, value: "test.user@okta.local", type: "work", display: "test.user@okta.local" },
      ],
      active: true,
      groups: [],
      meta: { resourceType: "User" },
    });

    expect(status).toBe(200);
    expect(body).toMatchObject({ id, userName, externalId, active: true });
  });

  test("deactivates a user by PATCH, and by PUT", async () => {
    const [one, other] = [user(), user()];
    const ids = [await client().createUser(one), await client().createUser(other)];

    const patched = await client().patch(`/Users/${ids[0]}`, { op: "replace", value: { active: false } });
    const put = await client().send("PUT", `/Users/${ids[1]}`, { ...other, active: false });

    expect(patched).toMatchObject({ status: 200, body: { active: false } });
    expect(put).toMatchObject({ status: 200, body: { active: false } });
  });

  test("pushes a group with its members", async () => {
    const ids = [await client().createUser(user()), await client().createUser(user())];
    const [one = "", other = ""] = ids;
    const displayName = newName("Test SCIMv2");
    const id = await client().createGroup({ ...group(displayName), members: [] });
    const path = `/Groups/${id}`;

    await client().patch(path, { op: "replace", value: { id, displayName: `${displayName}0` } });
    const renamed = await client().read(path);
    await client().patch(path, {
      op: "replace",
      path: "members",
      value: ids.map((value) => ({ value, display: "test.user@okta.local" })),
    });
    const pushed = await membersOf(id);
    await client().patch(
      path,
      { op: "remove", path: `members[value eq "${one}"]` },
      { op: "add", path: "members", value: [{ value: other, display: "test.user@okta.local" }] },
    );
    const changed = await membersOf(id);
    const put = await client().send("PUT", path, {
      schemas: ["urn:ietf:params:scim:schemas:core:2.0:Group"],
      displayName,
      members: [{ value: one, display: "test.user@okta.local" }],
    });

    expect(renamed).toMatchObject({ displayName: `${displayName}0`, members: [] });
    expect(pushed).toEqual([...ids].sort());
    expect(changed).toEqual([other]);
    expect(put).toMatchObject({ status: 200, body: { id, displayName, members: [{ value: one }] } });
  });
});

describe("Authentik", () => {
  test("reads what is supported, and how many operations to send at once", async () => {
    const config = await client().read("/ServiceProviderConfig");

    expect(config).toMatchObject({
      patch: { supported: true },
      bulk: { supported: false, maxOperations: 1_000 },
      filter: { supported: true },
      etag: { supported: false },
    });
  });

  test("provisions a user by POST and PUT with its uid as the external id", async () => {
    const externalId = newName("b6d2f2a59d8e1fcd9d8cbbc31c3ab0a6e07c4e6ec1a7f3a52a1f1d7f7b8f9f10");
    const body = {
      schemas: ["urn:ietf:params:scim:schemas:core:2.0:User"],
      active: true,
      emails: [{ primary: true, type: "other", value: "anna@goauthentik.io" }],
      externalId,
      name: { familyName: " ", formatted: "Anna ", givenName: "Anna" },
      displayName: "Anna",
      userName: newName("anna"),
    };

    const id = await client().createUser(body);
    const { status, body: put } = await client().send("PUT", `/Users/${id}`, { ...body, id, active: false });

    expect(status).toBe(200);
    expect(put).toMatchObject({ id, externalId, active: false });
  });

  test("finds a group that exists already, and goes on with it", async () => {
    const one = { ...group(), externalId: newName("pk") };
    const id = await client().createGroup(one);

    const { status } = await client().send("POST", "/Groups", one);
    const filter = encodeURIComponent(`displayName eq "${one.displayName}"`);
    const found = await client().list(`/Groups?filter=${filter}`);

    expect(status).toBe(409);
    expect(found.Resources).toMatchObject([{ id }]);
  });

  test("renames a group by the whole of it, and adds and removes members one by one", async () => {
    const ids = [await client().createUser(user()), await client().createUser(user())];
    const [one = "", other = ""] = ids;
    const id = await client().createGroup(group());
    const displayName = newName("renamed");
    const path = `/Groups/${id}`;

    await client().patch(path, ...ids.map((value) => ({ op: "add", path: "members", value: [{ value }] })));
    await client().patch(path, {
      op: "replace",
      value: { ...group(displayName), id, externalId: newName("pk") },
    });
    const afterRename = await membersOf(id);
    await client().patch(path, { op: "remove", path: "members", value: [{ value: one }] });

    expect(afterRename).toEqual([...ids].sort());
    expect(await client().read(path)).toMatchObject({ displayName, members: [{ value: other }] });
  });
});

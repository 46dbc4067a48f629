/** PATCH: random sequences of operations, in the forms of several clients, come to what a plain model says. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { MemberChange } from "../../lib/scim/body.ts";
import { readGroupPatch, readUserPatch } from "../../lib/scim/patch.ts";

const IDS = ["a", "b", "c", "d"] as const;
const id = fc.constantFrom(...IDS);
const ids = fc.array(id, { maxLength: 4 });
const word = fc.constantFrom("one", "two", "Three");
/** Clients write operations in any case. */
const casing = (op: string) => fc.constantFrom(op, op.toUpperCase(), `${op[0]?.toUpperCase()}${op.slice(1)}`);

type GroupModel = { displayName: string; externalId: string | null; members: Set<string> };
type UserModel = { userName: string; externalId: string | null; active: boolean };
/** An operation as a client sends it, and what it does to the model. */
type Step<Model> = { readonly operation: Record<string, unknown>; readonly apply: (model: Model) => void };

const step = <Model>(
  op: string,
  rest: Record<string, unknown>,
  apply: (model: Model) => void,
): fc.Arbitrary<Step<Model>> => casing(op).map((written) => ({ operation: { op: written, ...rest }, apply }));

const shapes = (list: readonly string[]) =>
  fc.constantFrom(
    list.map((value) => ({ value })),
    list.map((value) => ({ value, display: "somebody", $ref: null })),
    [...list],
  );

const groupStep: fc.Arbitrary<Step<GroupModel>> = fc.oneof(
  ids.chain((list) =>
    shapes(list).chain((value) =>
      step<GroupModel>("add", { path: "members", value }, ({ members }) => {
        for (const one of list) members.add(one);
      }),
    ),
  ),
  ids.chain((list) =>
    shapes(list).chain((value) =>
      step<GroupModel>("replace", { path: "members", value }, (model) => {
        model.members = new Set(list);
      }),
    ),
  ),
  ids.chain((list) =>
    shapes(list).chain((value) =>
      step<GroupModel>("remove", { path: "members", value }, ({ members }) => {
        for (const one of list) members.delete(one);
      }),
    ),
  ),
  id.chain((one) =>
    step<GroupModel>("remove", { path: `members[value eq "${one}"]` }, ({ members }) => {
      members.delete(one);
    }),
  ),
  step<GroupModel>("remove", { path: "members" }, ({ members }) => members.clear()),
  word.chain((displayName) =>
    step<GroupModel>("replace", { path: "displayName", value: displayName }, (model) => {
      model.displayName = displayName;
    }),
  ),
  fc.tuple(word, ids).chain(([displayName, list]) =>
    step<GroupModel>(
      "replace",
      { value: { id: "ours", DISPLAYNAME: displayName, members: list.map((value) => ({ value })) } },
      (model) => {
        model.displayName = displayName;
        model.members = new Set(list);
      },
    ),
  ),
  word.chain((externalId) =>
    step<GroupModel>("add", { value: { externalId, members: null, unknown: {} } }, (model) => {
      model.externalId = externalId;
    }),
  ),
  step<GroupModel>("remove", { path: "externalId" }, (model) => {
    model.externalId = null;
  }),
);

const userStep: fc.Arbitrary<Step<UserModel>> = fc.oneof(
  fc.boolean().chain((active) =>
    fc.constantFrom<unknown>(active, String(active), active ? "True" : "False").chain((value) =>
      step<UserModel>("replace", { path: "active", value }, (model) => {
        model.active = active;
      }),
    ),
  ),
  word.chain((userName) =>
    step<UserModel>(
      "replace",
      { path: "urn:ietf:params:scim:schemas:core:2.0:User:userName", value: userName },
      (model) => {
        model.userName = userName;
      },
    ),
  ),
  fc.tuple(word, fc.boolean()).chain(([externalId, active]) =>
    step<UserModel>(
      "add",
      {
        value: {
          externalId,
          "name.givenName": "x",
          "urn:ietf:params:scim:schemas:core:2.0:User": { active },
        },
      },
      (model) => {
        model.externalId = externalId;
        model.active = active;
      },
    ),
  ),
  step<UserModel>("remove", { path: "externalId" }, (model) => {
    model.externalId = null;
  }),
  step<UserModel>("replace", { path: 'emails[type eq "work"].value', value: "a@b.c" }, () => undefined),
  step<UserModel>("remove", { path: "emails" }, () => undefined),
);

/** What writing does with the members that a group has. */
function membersAfter(before: readonly string[], change: MemberChange | undefined): Set<string> {
  const after = new Set(change?.others === "leave" ? [] : before);
  for (const [one, isIn] of change?.isIn ?? []) {
    if (isIn) after.add(one);
    else after.delete(one);
  }
  return after;
}

const body = (steps: readonly Step<never>[]) => ({ Operations: steps.map(({ operation }) => operation) });

describe("readGroupPatch()", () => {
  test("comes to what the operations do one by one", () => {
    fc.assert(
      fc.property(ids, fc.array(groupStep, { minLength: 1, maxLength: 12 }), (before, steps) => {
        const model: GroupModel = { displayName: "zero", externalId: "zero", members: new Set(before) };
        for (const { apply } of steps) apply(model);

        const read = readGroupPatch(body(steps));

        if ("fault" in read) throw new Error(read.fault.detail);
        const { group, members } = read.value;
        const after = membersAfter(before, members);
        expect({ displayName: "zero", externalId: "zero", ...group, members: after }).toEqual(model);
      }),
      { numRuns: 500 },
    );
  });
});

describe("readGroupPatch() with a path that goes on behind a member", () => {
  test.each([
    ["remove", undefined],
    ["replace", "Anna"],
    ["add", "Anna"],
  ])("leaves the members as they are at %s", (op, value) => {
    const read = readGroupPatch({ Operations: [{ op, path: 'members[value eq "a"].display', value }] });

    expect(read).toEqual({ value: { group: {}, members: undefined } });
  });

  test("takes the member's own id for the member", () => {
    const read = readGroupPatch({ Operations: [{ op: "remove", path: 'Members[value eq "a"].value' }] });

    expect(read).toMatchObject({ value: { members: { isIn: new Map([["a", false]]) } } });
  });
});

describe("readUserPatch()", () => {
  test("comes to what the operations do one by one", () => {
    fc.assert(
      fc.property(fc.array(userStep, { minLength: 1, maxLength: 12 }), (steps) => {
        const model: UserModel = { userName: "zero", externalId: "zero", active: true };
        for (const { apply } of steps) apply(model);

        const read = readUserPatch(body(steps));

        if ("fault" in read) throw new Error(read.fault.detail);
        const { userName = "zero", externalId = "zero", isActive = true } = read.value;
        expect({ userName, externalId, active: isActive }).toEqual(model);
      }),
      { numRuns: 500 },
    );
  });

  test("reads any JSON without throwing", () => {
    fc.assert(
      fc.property(fc.object(), fc.array(fc.object()), (whole, operations) => {
        for (const read of [readUserPatch, readGroupPatch]) {
          read(whole);
          read({ Operations: operations });
        }
      }),
    );
  });
});

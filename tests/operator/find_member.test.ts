/** Whom an operator means: an id wins over a subject, a subject over a username, and nobody is guessed. */
import { beforeEach, describe, expect, test } from "bun:test";
import { createQueries } from "../../lib/database/queries.ts";
import { findLinkOf, findMember } from "../../lib/operator/find_member.ts";
import { addLinkOf } from "../fixtures/stored_link.ts";
import { useDatabase } from "../harness/hooks.ts";

const database = useDatabase();

const find = async (member: string) => {
  const found = await findMember({ queries: createQueries(database.db) }, member);
  return "link" in found ? found.link.discordUserId : found.candidates.map((link) => link.discordUserId);
};

describe("findMember()", () => {
  beforeEach(async () => {
    const add = (discordUserId: string, username: string, subject: string, claims: object) =>
      addLinkOf(database, { discordUserId, username, subject, claims });
    await add("1", "anna", "sub-anna", { preferred_username: "anna.andersson" });
    await add("2", "bo", "anna", { preferred_username: "bo" });
    await add("3", "2", "3-subject", { preferred_username: ["odd"] });
    await add("4", "cecilia", "sub-c", { preferred_username: "common" });
    await add("5", "common", "sub-d", {});
  });

  test.each([
    ["a Discord user id", "1", "1"],
    ["an id, though it is somebody's username", "2", "2"],
    ["a subject, though it is somebody's username", "anna", "2"],
    ["a username at Discord", "cecilia", "4"],
    ["a username at the organisation", "anna.andersson", "1"],
    ["one member by both usernames", "bo", "2"],
    ["several members of one username", "common", ["4", "5"]],
    ["nobody", "anna.anders", []],
    ["nobody for a pattern", "%", []],
    ["nobody for another case", "CECILIA", []],
    ["nobody for nothing", "", []],
  ] as const)("finds %s", async (_, member, expected) => {
    expect(await find(member)).toEqual(typeof expected === "string" ? expected : [...expected]);
  });

  test("lists twenty of many, and says that there are more", async () => {
    for (let id = 100; id < 121; id++)
      await addLinkOf(database, { discordUserId: String(id), username: "many", subject: `many-${id}` });

    const found = await findMember({ queries: createQueries(database.db) }, "many");

    expect(found).toMatchObject({ hasMore: true });
    expect("candidates" in found && found.candidates.length).toBe(20);
  });
});

test("findLinkOf() finds a link by the id of its Discord user, and by nothing that others may choose", async () => {
  const queries = createQueries(database.db);
  await addLinkOf(database, { discordUserId: "600", username: "700", subject: "701", claims: {} });
  await addLinkOf(database, {
    discordUserId: "601",
    username: "702",
    subject: "703",
    claims: { preferred_username: "704" },
  });

  const found = await Promise.all(
    ["600", "601", "700", "701", "702", "703", "704", "", "%"].map((id) => findLinkOf({ queries }, id)),
  );

  expect(found.map((link) => link?.discordUserId)).toEqual(["600", "601", ...Array(7).fill(undefined)]);
});

/** The metadata records: Discord accepts them, and they are the ones that role connections answer. */
import { describe, expect, test } from "bun:test";
import { METADATA_RECORDS } from "../../lib/rules/records.ts";
import { buildRoleConnection } from "../../lib/rules/role_connection.ts";
import { checkRecords } from "../standins/discord_limits.ts";

describe("METADATA_RECORDS", () => {
  test("has valid records, one for each key that is pushed", () => {
    const taken = checkRecords(JSON.parse(JSON.stringify(METADATA_RECORDS)));

    expect(taken).toEqual(METADATA_RECORDS);
    const keys = METADATA_RECORDS.map(({ key }) => key);
    expect(keys).toEqual(Object.keys(buildRoleConnection("D-sektionen", {}).metadata));
    expect(METADATA_RECORDS.find(({ key }) => key === "dsek_member")?.type).toBe(7);
  });
});

/** The metadata records: Discord accepts them in every language, and role connections answer them. */
import { describe, expect, test } from "bun:test";
import { METADATA_RECORDS } from "../../lib/pages/metadata_records.ts";
import { LANGUAGES, TEXTS } from "../../lib/pages/texts/languages.ts";
import { RECORDS } from "../../lib/rules/records.ts";
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

  test.each([...LANGUAGES])("names each record in %s as its texts do", (language) => {
    const { locale, records } = TEXTS[language];

    for (const [index, { key }] of RECORDS.entries()) {
      const record = METADATA_RECORDS[index];
      const { name, description } = records[key];
      const own = {
        name_localizations: { [locale]: name },
        description_localizations: { [locale]: description },
      };
      expect(record?.key).toBe(key);
      expect(record).toMatchObject(language === "en" ? { name, description } : own);
    }
  });
});

/** The configuration of a server: its variables and its rules, whose faults are told together. */
import { describe, expect, test } from "bun:test";
import { chmod } from "node:fs/promises";
import { join } from "node:path";
import { describeRules, findUntold, readConfiguration, readRules } from "../../lib/operator/configuration.ts";
import { DEFAULT_RULES } from "../../lib/rules/rule_set.ts";
import { writeRules } from "../fixtures/rules_file.ts";
import { useFolder } from "../harness/hooks.ts";
import { environmentFor } from "../harness/janus.ts";
import { rejection } from "../harness/rejection.ts";

const STANDIN = {
  apiUrl: "http://127.0.0.1:9",
  authorizeUrl: "http://127.0.0.1:9",
  cdnUrl: "http://127.0.0.1:9",
};
const GOOD = environmentFor("https://janus.example.org", STANDIN, "https://auth.example.org");
const RECORD = `[[record]]
key = "member"
type = "boolean_equal"
name = "Member"
description = "Is a member"
`;

const folder = useFolder("configuration");

describe("readConfiguration()", () => {
  test("reads the variables and the rules", async () => {
    const file = await writeRules(folder, `${RECORD}value = 'claims.member'`);

    const { config, rules } = await readConfiguration({ ...GOOD, ...file });

    expect(config.publicUrl).toBe("https://janus.example.org");
    expect(rules.claimsRead).toEqual(["member"]);
    expect(describeRules(rules)).toBe(`${file.RULES_FILE} with 1 record: member`);
  });

  test.each([{}, { RULES_FILE: "" }])("takes the default rules without a file: %j", async (environment) => {
    const { rules } = await readConfiguration({ ...GOOD, ...environment });

    expect(rules).toBe(DEFAULT_RULES);
    expect(describeRules(rules)).toBe("no RULES_FILE: everyone who can sign in gets dsek_member");
  });

  test("tells the faults of both together, those of the rules with their places", async () => {
    const file = await writeRules(folder, `${RECORD}value = 'claims.member +'\nunknown_key = 1`);

    const { code, message } = await rejection(readConfiguration({ ...GOOD, PORT: "canary", ...file }));

    expect(code).toBe("config_invalid");
    expect(message).toContain("The configuration has 1 fault:\n  PORT must be");
    expect(message).toContain("\nThe rules have 2 faults:\n");
    expect(message).toContain(`\n  ${file.RULES_FILE}:6:`);
    expect(message).toContain(`\n  ${file.RULES_FILE}:7:`);
    expect(message).toContain('record "member": ');
    expect(message).not.toContain("canary");
  });

  test("tells no more faults than anybody reads", async () => {
    const file = await writeRules(
      folder,
      Array.from({ length: 500 }, (_, n) => `unknown_${n} = 1`).join("\n"),
    );

    const { message } = await rejection(readConfiguration({ ...GOOD, ...file }));

    expect(message.split("\n").length).toBeLessThan(60);
    expect(message).toMatch(/\n {2}and \d+ more$/);
  });

  test.each([
    ["missing", async () => join(folder, "missing.toml"), "cannot be read (ENOENT)"],
    ["a folder", async () => folder, "something that is not a file"],
    [
      "of a megabyte",
      async () => (await writeRules(folder, "#".repeat(1_048_576))).RULES_FILE,
      "a file of more than 256 KiB",
    ],
    [
      "not text",
      async () => {
        const path = join(folder, "binary.toml");
        await Bun.write(path, new Uint8Array([0xff, 0xfe, 0x00]));
        return path;
      },
      "a file that is not text in UTF-8",
    ],
  ] as const)("tells once of a file that is %s", async (_, make, fault) => {
    const path = await make();

    const { code, message } = await rejection(readConfiguration({ ...GOOD, RULES_FILE: path }));

    expect(code).toBe("config_invalid");
    expect(message.split("RULES_FILE")).toHaveLength(2);
    expect(message).toContain(fault);
    expect(message).not.toContain(folder);
  });

  test.skipIf(process.getuid?.() === 0)("tells of a file that it may not read", async () => {
    const { RULES_FILE } = await writeRules(folder, `${RECORD}value = 'true'`);
    await chmod(RULES_FILE, 0);

    expect((await rejection(readConfiguration({ ...GOOD, RULES_FILE }))).message).toContain("(EACCES)");
  });
});

describe("findUntold()", () => {
  test("warns of rules that read sources.scim where no SCIM client tells anything", async () => {
    const rules = await readRules(await writeRules(folder, `${RECORD}value = 'sources.scim.active'`));

    expect(findUntold(rules, {})).toEqual([
      expect.stringContaining("RULES_FILE reads sources.scim while SCIM_TOKEN is unset"),
    ]);
    expect(findUntold(rules, { SCIM_TOKEN: "canary" })).toEqual([]);
    expect(findUntold(rules, { SCIM_TOKEN_FILE: "canary" })).toEqual([]);
    expect(findUntold(DEFAULT_RULES, {})).toEqual([]);
  });
});

describe("readRules()", () => {
  test("reads them whatever the other variables are", async () => {
    const file = await writeRules(folder, `${RECORD}value = 'true'`);

    expect((await readRules({ ...file, PORT: "canary" })).records).toHaveLength(1);
  });
});

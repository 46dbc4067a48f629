/** Rules over what real providers say, and the rules that the documentation shows. */
import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { keepClaims } from "../../lib/rules/claims.ts";
import { evaluateRules } from "../../lib/rules/evaluate.ts";
import { parseRules } from "../../lib/rules/file.ts";
import * as sets from "../fixtures/claim_sets.ts";
import { factsOf, recordOf, rulesOf } from "../fixtures/rules.ts";

const ROOT = join(import.meta.dir, "../..");
const GRAPH = '[[source]]\nname = "graph"\nurl = "https://graph.example.org/me"\n';

const YES = { outcome: "value", value: "1" };
const NO = { outcome: "value", value: "0" };
const missing = (path: string) => ({ outcome: "unknown", missing: path });
const number = (value: string) => ({ outcome: "value", value });
const ERROR = { outcome: "error", reason: expect.any(String) };

const GROUP = "f2f6b0c1-6ac8-4c39-9f4c-5b1d6e9b6d0e";
const ZITADEL_ROLES = 'claims["urn:zitadel:iam:org:project:roles"]';
const ZITADEL_MEMBER = `"urn:zitadel:iam:org:project:roles" in claims && "member" in ${ZITADEL_ROLES}`;
const ENTRA_MEMBER = `(has(claims.groups) || has(claims._claim_names)) && "${GROUP}" in claims.groups`;
const ONE_OR_SEVERAL = 'claims.groups == "members" || "members" in claims.groups';

const ROWS: readonly (readonly [
  provider: string,
  claims: object,
  expression: string,
  expected: unknown,
  type?: string,
])[] = [
  ["Authentik", sets.AUTHENTIK, '"members" in claims.groups', YES],
  ["Authentik", sets.AUTHENTIK, '"Members" in claims.groups', NO],
  ["Authentik", sets.AUTHENTIK, 'claims.groups.exists(g, g.lowerAscii() == "authentik admins")', YES],
  ["Authentik", sets.AUTHENTIK, "size(claims.groups)", number("3"), "integer_equal"],
  ["Authentik", sets.AUTHENTIK, '"discord-member" in claims.entitlements', missing("claims.entitlements")],
  [
    "Authentik with entitlements",
    sets.AUTHENTIK_ENTITLEMENTS,
    '"discord-member" in claims.entitlements',
    YES,
  ],
  ["Authentik with entitlements", sets.AUTHENTIK_ENTITLEMENTS, '"discord-staff" in claims.entitlements', NO],
  ["Keycloak", sets.KEYCLOAK, '"member" in claims.realm_access.roles', YES],
  ["Keycloak", sets.KEYCLOAK, '"board" in claims.resource_access.janus.roles', YES],
  ["Keycloak", sets.KEYCLOAK, '"board" in claims.resource_access["janus"].roles', YES],
  [
    "Keycloak",
    sets.KEYCLOAK,
    '"x" in claims.resource_access.other.roles',
    missing("claims.resource_access.other"),
  ],
  ["Keycloak", sets.KEYCLOAK, 'claims.groups.exists(g, g == "/staff" || g.startsWith("/staff/"))', YES],
  ["Keycloak", sets.KEYCLOAK, 'claims.groups.exists(g, g == "/staf" || g.startsWith("/staf/"))', NO],
  ["Keycloak", sets.KEYCLOAK, "claims.email_verified", NO],
  ["Zitadel", sets.ZITADEL, `"member" in ${ZITADEL_ROLES}`, YES],
  ["Zitadel", sets.ZITADEL, `"staff" in ${ZITADEL_ROLES}`, NO],
  ["Zitadel", sets.ZITADEL, `${ZITADEL_ROLES}.exists(r, r.startsWith("bo"))`, YES],
  ["Zitadel", sets.ZITADEL, `size(${ZITADEL_ROLES})`, number("2"), "integer_equal"],
  ["Zitadel without a role", sets.ZITADEL_NONE, `"member" in ${ZITADEL_ROLES}`, missing(ZITADEL_ROLES)],
  ["Zitadel without a role", sets.ZITADEL_NONE, ZITADEL_MEMBER, NO],
  ["Zitadel", sets.ZITADEL, ZITADEL_MEMBER, YES],
  ["Dex", sets.DEX, '"guild:board" in claims.groups', YES],
  ["Dex", sets.DEX, 'has(claims.groups) && "guild:board" in claims.groups', YES],
  ["Dex without a group", sets.DEX_NONE, '"guild:board" in claims.groups', missing("claims.groups")],
  ["Dex without a group", sets.DEX_NONE, 'has(claims.groups) && "guild:board" in claims.groups', NO],
  ["Dex", sets.DEX, 'claims.federated_claims.connector_id == "github"', YES],
  ["Entra ID", sets.ENTRA, `"${GROUP}" in claims.groups`, YES],
  ["Entra ID", sets.ENTRA, '"Member" in claims.roles', YES],
  ["Entra ID past 200 groups", sets.ENTRA_OVERAGE, `"${GROUP}" in claims.groups`, missing("claims.groups")],
  ["Entra ID past 200 groups", sets.ENTRA_OVERAGE, "has(claims._claim_names.groups)", YES],
  ["Entra ID", sets.ENTRA, ENTRA_MEMBER, YES],
  ["Entra ID past 200 groups", sets.ENTRA_OVERAGE, ENTRA_MEMBER, missing("claims.groups")],
  ["Entra ID without a group", sets.ENTRA_NONE, ENTRA_MEMBER, NO],
  ["Google Workspace", sets.GOOGLE, 'claims.hd == "example.org"', YES],
  ["Google Workspace", sets.GOOGLE, 'claims.email_verified && claims.email.endsWith("@example.org")', YES],
  ["Google without an organisation", sets.GOOGLE_PRIVATE, 'claims.hd == "example.org"', missing("claims.hd")],
  ["Google without an organisation", sets.GOOGLE_PRIVATE, 'has(claims.hd) && claims.hd == "example.org"', NO],
  ["LemonLDAP with one group", sets.LEMONLDAP_ONE, '"members" in claims.groups', ERROR],
  ["LemonLDAP with one group", sets.LEMONLDAP_ONE, ONE_OR_SEVERAL, YES],
  ["LemonLDAP with several groups", sets.LEMONLDAP_SEVERAL, ONE_OR_SEVERAL, YES],
  ["LemonLDAP without groups", sets.LEMONLDAP_NONE, ONE_OR_SEVERAL, missing("claims.groups")],
  ["LemonLDAP without groups", sets.LEMONLDAP_NONE, `has(claims.groups) && (${ONE_OR_SEVERAL})`, NO],
];

describe("rules over the claims of", () => {
  test.each(
    ROWS.map(([provider, claims, expression, expected, type = "boolean_equal"]) => ({
      provider,
      claims,
      expression,
      expected,
      type,
    })),
  )("$provider: $expression", async ({ claims, expression, expected, type }) => {
    const rules = await rulesOf(recordOf(expression, type));
    const kept = keepClaims(rules, JSON.parse(JSON.stringify(claims)));

    expect(evaluateRules(rules, factsOf(kept)).records[0]?.outcome).toEqual(expected as never);
  });

  test.each([
    [GROUP, YES],
    ["0f3a1a77-3f0e-4d57-8b59-6c3f5a1d2e4b", NO],
  ])("Entra's graph: %s", async (group, expected) => {
    const rules = await rulesOf(recordOf(`sources.graph.value.exists(g, g.id == "${group}")`) + GRAPH);
    const facts = factsOf({}, { sources: { graph: sets.ENTRA_GRAPH } });

    expect(evaluateRules(rules, facts).records[0]?.outcome).toEqual(expected as never);
  });
});

describe("the documentation", () => {
  test.each(["docs/rules.md", "docs/providers.md"])("shows rules that Janus accepts: %s", async (path) => {
    const text = await Bun.file(join(ROOT, path)).text();
    const files = [...text.matchAll(/```toml\n([\s\S]*?)```/g)].map(([, toml = ""]) => toml);

    expect(files.length).toBeGreaterThan(0);
    for (const toml of files) expect(await parseRules(path, toml)).toHaveProperty("rules");
  });

  test("shows expressions that Janus accepts, in the table of docs/rules.md", async () => {
    const text = await Bun.file(join(ROOT, "docs/rules.md")).text();
    const [, table = ""] = /\| you want \| expression \|\n\|---\|---\|\n([\s\S]*?)\n\n/.exec(text) ?? [];
    const expressions = [...table.matchAll(/\| `(.*)` \|$/gm)].map(([, expression = ""]) => expression);

    expect(expressions.length).toBeGreaterThan(8);
    for (const expression of expressions) {
      const username = `platform_username = '''string(${expression})'''\n${recordOf("true")}`;
      const parsed = await Promise.all([
        parseRules("r", recordOf(expression)),
        parseRules("r", recordOf(expression, "integer_equal")),
        parseRules("r", recordOf(expression, "datetime_less_than_or_equal")),
        parseRules("r", username),
      ]);
      expect(parsed.some((one) => "rules" in one)).toBe(true);
    }
  });

  test("has a file of rules that can be used as it is, and with its comments removed", async () => {
    const text = await Bun.file(join(ROOT, "example.rules.toml")).text();
    const whole = text.replaceAll(/^# (?=\[|[a-z.]+ = )/gm, "");

    expect((await rulesOf(text)).records.map(({ type }) => type)).toEqual([
      "boolean_equal",
      "integer_greater_than_or_equal",
      "datetime_less_than_or_equal",
    ]);
    expect((await rulesOf(whole)).admit?.message).toHaveProperty("de");
    expect(whole).toContain("\n[[source]]");
  });
});

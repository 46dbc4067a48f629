/** The part of CEL that rules may use: what cannot be limited before it runs is refused, with what to use instead. */
import { describe, expect, test } from "bun:test";
import { readRule } from "../../lib/rules/rule.ts";

describe("readRule()", () => {
  test.each([
    ['claims.a.matches("^a+$")', "use startsWith(), endsWith() or contains()"],
    ['claims.a.map(x, x + "a") == []', "map() is not available in rules: use exists()"],
    ['claims.a.join(",") == "a"', "join() is not available"],
    ["cel.bind(a, claims.b, a == a)", "write the expression twice"],
    ['b"abc" == claims.a', "bytes and unsigned numbers"],
    ["claims.a == 3u", "bytes and unsigned numbers"],
    ["type(claims.a) == string", "type() is not available in rules (docs/rules.md"],
    ["claims.a.contains(claims.b)", "contains() needs a text in quotes"],
    ["claims.a.split(claims.b)[0] == claims.a", "split() needs a text in quotes"],
    ["claims.a.indexOf(claims.b) > 1", "indexOf() needs a text in quotes"],
    ["now - duration(claims.a) < now", "duration() needs a text in quotes"],
    ['now - duration("a month") < now', 'such as "720h" or "1h30m"'],
    [`now - duration("${"1".repeat(3_900)}") < now`, "duration() needs one to three lengths of time"],
    ["now.getDayOfYear() == 1", "it is wrong where clocks change"],
    ['has(claims["urn:x"])', 'write "the name" in claims'],
    ['["a", "b"].exists(x, ["c", "d"].exists(y, y == "c"))', "can only run over a part of x"],
    [
      `[${"1,".repeat(900)}1].all(x, ${"x == 1 && ".repeat(200)}true)`,
      "the expression takes too long, whatever the claims are",
    ],
    [`"${",".repeat(3_000)}".split(",").exists(x, ${"x == 'b' || ".repeat(50)}true)`, "takes too long"],
    ['discord["\u001b[31m"] == "a"', "discord.\\u{1b}[31m does not exist"],
    ['sources["\u009b31m"].a == "a"', "sources.\\u{9b}31m is not declared"],
    ["claims.a \u001b[31m", "Unexpected character: \\u{1b}"],
    ["now.getHours(claims.zone) > 5", "needs the name of a time zone in quotes"],
    ['now.getHours("Mars/Olympus") > 5', "needs the name of a time zone in quotes"],
    ['claims.a.exists(x, timestamp(x).getHours("Europe/Stockholm") > 5)', "it is slow"],
    [
      "claims.a.exists(x, claims.b.exists(y, x == y))",
      "within a macro, exists() can only run over a part of x",
    ],
    ["claims.a.exists(x, x in claims.b)", "claims cannot be read within a macro"],
    ["claims.a.exists(x, x.exists(y, y == x))", "x is not known here: a macro reads its own variable y"],
    ['claims.a.exists(x, issuer.split("a").exists(y, y == "b"))', "within a macro"],
    ["claims.a.exists(x, x + x == 'aa')", "+ is not available within a macro"],
    ["claims.a.exists(x, [x, x] == [])", "a list or a map can only have constant parts"],
    ['claims.a.exists(x, {"a": x} == {})', "a list or a map can only have constant parts"],
    ['claims.a.exists(x, x.split(",") == [])', "split() is not available within a macro"],
    ["claims.a.exists(claims, true)", "claims is already the name of a variable"],
    ["claims.a.exists(x)", "needs a variable and a condition"],
    ["claims.a.exists(x, y, true)", "needs a variable and a condition"],
    ["size(claims) > 3", "name the part of claims that the rule reads, such as claims.groups"],
    ["claims.exists(x, x == 'a')", "name the part of claims"],
    ["claims.a in claims", "name the part of claims"],
    ["has(sources.a)", "sources.a is not declared"],
    ["sources == claims.a", "name the part of sources"],
    ["discord.email == 'a'", "discord.email does not exist: there are id, username, created_at"],
    ["google.protobuf.Timestamp == type(now)", "not"],
  ])("refuses %s, with what to do", (expression, words) => {
    const rule = readRule(expression, "boolean", []);

    expect("reason" in rule ? rule.reason : "accepted").toContain(words);
  });

  test.each([
    ['"a" in claims.groups', ["groups"]],
    ['claims["urn:zitadel:iam:org:project:roles"].admin != {}', ["urn:zitadel:iam:org:project:roles"]],
    ['"urn:x" in claims && has(claims.a.b)', ["urn:x", "a"]],
    ['claims.realm_access.roles.exists(r, r in ["a", "b"])', ["realm_access"]],
    ['claims.orgs.exists(o, o.roles.exists(r, r == "admin"))', ["orgs"]],
    ['claims.orgs.exists(o, o.roles.filter(r, r.startsWith("a")).size() > 1)', ["orgs"]],
    ['claims.email.split("@")[1] == "example.org"', ["email"]],
    ["claims.a + claims.b == [claims.c]", ["a", "b", "c"]],
    ["claims.a[claims.b] == -1", ["a", "b"]],
    ['timestamp(claims.at).getFullYear("Europe/Stockholm") > 2020', ["at"]],
    ["claims.list.all(x, x > 1 ? true : x == -1 || issuer == subject)", ["list"]],
    ['claims.name.lowerAscii().trim().contains("a")', ["name"]],
    ["discord.created_at < now - duration('720h')", []],
    ['now - duration("-1h30m1.5s") < now', []],
    ['["a", "b"].exists(x, x == issuer)', []],
  ])("accepts %s, and finds the claims that it reads", (expression, claims) => {
    const rule = readRule(expression, "boolean", []);

    expect("reason" in rule ? rule.reason : rule.claimsRead).toEqual(claims);
  });

  test.each([
    ["discord.username == 'a'", true],
    ["linked_at < now", true],
    ["claims.a.exists(x, x == discord.username)", true],
    ["issuer == subject && claims.a", false],
  ])("says whether %s reads the Discord account", (expression, readsAccount) => {
    expect(readRule(expression, "boolean", [])).toMatchObject({ readsAccount });
  });
});

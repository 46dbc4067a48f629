/** The people of the demo: what the organisation says of each, and their accounts at Discord. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { DiscordUser } from "./standins/discord.ts";
import type { ProviderUser } from "./standins/provider.ts";

/** Somebody who can sign in at the provider. */
export type Person = ProviderUser & { readonly about: string };

/** Each shows another outcome of the rules. */
export const PEOPLE: readonly Person[] = [
  person(
    "anna",
    "Anna Andersson",
    "A member in two committees, one of which administers: open /admin at Janus.",
    {
      ...student("anna"),
      groups: ["members", "committee-board", "committee-party"],
    },
  ),
  person("bo", "Bo Bengtsson", "A member in no committee.", { ...student("bo"), groups: ["members"] }),
  person("cleo", "Cleo Carlsson", "A partner from outside the university.", {
    email: "cleo@company.example",
    email_verified: true,
    groups: ["partners"],
  }),
  person("dani", "Dani Dahl", "A student whose groups the provider does not know.", student("dani")),
  person("eli", "Eli Ek", "Somebody whose address the provider does not know.", { groups: ["members"] }),
];

/** The accounts at Discord, one for each of them, made in different years. Anybody may use any. */
export const DISCORD_USERS: readonly DiscordUser[] = [
  {
    id: "300000000000000001",
    username: "anna.a",
    globalName: "Anna",
    avatar: "a1b2c3d4e5f60718293a4b5c6d7e8f90",
  },
  { id: "81000000000000002", username: "bosse", globalName: null, avatar: null },
  {
    id: "700000000000000003",
    username: "cleo_c",
    globalName: "Cleo",
    avatar: "0f1e2d3c4b5a69788796a5b4c3d2e1f0",
  },
  { id: "1000000000000000004", username: "dani_d", globalName: "Dani", avatar: null },
  { id: "1300000000000000005", username: "eli.ek", globalName: "Eli", avatar: null },
];

/** The example that operators start from, with the parts that say who may link and who administers. */
export function readDemoRules(): string {
  const example = readFileSync(join(import.meta.dir, "..", "example.rules.toml"), "utf8");
  const parts = /^# \[(?:admit|admin)\]\n(?:# .*\n)+/gm;
  return example.replace(parts, (part) => part.replaceAll(/^# /gm, ""));
}

function person(
  login: string,
  name: string,
  about: string,
  claims: Readonly<Record<string, unknown>>,
): Person {
  const own = { preferred_username: login, name, ...claims };
  return { login, sub: `sub-of-${login}`, name, email: "", groups: [], claims: own, about };
}

function student(login: string) {
  return { email: `${login}@student.example.org`, email_verified: true };
}

/** Whose accounts there are in the kill test: a person has two at Discord and two at the organisation. */
import { nameOf } from "./browser.ts";

/** How many accounts a person has on each side. */
export const ACCOUNTS = 2;
const SNOWFLAKE = 900_000_000_000_000_000n;
/** What tells them apart. */
export const places = Array.from({ length: ACCOUNTS }, (_, place) => place);

/** The Discord account of a person at a place. */
export const userIdOf = (person: number, place: number): string =>
  String(SNOWFLAKE + BigInt(person * 10 + place));

/** All accounts of so many persons, for the two servers. */
export function accountsOf(persons: number) {
  const numbers = Array.from({ length: persons }, (_, person) => person);
  const all = numbers.flatMap((person) => places.map((place) => ({ person, place })));
  return {
    users: all.map(({ person, place }) => ({
      id: userIdOf(person, place),
      username: nameOf("disc", person, place),
      globalName: null,
    })),
    organisation: all.map(({ person, place }) => {
      const login = nameOf("org", person, place);
      return {
        login,
        sub: `sub-of-${login}`,
        name: login,
        email: `${login}@example.org`,
        groups: ["members"],
      };
    }),
  };
}

/** Ids of Discord as people copy them. */
import { expect, test } from "bun:test";
import { isDiscordId } from "../../lib/text/discord_id.ts";

test.each(["21154535154122752", "1111111111111111111", "18446744073709551615"])("%s is an id", (text) => {
  expect(isDiscordId(text)).toBe(true);
});

test.each([
  "",
  "1234567890123456",
  "012345678901234567",
  "123456789012345678901",
  "1.2345678901234568e+17",
  "１２３４５６７８９０１２３４５６７",
  " 21154535154122752",
  "21154535154122752\n",
])("%j is no id", (text) => {
  expect(isDiscordId(text)).toBe(false);
});

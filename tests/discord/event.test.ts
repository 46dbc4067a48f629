/** What Janus reads of an event: above all its time, which Discord writes without a zone. */
import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { readEvent } from "../../lib/discord/event.ts";
import { asDiscordWrites, deauthorization } from "../fixtures/discord_events.ts";
import { ROOT } from "../fixtures/source.ts";
import { DISCORD_CLIENT_ID } from "../harness/janus.ts";

const AT = new Date("2026-11-28T12:00:00.123Z");
const USER = "200000000000000001";

function read(timestamp: string) {
  const right = deauthorization(USER, AT);
  const body = Buffer.from(JSON.stringify({ ...right, event: { ...right.event, timestamp } }));
  return readEvent(body, DISCORD_CLIENT_ID);
}

describe("readEvent()", () => {
  test.each([
    asDiscordWrites(AT),
    "2026-11-28T12:00:00.123456",
    "2026-11-28T12:00:00.123Z",
    "2026-11-28T13:00:00.123+01:00",
    "2026-11-28T07:00:00.123-05:00",
  ])("reads the time %s", (timestamp) => {
    expect(read(timestamp)).toEqual({ kind: "deauthorized", discordUserId: USER, happenedAt: AT });
  });

  test.each([
    "2026-11-28",
    "28 Nov 2026 12:00:00",
    "1764331200",
    "2026-11-28T12:00",
    "2026-11-28T12:00:00 Z",
    "0000-01-01T00:00:00",
  ])("refuses the time %s", (timestamp) => {
    expect(read(timestamp)).toBeUndefined();
  });

  test("reads a time without a zone as UTC, wherever the process is", async () => {
    const program = `
      const { readEvent } = await import(${JSON.stringify(join(ROOT, "lib/discord/event.ts"))});
      const event = readEvent(Buffer.from(${JSON.stringify(JSON.stringify(deauthorization(USER, AT)))}), "${DISCORD_CLIENT_ID}");
      console.log(new Date().getTimezoneOffset() !== 0, event.happenedAt.toISOString());`;
    const { stdout } = Bun.spawn([process.execPath, "-e", program], {
      env: { ...process.env, TZ: "Pacific/Auckland" },
      stdout: "pipe",
    });

    expect((await new Response(stdout).text()).trim()).toBe("true 2026-11-28T12:00:00.123Z");
  });
});

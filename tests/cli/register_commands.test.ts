/** `janus register` and the slash commands: which Discord gets, what is asked before, and what is left alone. */
import { beforeEach, describe, expect, test } from "bun:test";
import type { Environment } from "../fixtures/command.ts";
import { DISCORD_PUBLIC_KEY } from "../fixtures/discord_events.ts";
import { GUILD, OTHER_GUILD } from "../fixtures/interactions.ts";
import { useCommandHost, useFolder, useForEach } from "../harness/hooks.ts";
import { CANARY, DISCORD_CLIENT_ID } from "../harness/janus.ts";
import { startDiscord } from "../standins/discord.ts";

const PUBLIC_URL = "https://janus.example.org";
const folder = useFolder("register_commands");
const host = useCommandHost(folder);
const interactionsUrl = `${PUBLIC_URL}/discord/interactions`;
const discord = useForEach(
  async () =>
    startDiscord({
      clientId: DISCORD_CLIENT_ID,
      clientSecret: "unused",
      botToken: CANARY.botToken,
      redirectUris: [],
      users: [],
      interactionsUrl,
      guildIds: [GUILD],
    }),
  async (standin) => {
    await standin.stop();
    expect(standin.unexpected).toEqual([]);
  },
);
let environment: Environment = {};
beforeEach(() => {
  environment = {
    DISCORD_CLIENT_ID,
    DISCORD_API_URL: discord.apiUrl,
    DISCORD_BOT_TOKEN: CANARY.botToken,
    DISCORD_PUBLIC_KEY,
    PUBLIC_URL,
  };
});

const register = (...options: readonly string[]) =>
  host.run("index.ts", ["register", ...options], environment);
const operations = (): readonly string[] => discord.calls.map(({ operation }) => operation);

const put = (place: string, command: object) =>
  fetch(`${discord.apiUrl}/applications/${DISCORD_CLIENT_ID}/${place}`, {
    method: "POST",
    headers: {
      authorization: `Bot ${CANARY.botToken}`,
      "user-agent": "DiscordBot (https://example.org, 1)",
      "content-type": "application/json",
    },
    body: JSON.stringify(command),
  });
const OTHERS = { type: 1, name: "roll", description: "Rolls dice", default_member_permissions: null };

describe("janus register", () => {
  test("shows the commands, puts them, and has nothing to do the next time", async () => {
    environment = { ...environment, DISCORD_GUILD_IDS: GUILD };

    const dry = await register("--dry-run");
    const unasked = await register();
    const first = await register("--yes");
    const again = await register("--yes", "--json");

    expect([dry.exitCode, unasked.exitCode, first.exitCode, again.exitCode]).toEqual([0, 1, 0, 0]);
    for (const { stdout } of [dry, unasked, first])
      expect(stdout).toContain(
        `Commands:\n+  added  /janus status  of all servers\n+  added  /janus whois   of server ${GUILD}`,
      );
    expect(first.stdout).toContain(
      `registered  dsek_member  (Member)\nregistered  /janus status  (of all servers)\nregistered  /janus whois  (of server ${GUILD})\n`,
    );
    expect(operations().filter((operation) => operation.startsWith("put"))).toEqual([
      "put_metadata",
      "put_command",
      "put_command",
    ]);
    expect(JSON.parse(again.stdout)).toMatchObject({
      applied: false,
      commands: [
        { name: "/janus status", guild_id: null, change: "unchanged" },
        { name: "/janus whois", guild_id: GUILD, change: "unchanged" },
      ],
    });
    expect(discord.commands()).toMatchObject([
      {
        name: "janus",
        default_member_permissions: null,
        contexts: [0, 1],
        options: [
          {
            type: 1,
            name: "status",
            description_localizations: { "sv-SE": "Visa din egen koppling, bara för dig" },
          },
        ],
      },
    ]);
    expect(discord.commands(GUILD)).toMatchObject([
      {
        name: "janus",
        default_member_permissions: "32",
        options: [{ name: "whois", options: [{ type: 6, name: "member", required: true }] }],
      },
    ]);
    expect(discord.commands(OTHER_GUILD)).toEqual([]);
  });

  test("leaves other commands of the application alone, and replaces an old one of its own", async () => {
    await put("commands", OTHERS);
    await put("commands", { ...OTHERS, name: "janus" });

    const told = await register("--yes");

    expect(told.exitCode).toBe(0);
    expect(told.stdout).toContain("~  changed  /janus status  of all servers");
    expect(discord.commands().map(({ name, description }) => [name, description])).toEqual([
      ["roll", "Rolls dice"],
      ["janus", "Your link to your organisation"],
    ]);
  });

  test("finds a text that has changed in one language alone", async () => {
    await register("--yes");
    const [own] = discord.commands();
    await put("commands", { ...own, description_localizations: { de: "Anders", "sv-SE": "Annat" } });

    const told = await register("--dry-run", "--json");

    expect(JSON.parse(told.stdout).commands).toMatchObject([{ change: "changed" }]);
  });

  test("asks and puts nothing of commands without DISCORD_PUBLIC_KEY", async () => {
    const { DISCORD_PUBLIC_KEY: _key, ...closed } = environment;
    environment = closed;

    const told = await register("--yes", "--json");

    expect([told.exitCode, JSON.parse(told.stdout).commands]).toEqual([0, []]);
    expect(operations()).toEqual(["get_metadata", "put_metadata", "get_metadata"]);
  });

  test("registers the records, and says which server does not have the application", async () => {
    environment = { ...environment, DISCORD_GUILD_IDS: `${OTHER_GUILD},${GUILD}` };

    const told = await register("--yes");

    expect(told.exitCode).toBe(1);
    expect(told.stderr).toContain(
      `Discord did not show the commands of server ${OTHER_GUILD}. Discord refuses (get_commands: answered 403): was the application added to this server`,
    );
    expect(discord.records()).toHaveLength(1);
    expect([discord.commands().length, discord.commands(GUILD).length]).toEqual([1, 1]);
    expect(told.stdout + told.stderr).not.toContain("canary");
  });

  test("says which command Discord does not take, and tries the others", async () => {
    environment = { ...environment, DISCORD_GUILD_IDS: GUILD };
    discord.failNext("put_command", { status: 400, body: { message: "Invalid Form Body", code: 50035 } });

    const told = await register("--yes", "--json");

    expect(told.exitCode).toBe(1);
    expect(JSON.parse(told.stderr.trim().split("\n").at(-1) ?? "").error).toMatchObject({
      code: "registration_failed",
      message: expect.stringContaining("Discord did not take /janus status of all servers."),
    });
    expect(discord.commands(GUILD)).toHaveLength(1);
  });

  test("registers the records if Discord does not show the application", async () => {
    for (let attempt = 0; attempt < 3; attempt += 1) discord.failNext("get_application", { status: 500 });

    const told = await register("--yes");

    expect(told.exitCode).toBe(1);
    expect(told.stderr).toContain("Discord did not show the application.");
    expect([discord.records().length, discord.commands().length]).toEqual([1, 0]);
  });
});

describe("janus register, where Discord sends commands elsewhere", () => {
  beforeEach(() => {
    environment = { ...environment, PUBLIC_URL: "https://other.example.org" };
  });

  test("registers no command, which nobody would answer, and says what to enter", async () => {
    const told = await register("--yes");

    expect(told.exitCode).toBe(0);
    expect(told.stdout).toContain(
      "There are no commands in Discord: another Interactions Endpoint URL is entered in the developer portal. For " +
        "commands enter https://other.example.org/discord/interactions there, and run janus register again.",
    );
    expect(discord.commands()).toEqual([]);
    expect(discord.records()).toHaveLength(1);
  });
});

/** The protocol of a refresh lease, with stand-ins for what it is given: in which order, and what a failure leaves. */
import { describe, expect, test } from "bun:test";
import { databaseUnavailable, discordUnavailable } from "../../lib/errors.ts";
import {
  isFromEarlier,
  LEASE_SECONDS,
  leaseFrom,
  spendRefreshToken,
} from "../../lib/grants/refresh_lease.ts";
import { NO_LOG } from "../../lib/telemetry/log.ts";

const NOW = new Date("2026-11-27T12:00:00Z");
const TOKENS = { accessToken: "at", refreshToken: "rt", scope: "identify", expiresAt: NOW };
const SEALED = { accessTokenSealed: "sealed at", refreshTokenSealed: "sealed rt" };

/** One refresh, with a diary of what was called. */
function prepare({ discord, storeFailures = 0 }: { discord?: Error; storeFailures?: number }) {
  const calls: string[] = [];
  let failuresLeft = storeFailures;
  const needs = {
    discord: {
      refreshTokens: async (token: string) => {
        calls.push(`send ${token}`);
        if (discord !== undefined) throw discord;
        return TOKENS;
      },
    },
    now: () => NOW,
    sleep: async () => void calls.push("sleep"),
    log: NO_LOG,
    unstored: {
      store: async () => {
        calls.push("keep");
        return false;
      },
      retry: () => Promise.resolve(),
      giveUp: () => undefined,
    },
  };
  const lease = {
    step: "refresh",
    open: () => "spent",
    seal: () => SEALED,
    store: async () => {
      calls.push("store");
      if (failuresLeft-- > 0) throw databaseUnavailable("down");
    },
    free: async (failure: unknown) => {
      calls.push(`free after ${failure === discord ? "Discord's failure" : "another failure"}`);
    },
  } as const;
  return { calls, refreshing: () => spendRefreshToken(needs, lease) };
}

describe("spendRefreshToken()", () => {
  test("hands the pair out once it is stored", async () => {
    const { calls, refreshing } = prepare({});

    const pair = await refreshing();

    expect(pair).toEqual({ ...TOKENS, ...SEALED });
    expect(calls).toEqual(["send spent", "store"]);
  });

  test("frees the lease if Discord gives no pair, and rethrows", async () => {
    const discord = discordUnavailable("503");
    const { calls, refreshing } = prepare({ discord });

    await expect(refreshing()).rejects.toBe(discord);

    expect(calls).toEqual(["send spent", "free after Discord's failure"]);
  });

  test("stores again after a failure of the database", async () => {
    const { calls, refreshing } = prepare({ storeFailures: 2 });

    await refreshing();

    expect(calls).toEqual(["send spent", "store", "sleep", "store", "sleep", "store"]);
  });

  test("keeps the lease of a pair that could not be stored", async () => {
    const { calls, refreshing } = prepare({ storeFailures: 100 });

    const failure = await refreshing().catch((error: unknown) => error);

    expect(failure).toMatchObject({ code: "database_unavailable" });
    expect(calls.at(-1)).toBe("keep");
    expect(calls.filter((call) => call.startsWith("free"))).toEqual([]);
  });
});

describe("isFromEarlier()", () => {
  test("tells the mark of this claim from that of an earlier one", () => {
    expect(isFromEarlier(null, NOW)).toBe(false);
    expect(isFromEarlier(new Date(NOW), NOW)).toBe(false);
    expect(isFromEarlier(new Date(NOW.getTime() - 1), NOW)).toBe(true);
  });
});

test("leaseFrom() gives the time of the claim and when it ends", () => {
  expect(leaseFrom(NOW)).toEqual({ leasedUntil: new Date(NOW.getTime() + LEASE_SECONDS * 1_000), now: NOW });
});

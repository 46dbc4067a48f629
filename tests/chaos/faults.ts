/**
 * What goes wrong: answers of Discord and the provider, and the processes and the database between. The seed decides at
 * which call of an operation, and when.
 */
import type { DiscordOperation, DiscordStandin } from "../standins/discord.ts";
import type { Behaviour, Director, Met } from "../standins/faults.ts";
import type { ProviderOperation, ProviderStandin } from "../standins/provider.ts";
import type { Chance } from "./chance.ts";
import { createChance } from "./chance.ts";
import { DEADLINE_MS, wallClock } from "./fast_clock.ts";
import type { Journal } from "./journal.ts";
import type { Names, Replicas } from "./replicas.ts";

/** A database that can be made to fail. */
export type Breakable = {
  /** Ends every connection, as a server does that is restarted. */
  readonly endConnections: () => Promise<void>;
  /** Ends them, and takes no new one for a while. */
  readonly blink: (ms: number) => Promise<void>;
};

type Server = "discord" | "provider";
type Operation = DiscordOperation | ProviderOperation;
type Fault = Extract<Behaviour, string> | "500" | "503 in HTML" | "429";

/** Of a thousand calls, so many meet this. */
const FAULTS: Readonly<Partial<Record<Fault, number>>> = {
  lost: 45,
  silent: 12,
  hang: 8,
  drop: 15,
  "500": 15,
  "503 in HTML": 10,
  "429": 15,
};
/** Refresh tokens are good once: here most is to be lost. */
const REFRESH_FAULTS = { ...FAULTS, lost: 120, silent: 30 };
/** Here a member's browser is at work, or nothing can be lost. */
const SELDOM: Readonly<Partial<Record<Fault, number>>> = { "500": 15, drop: 15 };
const NEVER = {};
const BY_OPERATION: Readonly<Partial<Record<Operation, typeof FAULTS>>> = {
  token_refresh: REFRESH_FAULTS,
  authorize: NEVER,
  discovery: SELDOM,
  jwks: SELDOM,
};
/** A request that has waited for so long is not begun any more: its client may be gone before it is done. */
const LATE_MS = DEADLINE_MS * 0.6;

type Weather = ReturnType<typeof createWeather>;

/** Lets faults rain on both servers until the calm. */
export function createWeather(
  seed: number,
  journal: Journal,
  { discord, provider }: { readonly discord: DiscordStandin; readonly provider: ProviderStandin },
) {
  let isCalm = false;
  const down = new Set<Server>();
  const chances = new Map<string, Chance>();
  const chanceOf = (name: string): Chance => {
    const chance = chances.get(name) ?? createChance(seed, name);
    chances.set(name, chance);
    return chance;
  };

  const choose = (server: Server, { operation, headers }: Met<Operation>): Behaviour | undefined => {
    const rates = BY_OPERATION[operation] ?? FAULTS;
    const fault = pick(rates, chanceOf(`${server} ${operation}`).below(1_000));
    if (isCalm || rates === NEVER) return undefined;
    if (down.has(server)) return { status: 503 };
    const sentAt = headers.get("x-sent-at");
    if (sentAt !== null && wallClock() - Number(sentAt) > LATE_MS) {
      journal.count("late");
      return "drop";
    }
    if (fault !== undefined) journal.count(`${server} ${operation} ${fault}`);
    return fault === undefined ? undefined : behave(fault);
  };
  const direct = <Name extends Operation>(server: Server): Director<Name> => ({
    choose: (met) => choose(server, met),
    done: (met, behaviour, answer) => note(journal, server, met, behaviour, answer),
  });
  discord.direct(direct("discord"));
  provider.direct(direct("provider"));

  return {
    calm: (): void => {
      isCalm = true;
    },
    /** A server that says for a while that it is not there. */
    outage: async (server: Server, ms: number): Promise<void> => {
      down.add(server);
      await Bun.sleep(ms);
      down.delete(server);
    },
  };
}

function pick(rates: typeof FAULTS, drawn: number): Fault | undefined {
  let left = drawn;
  for (const [fault, rate] of Object.entries(rates) as [Fault, number][]) {
    left -= rate;
    if (left < 0) return fault;
  }
  return undefined;
}

function behave(fault: Fault): Behaviour {
  switch (fault) {
    case "500":
      return { status: 500, body: { message: "500: Internal Server Error", code: 0 } };
    case "503 in HTML":
      return { status: 503, body: "<!doctype html><title>Service Unavailable</title>" };
    case "429":
      return {
        status: 429,
        body: { message: "You are being rate limited.", retry_after: 0.2, global: false },
      };
    default:
      return fault;
  }
}

type TokenAnswer = {
  readonly access_token?: string;
  readonly refresh_token?: string;
  readonly scope?: string;
};

const GRANTS: Readonly<Partial<Record<Operation, "code" | "refresh">>> = {
  token_code: "code",
  token_refresh: "refresh",
  token: "code",
};

/** Writes down what a server has done: tokens given out, and authorizations ended. */
async function note(
  journal: Journal,
  server: Server,
  { operation, headers, userId }: Met<Operation>,
  behaviour: Behaviour | undefined,
  answer: Response,
): Promise<void> {
  const grant = GRANTS[operation];
  if (operation === "revoke" && userId !== undefined) journal.addEnded(userId, wallClock());
  if (grant === undefined || !answer.ok) return;
  const { access_token, refresh_token, scope = "" } = (await answer.clone().json()) as TokenAnswer;
  journal.addIssue({
    at: wallClock(),
    server,
    grant,
    userId,
    scopes: scope.split(" "),
    accessToken: access_token ?? "",
    refreshToken: refresh_token,
    replica: headers.get("x-replica") ?? "",
    isLost: behaviour === "lost" || behaviour === "silent",
  });
}

type Scene = {
  readonly seed: number;
  readonly journal: Journal;
  readonly weather: Weather;
  readonly replicas: Replicas;
  readonly breakable: Breakable;
};

const DISTURBANCES = {
  kill: 40,
  restart: 10,
  "end connections": 20,
  blink: 15,
  "Discord is down": 8,
  "the provider is down": 7,
};

/** Disturbs one thing after the other; `stop` puts everything right again. */
export function startDisturbing(scene: Scene): { readonly stop: () => Promise<void> } {
  let isOver = false;
  const disturbing = (async () => {
    for (let turn = 0; !isOver; turn += 1) {
      const chance = createChance(scene.seed, `disturbance ${turn}`);
      await Bun.sleep(chance.between(300, 1_800));
      if (!isOver) await disturb(scene, chance);
    }
  })();
  return {
    stop: async () => {
      isOver = true;
      await disturbing;
      scene.weather.calm();
    },
  };
}

async function disturb({ journal, weather, replicas, breakable }: Scene, chance: Chance): Promise<void> {
  const name: Names = chance.falls(0.5) ? "a" : "b";
  const what = chance.weigh(DISTURBANCES);
  journal.count(what);
  switch (what) {
    case "kill":
      await replicas.kill(name);
      await Bun.sleep(chance.between(0, 1_500));
      return replicas.start(name);
    case "restart":
      await replicas.stop(name);
      return replicas.start(name);
    case "end connections":
      return breakable.endConnections();
    case "blink":
      return breakable.blink(chance.between(50, 600));
    case "Discord is down":
      return weather.outage("discord", chance.between(500, 2_500));
    case "the provider is down":
      return weather.outage("provider", chance.between(500, 2_500));
  }
}

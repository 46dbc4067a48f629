/** The measurements of the link flow, the redirect, the API and the start. */
import { STATEMENTS } from "../../lib/database/queries.ts";
import { countRedirects } from "./load.ts";
import type { Environment, Program } from "./programs.ts";
import { EVERY_CORE, PROGRAM_CORE, startProgram, timeStart } from "./programs.ts";
import type { Figure } from "./report.ts";
import { median } from "./report.ts";
import { alternate, context, measureRound, perCpuSecond, ratio } from "./rounds.ts";
import type { StatementCounter } from "./statements.ts";
import type { Standins } from "./walk.ts";
import { signInByFlow, walkFlows } from "./walk.ts";

/** How much is measured: enough to judge by, or just enough to see that it works. */
export type Effort = {
  readonly flowRounds: number;
  readonly flowsPerRound: number;
  readonly warmUpFlows: number;
  readonly userinfosPerRound: number;
  readonly redirectRounds: number;
  readonly redirectMs: number;
  readonly countedFlows: number;
  readonly starts: number;
  readonly syncRounds: number;
  readonly linksPerRound: number;
  /** How many links one process syncs without a pause, for its memory. */
  readonly linksInTurn: number;
  /** Numbers of links, the least first, that a claim has to do with. */
  readonly claimSizes: readonly number[];
  readonly claimRounds: number;
};

/** Members at once. */
export const CONCURRENCY = 8;
const SETTLE_MS = 300;

/** What a complete flow costs, against the reference. */
export async function measureFlows(effort: Effort, janus: Program, reference: Program): Promise<Figure[]> {
  const walk = (program: Program, count: number) =>
    measureRound(program, async () => {
      await walkFlows(program.port, count, CONCURRENCY);
      return count;
    });
  const [own, bare] = await alternate(
    effort.flowRounds,
    () => walk(janus, effort.flowsPerRound),
    () => walk(reference, effort.flowsPerRound),
    async () => {
      await walk(reference, effort.warmUpFlows);
      await walk(janus, effort.warmUpFlows);
    },
  );
  return [
    {
      name: "CPU time a complete flow, of the reference's",
      value: ratio(own, bare, ({ cpuMs }) => cpuMs),
      unit: "times",
      limit: { atMost: 1.6 },
    },
    {
      name: "flows a second, of the reference's",
      value: ratio(own, bare, ({ perSecond }) => perSecond),
      unit: "times",
      limit: { atLeast: 0.75 },
    },
    ...context(own, bare, "ms a flow", ({ cpuMs }) => cpuMs),
    ...context(own, bare, "flows/s", ({ perSecond }) => perSecond),
    ...context(own, bare, "of its core", ({ busy }) => busy),
  ];
}

/**
 * What the first redirect costs, against a constant one. Both keep their core busy, so redirects in a second of CPU
 * time are the rate on a core of their own; counted this way a neighbour that takes a turn on the core, or a load
 * generator that cannot keep up with the constant answer, does not flatter Janus.
 */
export async function measureRedirect(effort: Effort, janus: Program, constant: Program): Promise<Figure[]> {
  const load = (program: Program, ms: number) =>
    measureRound(program, () => countRedirects(program.port, "/linked-role", ms));
  const [own, bare] = await alternate(
    effort.redirectRounds,
    () => load(janus, effort.redirectMs),
    () => load(constant, effort.redirectMs),
    async () => {
      await load(constant, effort.redirectMs * 2);
      await load(janus, effort.redirectMs * 2);
    },
  );
  return [
    {
      name: "/linked-role a second, of a constant redirect's",
      value: ratio(own, bare, perCpuSecond),
      unit: "times",
      limit: { atLeast: 0.5 },
    },
    ...context(own, bare, "redirects a CPU second", perCpuSecond),
    ...context(own, bare, "redirects/s", ({ perSecond }) => perSecond),
    ...context(own, bare, "of its core", ({ busy }) => busy),
  ];
}

/** Statements and upstream calls of first-time flows, one after the other, counted where they pass. */
export async function countExchanges(
  effort: Effort,
  environment: Environment,
  counter: StatementCounter,
  { discord, provider }: Standins,
): Promise<Figure[]> {
  const program = await startProgram("index.ts", { ...environment, DATABASE_URL: counter.databaseUrl });
  try {
    await walkFlows(program.port, 1, 1);
    await Bun.sleep(SETTLE_MS);
    counter.take();
    discord.calls.length = 0;
    provider.calls.length = 0;
    await walkFlows(program.port, effort.countedFlows, 1);
    await Bun.sleep(SETTLE_MS);
  } finally {
    await program.stop();
  }
  const statements = counter.take();
  const needed: readonly string[] = [STATEMENTS.finishDiscordLeg.text, STATEMENTS.finishProviderLeg.text];
  const onTheWay = statements.filter((text) => needed.includes(text)).length;
  // The authorize endpoint is the member's call, not Janus's.
  const atProvider = provider.calls.filter((operation) => operation !== "authorize");
  const atDiscord = discord.calls.map(({ operation, userId }) => `${operation} ${userId}`);
  const a = (count: number) => count / effort.countedFlows;
  return [
    { name: "statements a flow needs", value: a(onTheWay), unit: "", limit: { exactly: 2 } },
    {
      name: "statements a flow, bookkeeping",
      value: a(statements.length - onTheWay),
      unit: "",
      limit: { atMost: 2 },
    },
    {
      name: "upstream calls a flow",
      value: a(atDiscord.length + atProvider.length),
      unit: "",
      limit: { exactly: 4 },
    },
    {
      name: "upstream calls repeated",
      value:
        atDiscord.length - new Set(atDiscord).size + Math.max(0, atProvider.length - effort.countedFlows),
      unit: "",
      limit: { exactly: 0 },
    },
  ];
}

/** How soon a new process answers: the limit is for one that starts as an operator would start it. */
export async function measureStart(effort: Effort, environment: Environment): Promise<Figure[]> {
  const [times, onOneCore]: [number[], number[]] = [[], []];
  for (let start = 0; start < effort.starts; start++) {
    times.push(await timeStart("index.ts", environment, EVERY_CORE));
    onOneCore.push(await timeStart("index.ts", environment, PROGRAM_CORE));
  }
  return [
    { name: "first answer from /healthz", value: median(times), unit: "ms", limit: { atMost: 150 } },
    { name: "  fastest", value: Math.min(...times), unit: "ms" },
    { name: "  slowest", value: Math.max(...times), unit: "ms" },
    { name: "  on one core", value: median(onOneCore), unit: "ms" },
  ];
}

/**
 * What the API's front door costs: the member as Discord tells it. Both programs ask the stand-in for Discord, and both
 * leave it to the driver's core; counted in CPU seconds, a driver that cannot keep up does not flatter Janus.
 */
export async function measureUserinfo(
  effort: Effort,
  janus: Program,
  reference: Program,
  { discord }: Standins,
): Promise<Figure[]> {
  const ask = async (program: Program, count: number) => {
    const { cookie } = await signInByFlow(program.port);
    const headers = { cookie };
    const url = `http://127.0.0.1:${program.port}/api/userinfo`;
    return measureRound(program, () => repeat(count, CONCURRENCY, () => fetchOk(url, headers)));
  };
  const [own, bare] = await alternate(
    effort.flowRounds,
    () => ask(janus, effort.userinfosPerRound),
    () => ask(reference, effort.userinfosPerRound),
    async () => {
      await ask(reference, effort.userinfosPerRound * 2);
      await ask(janus, effort.userinfosPerRound * 2);
    },
  );
  return [
    {
      name: "/api/userinfo a second, of the reference's",
      value: ratio(own, bare, perCpuSecond),
      unit: "times",
      limit: { atLeast: 0.6 },
    },
    ...context(own, bare, "answers a CPU second", perCpuSecond),
    ...context(own, bare, "answers/s", ({ perSecond }) => perSecond),
    ...(await measureShare(effort, janus, discord)),
  ];
}

/** How long one answer takes, one after the other, and how much of that is not Discord's. */
async function measureShare(
  effort: Effort,
  janus: Program,
  { apiUrl, tokens }: Standins["discord"],
): Promise<Figure[]> {
  const { userId, cookie } = await signInByFlow(janus.port);
  const bearer = tokens(userId).find(({ kind }) => kind === "access")?.token ?? "";
  const direct = {
    authorization: `Bearer ${bearer}`,
    "user-agent": "DiscordBot (https://janus.example.org, 0)",
  };
  const time = async (url: string, headers: Readonly<Record<string, string>>): Promise<number> => {
    const from = performance.now();
    await fetchOk(url, headers);
    return performance.now() - from;
  };
  const [whole, discord]: [number[], number[]] = [[], []];
  for (let round = 0; round < effort.userinfosPerRound; round++) {
    whole.push(await time(`http://127.0.0.1:${janus.port}/api/userinfo`, { cookie }));
    discord.push(await time(`${apiUrl}/oauth2/@me`, direct));
  }
  const [all, part] = [median(whole), median(discord)];
  return [
    { name: "  Janus adds to Discord's answer", value: all - part, unit: "ms" },
    { name: "  share of the whole, with the stand-in", value: (all - part) / all, unit: "" },
    {
      name: "  share of the whole, were Discord to take 100 ms",
      value: (all - part) / (all - part + 100),
      unit: "",
    },
  ];
}

async function fetchOk(url: string, headers: Readonly<Record<string, string>>): Promise<void> {
  const response = await fetch(url, { headers });
  await response.text();
  if (response.status !== 200) throw new Error(`an answer is ${response.status}`);
}

async function repeat(count: number, concurrency: number, work: () => Promise<void>): Promise<number> {
  let left = count;
  const some = async () => {
    while (left-- > 0) await work();
  };
  await Promise.all(Array.from({ length: concurrency }, some));
  return count;
}

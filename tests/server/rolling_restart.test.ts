/**
 * Two replicas behind nginx on one PostgreSQL, restarted one after the other under load: no request is dropped, and a
 * flow may be begun at one and finished at the other.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { Environment, Serving } from "../fixtures/command.ts";
import { serve } from "../fixtures/command.ts";
import type { Certificate, Nginx } from "../fixtures/nginx.ts";
import { findNginx, makeCertificate, NO_NGINX, startNginx } from "../fixtures/nginx.ts";
import { startLoad } from "../fixtures/steady_load.ts";
import type { TestDatabase } from "../harness/database.ts";
import { createTestDatabase, onPostgres } from "../harness/database.ts";
import { useFolder } from "../harness/hooks.ts";
import type { Browser } from "../harness/janus.ts";
import {
  createBrowser,
  discordClient,
  environmentFor,
  locationOf,
  providerClient,
  resultOf,
} from "../harness/janus.ts";
import { logWatch } from "../harness/log_watch.ts";
import { freePort } from "../harness/ports.ts";
import { reachLoginCallback } from "../harness/sign_in.ts";
import { newUser, reachDiscordCallback } from "../harness/walk.ts";
import type { DiscordStandin } from "../standins/discord.ts";
import { startDiscord } from "../standins/discord.ts";
import type { ForgerStandin } from "../standins/forger.ts";
import { startForger } from "../standins/forger.ts";

const isSkipped = findNginx() === undefined && !process.env.CI;
if (onPostgres && isSkipped) console.warn(`The rolling restart is skipped. ${NO_NGINX}`);

const CLIENTS = 32;
const FLOW_WALKERS = 4;
/** The value in the recipe for nginx. */
const DRAIN_SECONDS = 3;
const STEADY_MS = 1_000;
/** Flows begun at a replica that are finished at the other, and as many that are finished when it is back. */
const BEGUN = 3;
/** With fewer answers to a call the test proves nothing; flows are ten times as slow. */
const ENOUGH = 100;
const CALLS = [
  { method: "GET", path: "/", status: 200 },
  { method: "POST", path: "/api/auth/logout", status: 200 },
  { method: "GET", path: "/linked-role", status: 302 },
  { method: "POST", path: "/link/move", status: 400 },
  { method: "GET", path: "/healthz", status: 200 },
  { method: "GET", path: "/account", status: 401 },
] as const;

const REPLICAS = ["a", "b"] as const;
type Name = (typeof REPLICAS)[number];

const newFront = () => ({ port: freePort(), plainPort: freePort() });
const front = newFront();
/** Fronts that lead to one replica alone. */
const pinned = { a: newFront(), b: newFront() };
const ports = { a: freePort(), b: freePort() };
const url = `https://127.0.0.1:${front.port}`;

const folder = useFolder("rolling");
let certificate: Certificate;
let database: TestDatabase;
let discord: DiscordStandin;
let forger: ForgerStandin;
let nginx: Nginx;
let environment: Environment;
let running: Record<Name, Serving>;
const ended: Serving[] = [];

describe.if(onPostgres && !isSkipped)("two replicas behind nginx", () => {
  beforeAll(async () => {
    certificate = await makeCertificate(folder);
    database = await createTestDatabase();
    discord = startDiscord({
      ...discordClient(url),
      users: [],
      acceptAnyUser: true,
    });
    forger = startForger({
      ...providerClient(url),
      freshSubjects: true,
    });
    environment = {
      ...environmentFor(url, discord, forger.issuer),
      DATABASE_URL: database.config.url ?? "",
      TRUSTED_PROXIES: "127.0.0.1",
      DRAIN_SECONDS: String(DRAIN_SECONDS),
    };
    const [a, b] = await Promise.all([start("a"), start("b")]);
    running = { a, b };
    nginx = await startNginx(folder, certificate, [
      { ...front, replicas: [ports.a, ports.b] },
      ...REPLICAS.map((name) => ({ ...pinned[name], replicas: [ports[name]] })),
    ]);
  });
  afterAll(async () => {
    await nginx?.stop();
    await Promise.all(Object.values(running ?? {}).map((serving) => serving.stop()));
    await Promise.all([discord?.stop(), forger?.stop(), database?.drop()]);
  });

  test("finish a flow whose legs are spread in any way", async () => {
    const ways = REPLICAS.flatMap((first) =>
      REPLICAS.flatMap((second) => REPLICAS.map((third) => [first, second, third] as const)),
    );

    for (const [first, second, third] of ways) {
      const member = openBrowser();
      const callback = await reachSecondCallback(member, first, second);
      const linked = await member.at(third, callback);

      expect(linked.status).toBe(200);
      // The page of the result needs no replica of its own.
      expect(await whoAnswered(member.ids)).toEqual([first, second, third, third]);
    }
  });

  test("share sessions: an end at one is an end at the other", async () => {
    const discordUserId = newUser();
    const member = openBrowser();
    await member.at("a", await reachSecondCallback(member, "a", "b", discordUserId));
    const later = openBrowser();

    const callback = await reachLoginCallback(
      { ...later, get: (path) => later.at("a", path) },
      discordUserId,
    );
    await later.at("b", callback);
    const before = await later.at("a", "/api/userinfo");
    const loggedOut = await later.post(at("b", "/api/auth/logout"), {}, url);
    const after = await later.at("a", "/api/userinfo");

    expect([before.status, loggedOut.status, after.status]).toEqual([200, 200, 401]);
    expect(await whoAnswered(later.ids)).toEqual(["a", "b", "a", "a"]);
  });

  test("drop no request and no flow when restarted under load", async () => {
    const walkers = startWalkers();
    const load = startLoad({ origin: url, ca: certificate.ca }, CLIENTS, CALLS);
    await Bun.sleep(STEADY_MS);

    const finished: number[] = [];
    for (const name of REPLICAS) {
      const other = name === "a" ? "b" : "a";
      const begun = await Promise.all(Array.from({ length: 2 * BEGUN }, () => beginFlow(name)));
      const { exitCode } = await running[name].stop();
      const whileDown = begun.slice(BEGUN).map((flow) => flow.finishAt(other));
      finished.push(...(await Promise.all(whileDown)));
      ended.push(running[name]);
      running[name] = await start(name);
      const whenBack = begun.slice(0, BEGUN).map((flow) => flow.finishAt(name));
      finished.push(...(await Promise.all(whenBack)));
      expect(exitCode).toBe(0);
    }
    await Bun.sleep(STEADY_MS);
    // On a busy machine that takes longer.
    while (walkers.isWell() && (load.fewest() <= ENOUGH || walkers.finished() <= ENOUGH / 10))
      await Bun.sleep(20);
    const [requests, flows] = await Promise.all([load.stop(), walkers.stop()]);

    console.log(
      `rolling restart: ${requests.answered} requests of ${CLIENTS} clients answered, ${requests.dropped.length} dropped, ` +
        `the slowest after ${requests.slowestMs} ms; ${flows.finished + finished.length} whole flows; ` +
        `nginx asked the other replica ${await countSecondTries()} times`,
    );
    expect(requests.dropped).toEqual([]);
    expect(flows.failed).toEqual([]);
    expect(finished).toEqual(Array(4 * BEGUN).fill(200));
    for (const { method, path } of CALLS)
      expect(requests.byCall[`${method} ${path}`] ?? 0).toBeGreaterThan(ENOUGH);
    expect(flows.finished).toBeGreaterThan(ENOUGH / 10);
    for (const { lines } of ended) {
      expect(lines.at(-1)).toContain('"stopped"');
      expect(lines.filter((line) => line.includes("requests_cut_off"))).toEqual([]);
    }
    expect([...discord.unexpected, ...forger.unexpected]).toEqual([]);
  });
});

async function start(name: Name): Promise<Serving> {
  const serving = await serve(folder, { ...environment, PORT: String(ports[name]) });
  while ((await serving.get("/readyz")).status !== 200) await Bun.sleep(20);
  return serving;
}

/** An address of Janus as the front of one replica has it. */
function at(name: Name, address: string): string {
  const target = new URL(address, url);
  target.port = String(pinned[name].port);
  return target.href;
}

type Member = Browser & {
  readonly at: (name: Name, address: string) => Promise<Response>;
  /** The ids that nginx gave the requests. */
  readonly ids: string[];
};

/** A member's browser. It tells the watch over the log about the secrets in requests and answers. */
function openBrowser(): Member {
  const browser = createBrowser(url, { tls: { ca: certificate.ca } });
  const ids: string[] = [];
  const get = async (address: string): Promise<Response> => {
    logWatch.addRequest(new URL(address, url).href, new Headers(), null);
    const answer = await browser.getOnce(address);
    logWatch.addAnswer(answer.headers, "");
    ids.push(answer.headers.get("x-request-id") ?? "none");
    const result = resultOf(answer);
    return result === undefined ? answer : get(new URL(result, new URL(address, url)).href);
  };
  return { ...browser, get, ids, at: (name, address) => get(at(name, address)) };
}

/** From the link at one replica and the first callback at another to the second callback, not yet visited. */
async function reachSecondCallback(
  member: Member,
  first: Name,
  second: Name,
  discordUserId = newUser(),
): Promise<string> {
  const pinnedToFirst = { ...member, get: (address: string) => member.at(first, address) };
  const departure = await member.at(second, await reachDiscordCallback(pinnedToFirst, discordUserId));
  return locationOf(await fetch(locationOf(departure), { redirect: "manual" }));
}

/** A flow whose first two legs were at one replica. */
async function beginFlow(name: Name) {
  const member = openBrowser();
  const callback = await reachSecondCallback(member, name, name);
  return { finishAt: async (other: Name): Promise<number> => (await member.at(other, callback)).status };
}

/** Looks for the ids in the logs of the replicas, which come through pipes. */
async function whoAnswered(ids: readonly string[]): Promise<readonly (Name | undefined)[]> {
  const find = (id: string) =>
    REPLICAS.find((name) => running[name].lines.some((line) => line.includes(`"requestId":"${id}"`)));
  while (ids.some((id) => find(id) === undefined)) await Bun.sleep(20);
  return ids.map(find);
}

/** Requests for which nginx has asked two replicas, which its log names. */
async function countSecondTries(): Promise<number> {
  const last = openBrowser();
  await last.get("/healthz");
  const lines = (await nginx.accessLog(last.ids.join())).split("\n");
  return lines.filter((line) => / 127\.0\.0\.1:\d+, 127\.0\.0\.1:\d+ /.test(line)).length;
}

/** Members who link their accounts, one after the other. */
function startWalkers() {
  let isOver = false;
  let finished = 0;
  const failed: string[] = [];
  const walkOnce = async (): Promise<void> => {
    const browser = openBrowser();
    const departure = await browser.get(await reachDiscordCallback(browser, newUser()));
    const callback = locationOf(await fetch(locationOf(departure), { redirect: "manual" }));
    const { status } = await browser.get(callback);
    if (status !== 200) throw new Error(`status ${status}`);
    finished += 1;
  };
  const walk = async (): Promise<void> => {
    while (!isOver) {
      await walkOnce().catch((error) => failed.push(String(error)));
      await Bun.sleep(20);
    }
  };
  const walking = Array.from({ length: FLOW_WALKERS }, walk);
  return {
    finished: () => finished,
    isWell: () => failed.length === 0,
    stop: async () => {
      isOver = true;
      await Promise.all(walking);
      return { finished, failed };
    },
  };
}

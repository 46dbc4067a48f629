/** Two processes on one PostgreSQL work off a backlog while members use both: together they stay below Discord's limit. */
import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { leaveDuePushes } from "../fixtures/backlog.ts";
import { serve } from "../fixtures/command.ts";
import { ROOT } from "../fixtures/source.ts";
import { onPostgres } from "../harness/database.ts";
import { useDatabase, useFolder, useJanusForEach } from "../harness/hooks.ts";
import { environmentFor, randomKey, startJanusWithForger } from "../harness/janus.ts";
import { freePort } from "../harness/ports.ts";
import { signIn } from "../harness/sign_in.ts";
import { newUser } from "../harness/walk.ts";

const SERVER = [process.execPath, "run", join(ROOT, "tests/fixtures/busy_server.ts")];
const PUSHES = 300;
/** A member asks something of Discord at every so many pushes. */
const PUSHES_A_REQUEST = 5;
/** What Discord allows an application. */
const MOST_A_SECOND = 50;
/** As slow as a busy machine is. */
const LIMIT_MS = 120_000;

const KEYS = { TOKEN_KEYS: `k1:${randomKey()}`, COOKIE_SECRET: randomKey() };
const folder = useFolder("shared-budget");
const database = useDatabase();
const janus = useJanusForEach(() =>
  startJanusWithForger({ database, environment: KEYS, forger: { freshSubjects: true } }),
);

type Call = { readonly operation: string; readonly process: string; readonly sentAt: number };

/** A process, by its name. */
const start = (name: string) =>
  serve(
    folder,
    {
      ...environmentFor(janus.url, janus.discord, janus.provider.issuer),
      ...KEYS,
      DATABASE_URL: database.config.url ?? "",
      PORT: String(freePort()),
      PROCESS: name,
    },
    { entry: SERVER },
  );

/** The most calls that were sent within a second, whenever it begins. */
function mostInASecond(calls: readonly Call[]): number {
  const times = calls.map(({ sentAt }) => sentAt).sort((one, other) => one - other);
  return Math.max(...times.map((from) => times.filter((at) => at >= from && at < from + 1_000).length));
}

describe.if(onPostgres)("two processes", () => {
  test(
    "share one budget, and leave room for members",
    async () => {
      await leaveDuePushes(janus, PUSHES);
      const browser = await signIn(janus, newUser());
      const cookie = browser.jar.header(new URL(janus.url));
      const calls: Call[] = [];
      const answers: Promise<Response>[] = [];
      const done = Promise.withResolvers<void>();
      let addresses: readonly string[] = [];
      let pushes = 0;
      janus.discord.direct({
        choose: ({ operation, headers }) => {
          const [process, sentAt] = [headers.get("x-process") ?? "", Number(headers.get("x-sent-at"))];
          calls.push({ operation, process, sentAt });
          return undefined;
        },
        done: ({ operation }) => {
          if (operation !== "put_role_connection") return;
          pushes += 1;
          const address = addresses[pushes % 2];
          if (pushes % PUSHES_A_REQUEST === 0 && address !== undefined)
            answers.push(fetch(`${address}/api/userinfo`, { headers: { cookie } }));
          if (pushes === PUSHES) done.resolve();
        },
      });

      const servers = await Promise.all([start("a"), start("b")]);
      addresses = servers.map(({ address }) => address);
      await done.promise;
      const statuses = (await Promise.all(answers)).map(({ status }) => status);
      await Promise.all(servers.map((server) => server.stop()));

      const pushed = calls.filter(({ operation }) => operation === "put_role_connection");
      const shares = Object.values(Object.groupBy(pushed, ({ process }) => process)).map(
        (own = []) => own.length,
      );
      expect(pushed.length).toBe(PUSHES);
      expect(await database.rows("select from link where push_due_at is not null")).toEqual([]);
      expect(mostInASecond(calls)).toBeLessThan(MOST_A_SECOND);
      expect(shares.length).toBe(2);
      expect(statuses.length).toBeGreaterThan(PUSHES / PUSHES_A_REQUEST / 2);
      expect(statuses.filter((status) => status !== 200)).toEqual([]);
    },
    LIMIT_MS,
  );
});

/** Two processes of Janus on one database: started, killed without a word, stopped in good order, started again. */
import { join } from "node:path";
import type { Environment } from "../fixtures/command.ts";
import { logWatch } from "../harness/log_watch.ts";
import { freePort } from "../harness/ports.ts";
import { wallClock } from "./fast_clock.ts";
import type { Journal } from "./journal.ts";
import type { Report } from "./replica.ts";

export type Names = "a" | "b";

export type Replicas = {
  /** Where those listen that run. */
  readonly addresses: () => readonly string[];
  /** Returns when it listens and its database has answered, or when it has ended. */
  readonly start: (name: Names) => Promise<void>;
  /** SIGKILL */
  readonly kill: (name: Names) => Promise<void>;
  /** SIGTERM, and waits for the end. */
  readonly stop: (name: Names) => Promise<void>;
};

type Replica = {
  readonly child: Bun.Subprocess;
  readonly stderr: Promise<string>;
  readonly ended: Promise<void>;
  /** Whether its end was asked for. */
  isExpected: boolean;
};

/** None runs yet. `environment` is that of all, but for the port. */
export function createReplicas(
  folder: string,
  environment: Environment,
  startedAt: number,
  journal: Journal,
): Replicas {
  const ports: Record<Names, number> = { a: freePort(), b: freePort() };
  const running = new Map<Names, Replica>();
  const listening = new Set<Names>();
  let starts = 0;

  const end = async (name: Names, signal: "SIGTERM" | "SIGKILL"): Promise<void> => {
    const replica = running.get(name);
    if (replica === undefined) return;
    replica.isExpected = true;
    listening.delete(name);
    replica.child.kill(signal);
    await replica.ended;
  };

  const hear = (id: string, line: string): void => {
    logWatch.addLines(line);
    journal.addLine(line);
    if (line.includes('"tokens_not_stored_yet"')) journal.addUnstored(id, wallClock());
    if (/"requests_cut_off"|Janus stopped before/.test(line)) journal.addCutOff(id, wallClock());
  };

  const start = async (name: Names): Promise<void> => {
    starts += 1;
    const id = `${name}${starts}`;
    const variables = { PORT: String(ports[name]), REPLICA: id, STARTED_AT: String(startedAt) };
    const hears = (what: Report): void =>
      "done" in what ? journal.addDone(id, what.done) : journal.addArrived(what.arrived, id, what.request);
    const child = spawn(folder, { ...environment, ...variables }, hears);
    const ready = Promise.withResolvers<void>();
    const live = async (): Promise<void> => {
      for await (const line of linesOf(child.stdout)) {
        if (line.includes('"serving"')) ready.resolve();
        hear(id, line);
      }
      await child.exited;
      running.delete(name);
      listening.delete(name);
      ready.resolve();
      if (child.signalCode === "SIGKILL") journal.addCutOff(id, wallClock());
      const isWell = child.signalCode !== null || child.exitCode === 0;
      if (!replica.isExpected || !isWell)
        journal.addViolation(`process ${id} ended by itself (${child.exitCode}): ${await replica.stderr}`);
    };
    const stderr = new Response(child.stderr).text();
    const replica: Replica = { child, stderr, isExpected: false, ended: Promise.resolve().then(live) };
    running.set(name, replica);
    await ready.promise;
    if (running.get(name) === replica) listening.add(name);
  };

  return {
    addresses: () => [...listening].map((name) => `http://127.0.0.1:${ports[name]}`),
    start,
    kill: (name) => end(name, "SIGKILL"),
    stop: (name) => end(name, "SIGTERM"),
  };
}

function spawn(folder: string, env: Environment, hears: (what: Report) => void) {
  return Bun.spawn([process.execPath, "run", join(import.meta.dir, "replica.ts")], {
    cwd: folder,
    env,
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
    ipc: hears,
  });
}

async function* linesOf(stream: ReadableStream<Uint8Array<ArrayBuffer>>): AsyncGenerator<string> {
  let rest = "";
  for await (const chunk of stream.pipeThrough(new TextDecoderStream())) {
    const [last = "", ...whole] = (rest + chunk).split("\n").reverse();
    rest = last;
    yield* whole.reverse();
  }
}

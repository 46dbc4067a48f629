/**
 * The programs under measurement, as processes of their own: started on one core, asked what CPU time they used,
 * stopped by their own process id. Linux only: the kernel's own account is read, not the program's word.
 */
import { readFileSync } from "node:fs";
import { freePort } from "../harness/ports.ts";

export type Program = {
  readonly port: number;
  /** User and system time so far, of all threads, in milliseconds. proc(5), /proc/pid/stat */
  readonly cpuMs: () => number;
  readonly memory: () => Memory;
  readonly stop: () => Promise<void>;
};

/** Megabytes of memory, as the kernel counts them: proc(5), /proc/pid/smaps_rollup and /proc/pid/status */
export type Memory = {
  /** Resident, what is shared with others included. */
  readonly rss: number;
  /** Resident, with its share of what is shared. */
  readonly pss: number;
  /** The most that was ever resident. */
  readonly peak: number;
};

/** A file for `bun run`, or a command line of its own. */
type Command = string | readonly string[];

export type Environment = Readonly<Record<string, string>>;

/** The measured program has this core to itself, but for the kernel and PostgreSQL. */
export const PROGRAM_CORE = "0";
/** The driver and the stand-ins share the other. */
const OWN_CORE = "1";
/** For what is timed and not charged: a start, with the cores that an operator's process would have. */
export const EVERY_CORE = `${PROGRAM_CORE},${OWN_CORE}`;

const ROOT = new URL("../..", import.meta.url).pathname;
const HEALTH = "/healthz";
const MS_PER_TICK = 10;
const UTIME_FIELD = 14;
const POLL_MS = 1;
const START_DEADLINE_MS = 20_000;

/** Moves this process, with its threads, to the core of the driver. */
export function pinDriver(): void {
  const { exitCode } = Bun.spawnSync(["taskset", "-a", "-c", "-p", OWN_CORE, String(process.pid)]);
  if (exitCode !== 0)
    throw new Error("taskset cannot pin this process: the benchmark needs Linux and two cores");
}

/** Starts a program and waits until it listens. Its log goes nowhere, its faults to ours. */
export async function startProgram(file: Command, environment: Environment): Promise<Program> {
  const port = freePort();
  const child = spawn(file, environment, port);
  try {
    await waitForAnswer(port, child);
  } catch (error) {
    child.kill("SIGKILL");
    throw error;
  }
  return {
    port,
    cpuMs: () => readCpuMs(child.pid),
    memory: () => readMemory(child.pid),
    stop: async () => {
      child.kill("SIGKILL");
      await child.exited;
    },
  };
}

/** Milliseconds from the start of a new process, on these cores, to its first 200 at a path; then it is told to end. */
export async function timeStart(
  file: Command,
  environment: Environment,
  cores: string,
  {
    path = HEALTH,
    signal = "SIGKILL",
  }: { readonly path?: string; readonly signal?: "SIGTERM" | "SIGKILL" } = {},
): Promise<number> {
  const port = freePort();
  const started = performance.now();
  const child = spawn(file, environment, port, cores);
  try {
    await waitForAnswer(port, child, path, "200 ");
    return performance.now() - started;
  } finally {
    child.kill(signal);
    await child.exited;
  }
}

/** Runs a program to its end. */
export async function runToEnd(file: Command, environment: Environment): Promise<void> {
  const exitCode = await spawn(file, environment, 0).exited;
  if (exitCode !== 0) throw new Error(`${file} ended with ${exitCode}`);
}

function spawn(
  file: Command,
  environment: Environment,
  port: number,
  cores: string = PROGRAM_CORE,
): Bun.Subprocess {
  const command = typeof file === "string" ? [process.execPath, "run", file] : file;
  return Bun.spawn(["taskset", "-c", cores, ...command], {
    cwd: ROOT,
    env: { PATH: process.env.PATH, HOME: process.env.HOME, ...environment, PORT: String(port) },
    stdin: "ignore",
    stdout: "ignore",
    stderr: "inherit",
  });
}

async function waitForAnswer(port: number, child: Bun.Subprocess, path = HEALTH, status = ""): Promise<void> {
  const deadline = performance.now() + START_DEADLINE_MS;
  while (!(await answers(port, path, status))) {
    if (child.exitCode !== null) throw new Error(`the program ended with ${child.exitCode}`);
    if (performance.now() > deadline) throw new Error("the program does not answer");
    await Bun.sleep(POLL_MS);
  }
}

/** One attempt: true once an answer with this status, or any, has come; false while nobody listens. */
function answers(port: number, path: string, status: string): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  Bun.connect({
    hostname: "127.0.0.1",
    port,
    socket: {
      open: (socket) => void socket.write(`GET ${path} HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n`),
      data: (_, answer) => resolve(answer.toString("latin1").startsWith(`HTTP/1.1 ${status}`)),
      close: () => resolve(false),
      connectError: () => resolve(false),
    },
  }).catch(() => resolve(false));
  return promise;
}

function readCpuMs(pid: number): number {
  // The second field is the name in parentheses, which may hold blanks: the third follows its end.
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const [user, system] = fields.slice(UTIME_FIELD - 3, UTIME_FIELD - 1);
  return (Number(user) + Number(system)) * MS_PER_TICK;
}

function readMemory(pid: number): Memory {
  const text =
    readFileSync(`/proc/${pid}/smaps_rollup`, "utf8") + readFileSync(`/proc/${pid}/status`, "utf8");
  const read = (name: string) =>
    (Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(text)?.[1]) * 1_024) / 1e6;
  return { rss: read("Rss"), pss: read("Pss"), peak: read("VmHWM") };
}

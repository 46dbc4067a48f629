/**
 * The programs under measurement, as processes of their own: started on one core, asked what CPU time they used,
 * stopped by their own process id. Linux only: the kernel's own account is read, not the program's word.
 */
import { readFileSync } from "node:fs";

export type Program = {
  readonly port: number;
  /** User and system time so far, of all threads, in milliseconds. proc(5), /proc/pid/stat */
  readonly cpuMs: () => number;
  readonly stop: () => Promise<void>;
};

export type Environment = Readonly<Record<string, string>>;

/** The measured program has this core to itself, but for the kernel and PostgreSQL. */
export const PROGRAM_CORE = "0";
/** The driver and the stand-ins share the other. */
const OWN_CORE = "1";
/** For what is timed and not charged: a start, with the cores that an operator's process would have. */
export const EVERY_CORE = `${PROGRAM_CORE},${OWN_CORE}`;

const ROOT = new URL("../..", import.meta.url).pathname;
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

/** A port that was free a moment ago. */
export async function findPort(): Promise<number> {
  const server = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data: () => undefined } });
  const { port } = server;
  server.stop(true);
  return port;
}

/** Starts `bun run <file>` and waits until it listens. Its log goes nowhere, its faults to ours. */
export async function startProgram(file: string, environment: Environment): Promise<Program> {
  const port = await findPort();
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
    stop: async () => {
      child.kill("SIGKILL");
      await child.exited;
    },
  };
}

/** Milliseconds from the start of a new process, on these cores, to its first whole answer at /healthz. */
export async function timeStart(file: string, environment: Environment, cores: string): Promise<number> {
  const port = await findPort();
  const started = performance.now();
  const child = spawn(file, environment, port, cores);
  try {
    await waitForAnswer(port, child);
    return performance.now() - started;
  } finally {
    child.kill("SIGKILL");
    await child.exited;
  }
}

/** Runs `bun run <file>` to its end. */
export async function runToEnd(file: string, environment: Environment): Promise<void> {
  const exitCode = await spawn(file, environment, 0).exited;
  if (exitCode !== 0) throw new Error(`${file} ended with ${exitCode}`);
}

function spawn(
  file: string,
  environment: Environment,
  port: number,
  cores: string = PROGRAM_CORE,
): Bun.Subprocess {
  return Bun.spawn(["taskset", "-c", cores, process.execPath, "run", file], {
    cwd: ROOT,
    env: { PATH: process.env.PATH, HOME: process.env.HOME, ...environment, PORT: String(port) },
    stdin: "ignore",
    stdout: "ignore",
    stderr: "inherit",
  });
}

async function waitForAnswer(port: number, child: Bun.Subprocess): Promise<void> {
  const deadline = performance.now() + START_DEADLINE_MS;
  while (!(await answers(port))) {
    if (child.exitCode !== null) throw new Error(`the program ended with ${child.exitCode}`);
    if (performance.now() > deadline) throw new Error("the program does not answer");
    await Bun.sleep(POLL_MS);
  }
}

/** One attempt: true once an answer has come, whatever it says; false while nobody listens. */
function answers(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  Bun.connect({
    hostname: "127.0.0.1",
    port,
    socket: {
      open: (socket) =>
        void socket.write("GET /healthz HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n"),
      data: () => resolve(true),
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

/**
 * A PostgreSQL of a test's own that asks for a password, which the one of TEST_DATABASE_URL need not do, and that may
 * have a standby, fall silent and stop. It is made from what the machine has installed, on a free port of loopback, and
 * is gone at the end. What initdb makes is made once for a machine, and copied: initdb takes seconds.
 */
import { existsSync, readFileSync, realpathSync, statSync } from "node:fs";
import { chmod, mkdtemp, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { sha256Hex } from "../../lib/crypto.ts";
import { freePort } from "./ports.ts";

/** A server that runs. */
export type Cluster = AsyncDisposable & {
  readonly port: number;
  /** Makes a standby of it, which follows it by streaming replication. */
  readonly startStandby: () => Promise<Cluster>;
  /** A standby becomes a primary. */
  readonly promote: () => Promise<void>;
  /** Falls silent: it takes connections, as the kernel does that for it, and says nothing more, nor does it hang up. */
  readonly freeze: () => void;
  readonly thaw: () => void;
  /** Stops at once, as a machine does that loses power, but that its sockets are closed. */
  readonly crash: () => Promise<void>;
  /** Stops in good order, for servers to begin as copies of it. */
  readonly rest: () => Promise<Original>;
};

/** A server that has stopped in good order. It is gone when the server is. */
export type Original = {
  /** Starts a copy, which holds all that it held. */
  readonly start: () => Promise<Cluster>;
  /** Starts a copy as a standby of another copy, which spares the time of a backup. */
  readonly startStandbyOf: (primary: Cluster) => Promise<Cluster>;
};

/** It only ends what hangs: pg_ctl gives up after a minute by itself. */
const PATIENCE = "--timeout=600";

export const NO_INITDB = "No PostgreSQL is found: install one, or put its initdb on the PATH.";

/** The path of initdb: on the PATH, else where Debian has it, the newest; undefined where there is none. */
export function findInitdb(): string | undefined {
  const installed = [...new Bun.Glob("usr/lib/postgresql/*/bin/initdb").scanSync({ cwd: "/" })];
  const newest = installed.sort(new Intl.Collator("en", { numeric: true }).compare).at(-1);
  return Bun.which("initdb") ?? (newest === undefined ? undefined : `/${newest}`);
}

/** What a server has to show for itself, in PEM. */
export type Certificate = { readonly cert: string; readonly key: string };

/**
 * Starts one whose superuser `janus` has the password that this file holds; with a certificate it has TLS. `settings`
 * are options of the server, such as `-c jit=off`. Throws if no PostgreSQL is installed.
 */
export async function startCluster(
  passwordFile: string,
  certificate?: Certificate,
  settings = "",
): Promise<Cluster> {
  const initdb = findInitdb();
  if (initdb === undefined) throw new Error(NO_INITDB);
  const password = (await Bun.file(passwordFile).text()).trimEnd();
  const allSettings = certificate === undefined ? settings : `-c ssl=on ${settings}`;
  const template = await findTemplate(initdb, password);
  return launch(initdb, password, allSettings, async (folder, data) => {
    await copyData(template, data);
    if (certificate !== undefined) await present(certificate, folder, data);
  });
}

const INITDB_OPTIONS = ["--username=janus", "--auth=scram-sha-256", "--no-sync"];

/** The path of what initdb makes for this password. */
async function findTemplate(initdb: string, password: string): Promise<string> {
  const program = realpathSync(initdb);
  const made = [program, statSync(program).mtimeMs, INITDB_OPTIONS, password];
  const path = join(tmpdir(), `janus-test-cluster-${sha256Hex(JSON.stringify(made)).slice(0, 16)}`);
  if (!existsSync(path)) await makeTemplate(initdb, password, path);
  return path;
}

async function makeTemplate(initdb: string, password: string, path: string): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "janus-cluster-"));
  try {
    // PostgreSQL does not run as root, and what it is given must be its own.
    await chmod(folder, 0o777);
    const [unfinished, own] = [join(folder, "data"), join(folder, "password")];
    await Bun.write(own, `${password}\n`);
    await chmod(own, 0o444);
    await runAsPostgres([initdb, `--pgdata=${unfinished}`, `--pwfile=${own}`, ...INITDB_OPTIONS]);
    // Renamed into its place: test files that run in parallel make it at the same time, and the first one's stays.
    await rename(unfinished, path).catch((error: unknown) => {
      if (!existsSync(path)) throw error;
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const copyData = (from: string, to: string): Promise<void> => runAsPostgres(["cp", "-Rp", from, to]);

/** Starts what `fill` puts into the folder of data. */
async function launch(
  initdb: string,
  password: string,
  settings: string,
  fill: (folder: string, data: string) => Promise<void>,
): Promise<Cluster> {
  const folder = await mkdtemp(join(tmpdir(), "janus-cluster-"));
  const data = join(folder, "data");
  try {
    await chmod(folder, 0o777);
    await fill(folder, data);
    const port = freePort();
    const pgCtl = [join(dirname(initdb), "pg_ctl"), `--pgdata=${data}`, "--silent", "--wait", PATIENCE];
    const listen = `-p ${port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off ${settings}`;
    await runAsPostgres([...pgCtl, `--log=${join(folder, "log")}`, `--options=${listen}`, "start"]);
    return {
      port,
      startStandby: () => {
        const primary = addressOf(password, port);
        // It is where initdb really is: a link on the PATH may stand alone.
        const program = join(dirname(realpathSync(initdb)), "pg_basebackup");
        const copy = [program, "--write-recovery-conf", "--checkpoint=fast"];
        return launch(initdb, password, settings, (_, standby) =>
          runAsPostgres([...copy, "--no-sync", `--pgdata=${standby}`, `--dbname=${primary}`]),
        );
      },
      promote: () => runAsPostgres([...pgCtl, "promote"]),
      freeze: () => signalAll(data, "SIGSTOP"),
      thaw: () => signalAll(data, "SIGCONT"),
      crash: () => runAsPostgres([...pgCtl, "--mode=immediate", "stop"]),
      rest: async () => {
        await runAsPostgres([...pgCtl, "--mode=fast", "stop"]);
        const copy = (_: string, own: string) => copyData(data, own);
        return {
          start: () => launch(initdb, password, settings, copy),
          startStandbyOf: (primary) =>
            launch(initdb, password, settings, async (_, own) => {
              await copyData(data, own);
              await follow(own, addressOf(password, primary.port));
            }),
        };
      },
      [Symbol.asyncDispose]: async () => {
        if (await Bun.file(join(data, "postmaster.pid")).exists()) {
          signalAll(data, "SIGCONT");
          await runAsPostgres([...pgCtl, "--mode=immediate", "stop"]);
        }
        await rm(folder, { recursive: true, force: true });
      },
    };
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

const addressOf = (password: string, port: number): string =>
  `postgres://janus:${encodeURIComponent(password)}@127.0.0.1:${port}/postgres`;

/** Makes what is in the folder begin as a standby, as pg_basebackup does with a recovery configuration. */
async function follow(data: string, primary: string): Promise<void> {
  const configuration = join(data, "postgresql.auto.conf");
  const signal = join(data, "standby.signal");
  const script = `echo "primary_conninfo = '$1'" >> "$2" && touch "$3"`;
  await runAsPostgres(["sh", "-c", script, "follow", primary, configuration, signal]);
}

/** The server itself first, which then makes no more processes. Those that it has may end in between. */
function signalAll(data: string, signal: "SIGSTOP" | "SIGCONT"): void {
  const [server = ""] = readFileSync(join(data, "postmaster.pid"), "utf8").split("\n");
  process.kill(Number(server), signal);
  const children = readFileSync(`/proc/${server}/task/${server}/children`, "utf8").trim().split(/\s+/);
  for (const child of children.filter(Boolean)) signalIfThere(Number(child), signal);
}

function signalIfThere(pid: number, signal: "SIGSTOP" | "SIGCONT"): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
  }
}

/** Puts a certificate where PostgreSQL looks for one. The key must be the server's own, and nobody else's to read. */
async function present({ cert, key }: Certificate, folder: string, data: string): Promise<void> {
  for (const [name, text] of Object.entries({ "server.crt": cert, "server.key": key })) {
    await Bun.write(join(folder, name), text);
    await chmod(join(folder, name), 0o644);
    await runAsPostgres(["install", "-m", "600", join(folder, name), join(data, name)]);
  }
}

async function runAsPostgres(command: readonly string[]): Promise<void> {
  const isRoot = process.getuid?.() === 0;
  const child = Bun.spawn(isRoot ? ["runuser", "-u", "postgres", "--", ...command] : [...command], {
    cwd: "/",
    stdin: "ignore",
    stdout: "ignore",
    stderr: "pipe",
  });
  if ((await child.exited) === 0) return;
  throw new Error(`${command[0]} failed: ${await new Response(child.stderr).text()}`);
}

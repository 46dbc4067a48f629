/** A PgBouncer of a test's own, before the PostgreSQL of TEST_DATABASE_URL: transactions of many clients on few servers. */
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import postgres from "postgres";
import { freePort } from "./ports.ts";

/** A pooler that runs. */
export type PgBouncer = AsyncDisposable & {
  /** The same database through the pooler. */
  readonly through: (url: string) => string;
  /** Has it use another server from now on, as after a failover. The role and its password are the same there. */
  readonly pointTo: (serverUrl: string) => Promise<void>;
};

export const NO_PGBOUNCER = "No PgBouncer is found: install one, or put it on the PATH.";

/** The path of the program; undefined where there is none. */
export function findPgBouncer(): string | undefined {
  return Bun.which("pgbouncer", { PATH: `${process.env.PATH}:/usr/sbin` }) ?? undefined;
}

/** Starts one in transaction mode, with so many connections to a server. More lines may go into its `[pgbouncer]`. */
export async function startPgBouncer(
  serverUrl: string,
  options: { readonly servers?: number; readonly more?: readonly string[] } = {},
): Promise<PgBouncer> {
  const program = findPgBouncer();
  if (program === undefined) throw new Error(NO_PGBOUNCER);
  const role = new URL(serverUrl);
  const folder = await mkdtemp(join(tmpdir(), "janus-pgbouncer-"));
  const [port, config, users] = [freePort(), join(folder, "pgbouncer.ini"), join(folder, "users.txt")];
  await Bun.write(users, `"${role.username}" "${decodeURIComponent(role.password)}"\n`);
  const configure = (server: URL) =>
    Bun.write(
      config,
      [
        "[databases]",
        `* = host=${server.hostname} port=${server.port || 5432}`,
        "[pgbouncer]",
        "listen_addr = 127.0.0.1",
        `listen_port = ${port}`,
        "unix_socket_dir =",
        "auth_type = trust",
        `auth_file = ${users}`,
        `admin_users = ${role.username}`,
        "pool_mode = transaction",
        `default_pool_size = ${options.servers ?? 5}`,
        "max_client_conn = 200",
        ...(options.more ?? []),
      ].join("\n"),
    );
  await configure(role);
  // It does not run as root, and must be able to read this.
  await chmod(folder, 0o755);
  const command = process.getuid?.() === 0 ? ["runuser", "-u", "postgres", "--", program] : [program];
  const child = Bun.spawn([...command, "-q", config], {
    cwd: "/",
    stdin: "ignore",
    stdout: "ignore",
    stderr: "ignore",
  });
  await waitUntilListening(port, child);
  return {
    through: (url) => {
      const pooled = new URL(url);
      pooled.host = `127.0.0.1:${port}`;
      return pooled.href;
    },
    pointTo: async (url) => {
      await configure(new URL(url));
      const console = { host: "127.0.0.1", port, database: "pgbouncer", username: role.username };
      const admin = postgres({ ...console, max: 1, fetch_types: false, onnotice: () => undefined });
      await admin`reload`.simple().finally(() => admin.end());
    },
    [Symbol.asyncDispose]: async () => {
      child.kill("SIGTERM");
      await child.exited;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function waitUntilListening(port: number, child: { readonly exitCode: number | null }): Promise<void> {
  for (;;) {
    if (child.exitCode !== null) throw new Error("PgBouncer has ended");
    try {
      const socket = await Bun.connect({ hostname: "127.0.0.1", port, socket: { data: () => undefined } });
      socket.end();
      return;
    } catch {
      // Not yet.
      await Bun.sleep(50);
    }
  }
}

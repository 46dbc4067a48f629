/**
 * A PostgreSQL of a test's own that asks for a password, which the one of TEST_DATABASE_URL need not do. It is made from
 * what the machine has installed, on a free port of loopback, and is gone at the end.
 */
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { freePort } from "./ports.ts";

/** A server that runs. */
export type Cluster = AsyncDisposable & {
  readonly port: number;
};

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
 * Starts one whose superuser `janus` has the password that this file holds; with a certificate it has TLS. Throws where
 * there is none to start.
 */
export async function startCluster(passwordFile: string, certificate?: Certificate): Promise<Cluster> {
  const initdb = findInitdb();
  if (initdb === undefined) throw new Error(NO_INITDB);
  const folder = await mkdtemp(join(tmpdir(), "janus-cluster-"));
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true });
  try {
    const [own, data] = [join(folder, "password"), join(folder, "data")];
    await Bun.write(own, Bun.file(passwordFile));
    // PostgreSQL does not run as root, and what it is given must be its own.
    await chmod(folder, 0o777);
    await chmod(own, 0o444);
    const port = freePort();
    const pgCtl = [join(dirname(initdb), "pg_ctl"), `--pgdata=${data}`, "--silent", "--wait"];
    const tls = certificate === undefined ? "" : "-c ssl=on";
    const listen = `-p ${port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off ${tls}`;
    await runAsPostgres([
      initdb,
      `--pgdata=${data}`,
      "--username=janus",
      "--auth=scram-sha-256",
      `--pwfile=${own}`,
      "--no-sync",
    ]);
    if (certificate !== undefined) await present(certificate, folder, data);
    await runAsPostgres([...pgCtl, `--log=${join(folder, "log")}`, `--options=${listen}`, "start"]);
    return {
      port,
      [Symbol.asyncDispose]: async () => {
        await runAsPostgres([...pgCtl, "--mode=immediate", "stop"]);
        await remove();
      },
    };
  } catch (error) {
    await remove();
    throw error;
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

/** Databases to measure on, on the server that BENCH_DATABASE_URL names. */
import postgres from "postgres";

const SERVER_URL = process.env.BENCH_DATABASE_URL ?? "postgres://postgres@127.0.0.1:5432/postgres";

/** Makes an empty database and returns its address. */
export async function createDatabase(): Promise<string> {
  const name = `janus_bench_${crypto.randomUUID().replaceAll("-", "")}`;
  await runOnServer(`create database ${name}`);
  const url = new URL(SERVER_URL);
  url.pathname = `/${name}`;
  return url.href;
}

/** Drops it, even while programs are connected. */
export async function dropDatabase(url: string): Promise<void> {
  await runOnServer(`drop database ${new URL(url).pathname.slice(1)} with (force)`);
}

async function runOnServer(statement: string): Promise<void> {
  const sql = postgres(SERVER_URL, { max: 1, onnotice: () => undefined });
  await sql.unsafe(statement).finally(() => sql.end());
}

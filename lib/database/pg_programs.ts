/**
 * PostgreSQL's own programs pg_dump and pg_restore: where they are, which version, and how one is run for a database. Where
 * the database is, and its password, they learn from their environment: other users of the machine see a command line.
 */
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import type { DatabaseAddress, Tls } from "../config/database_address.ts";
import { backupFailed } from "../errors.ts";
import { printable } from "../text/printable.ts";

/** One of the programs. */
type Name = "pg_dump" | "pg_restore";

/** A program on this machine. */
export type Program = { readonly path: string; readonly major: number };

/** The variables of a program. */
export type ProgramEnvironment = Readonly<Record<string, string>>;

/** Where Debian has each version. What is elsewhere is in PATH. */
const VERSIONS = "/usr/lib/postgresql";
const MOST_OF_ERROR = 600;
const MOST_SAID = 65_536;
const SYSTEM_ROOT_MAJOR = 16;

/** The first program of PATH, or of another usual place, that is as new as that. Throws backup_failed. */
export async function findProgram(name: Name, path: string, leastMajor: number): Promise<Program> {
  const found: Program[] = [];
  for (const candidate of listCandidates(name, path)) {
    const major = await readMajor(candidate);
    if (major !== undefined && major >= leastMajor) return { path: candidate, major };
    if (major !== undefined) found.push({ path: candidate, major });
  }
  const seen = found.map((program) => `${program.path} is of version ${program.major}`).join(", ");
  throw backupFailed(
    `${name} of PostgreSQL ${leastMajor} or later is needed, and ${seen === "" ? "none is in PATH" : seen}. Install ` +
      "PostgreSQL's client programs, or make the backup in Janus's own form: add --own-form.",
  );
}

function listCandidates(name: Name, path: string): readonly string[] {
  const versions = existsSync(VERSIONS) ? readdirSync(VERSIONS).map(Number).filter(Number.isInteger) : [];
  const folders = [
    ...path.split(delimiter).filter((folder) => folder !== ""),
    ...versions.sort((a, b) => b - a).map((version) => join(VERSIONS, String(version), "bin")),
  ];
  return [...new Set(folders.map((folder) => join(folder, name)))].filter((file) => existsSync(file));
}

async function readMajor(program: string): Promise<number | undefined> {
  try {
    const child = Bun.spawn([program, "--version"], { env: PLAIN, stdin: "ignore", stderr: "ignore" });
    const text = await new Response(child.stdout).text();
    const major = /\(PostgreSQL\) (\d{1,3})/.exec(text)?.[1];
    return major === undefined ? undefined : Number(major);
  } catch {
    // It cannot be run, so it is none.
    return undefined;
  }
}

/** What each program gets: English messages, and times in UTC. */
const PLAIN: ProgramEnvironment = { LC_ALL: "C", TZ: "UTC", PGTZ: "UTC", PGDATESTYLE: "ISO" };

/** A program that is to be run. `onSaid` gets all that it has said on standard error, each time that there is more. */
export type Run = {
  readonly program: Program;
  readonly args: readonly string[];
  readonly environment?: ProgramEnvironment;
  readonly stop: AbortSignal;
  readonly onSaid?: (text: string) => void;
};

/** Runs a program, and gives what it prints, piece by piece. Throws backup_failed with what it says if it fails. */
export async function* runProgram({
  program: { path },
  args,
  environment = {},
  stop,
  onSaid,
}: Run): AsyncGenerator<Uint8Array> {
  const child = Bun.spawn([path, ...args], {
    env: { ...PLAIN, ...environment },
    stdin: "ignore",
    stderr: "pipe",
    signal: stop,
  });
  try {
    const said = hear(child.stderr, onSaid);
    yield* child.stdout;
    const code = await child.exited;
    if (code !== 0) throw failed(path, await said, stop);
  } finally {
    child.kill();
    await child.exited;
  }
}

async function hear(stream: ReadableStream<Uint8Array>, onSaid?: (text: string) => void): Promise<string> {
  let text = "";
  const decoder = new TextDecoder();
  for await (const chunk of stream) {
    text = (text + decoder.decode(chunk, { stream: true })).slice(-MOST_SAID);
    onSaid?.(text);
  }
  return text;
}

function failed(path: string, said: string, stop: AbortSignal): Error {
  if (stop.aborted) return backupFailed("stopped before the end");
  // It names hosts and tables, and no value.
  const lines = said.trim().split("\n");
  const words = (lines.find((line) => line.includes("error:")) ?? lines.at(-1) ?? "").replace(/^\S+: /, "");
  return backupFailed(`${path} has failed: ${printable(words, MOST_OF_ERROR)}`);
}

/**
 * Does work with the variables that lead a program to a database, as the driver is led there. Certificates are in a folder
 * of their own meanwhile.
 */
export async function withProgramEnvironment<Result>(
  address: DatabaseAddress,
  program: Program,
  work: (environment: ProgramEnvironment) => Promise<Result>,
): Promise<Result> {
  const { tls } = address;
  const variables = describeAddress(address);
  if (tls.mode === "disable" || tls.mode === "prefer") return work({ ...variables, PGSSLMODE: tls.mode });
  const folder = mkdtempSync(join(tmpdir(), "janus-tls-"));
  try {
    return await work({ ...variables, ...describeTls(tls, folder, program) });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function describeAddress(address: DatabaseAddress): ProgramEnvironment {
  const { servers, database, user, password, targetSessionAttrs } = address;
  const { application_name: _name, options = "", ...settings } = address.settings;
  const given = Object.entries(settings).map(
    ([name, value]) => `-c ${name}=${value.replaceAll(/[\\ ]/g, "\\$&")}`,
  );
  return withoutEmpty({
    PGHOST: servers.map(({ host }) => host).join(),
    PGPORT: servers.map(({ port }) => port).join(),
    PGDATABASE: database,
    PGUSER: user,
    PGPASSWORD: password,
    PGAPPNAME: "janus backup",
    PGOPTIONS: [options, ...given, "-c statement_timeout=0"].join(" ").trim(),
    PGTARGETSESSIONATTRS: targetSessionAttrs,
    PGCONNECT_TIMEOUT: "10",
  });
}

type OwnTls = Exclude<Tls, { readonly mode: "disable" | "prefer" }>;

function describeTls(tls: OwnTls, folder: string, { major }: Program): ProgramEnvironment {
  const keep = (name: string, pem: string | undefined): string | undefined => {
    if (pem === undefined) return undefined;
    const path = join(folder, name);
    writeFileSync(path, pem, { mode: 0o600 });
    return path;
  };
  const checks = tls.mode !== "require";
  if (checks && tls.ca === undefined && (tls.mode === "verify-ca" || major < SYSTEM_ROOT_MAJOR))
    throw backupFailed(
      "pg_dump does not know the authorities that the runtime trusts: name a file with sslrootcert in DATABASE_URL, or " +
        "make the backup in Janus's own form: add --own-form.",
    );
  return withoutEmpty({
    PGSSLMODE: tls.mode,
    PGSSLROOTCERT: keep("root.pem", tls.ca) ?? (checks ? "system" : join(folder, "none")),
    PGSSLCERT: keep("cert.pem", tls.cert) ?? join(folder, "none"),
    PGSSLKEY: keep("key.pem", tls.key),
  });
}

const withoutEmpty = (variables: Readonly<Record<string, string | undefined>>): ProgramEnvironment =>
  Object.fromEntries(
    Object.entries(variables).flatMap(([name, value]) => (value ? [[name, value] as const] : [])),
  );

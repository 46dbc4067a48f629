/** `bun run demo` as a newcomer runs it: it prints an address, the flow works from there, and no files are left. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { existsSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseRules } from "../../lib/rules/file.ts";
import { foresee } from "../demo_guide.ts";
import { PEOPLE, readDemoRules } from "../demo_people.ts";
import { createSteps } from "../demo_steps.ts";
import { textOf } from "../harness/html.ts";
import type { CookieJar } from "../standins/member.ts";
import { approveDiscord, createJar, signInAtProvider, visit } from "../standins/member.ts";

/** Variables that a developer may have set for other purposes, and that would break the demo if it read them. */
const FOREIGN_ENVIRONMENT = {
  PUBLIC_URL: "https://janus.example.org",
  HOST: "0.0.0.0",
  PORT: "1",
  DATABASE_URL: "postgres://nobody@127.0.0.1:1/nothing",
  DATA_DIR: "/nowhere",
  PGHOST: "127.0.0.1",
  PGPORT: "1",
  PGTARGETSESSIONATTRS: "primary",
  HTTP_PROXY: "http://127.0.0.1:1",
  http_proxy: "http://127.0.0.1:1",
};

const STARTING = "The demo of Janus is starting. On a slow machine this takes a minute or two.";
const STEPS = [
  "Discord, played by a stand-in",
  "the OpenID Provider",
  "the metadata records, registered with Discord",
  "the embedded database",
  "Janus",
  "the doctor",
];

let folder: string;
const demos: { readonly kill: (signal: "SIGKILL") => void }[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "janus-test-"));
});

afterEach(() => {
  for (const demo of demos.splice(0)) demo.kill("SIGKILL");
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
});

test("bun run demo leads to the role, on loopback only, and leaves no files behind", async () => {
  const demo = startDemo("--port", "0", "--doctor");
  const output = await readUntil(demo, "Ctrl-C");
  const addresses = new Set(output.slice(output.indexOf("Open ")).match(/http:\/\/[^\s#]+/g));
  const [guideUrl = "", appUrl = "", accountUrl = ""] = addresses;

  const jar = createJar();
  const guide = await read(guideUrl, jar);
  const linkedRole = /href="([^"]+)">Linked Roles: verify</.exec(await read(appUrl, jar))?.[1] ?? "";
  const authorization = await follow(linkedRole, jar);
  const userId = /value="(\d+)">Authorize as Anna</.exec(await read(authorization, jar))?.[1] ?? "";
  const provider = await follow(await approveDiscord(authorization, userId), jar);
  const callback = await signInAtProvider(provider, "anna");
  const success = await read(new URL(await follow(callback, jar), callback).href, jar);
  const account = await read(accountUrl, jar);
  const mayHave = await read(appUrl, jar);
  const pressed = await visit(new URL("/app/link", appUrl), jar, { user_id: userId });
  const hasRole = await read(appUrl, jar);
  const login = new URLSearchParams({
    client_id: "300000000000000000",
    response_type: "code",
    scope: "identify",
    prompt: "none",
    redirect_uri: new URL("/login", linkedRole).href,
  });
  const loginPage = await visit(new URL(`/oauth2/authorize?${login}`, appUrl), jar);
  const listening = listeningAddresses(demo.pid);
  demo.kill("SIGTERM");

  // In a pipe: whole lines, each once, and nothing that only a terminal understands.
  expect(output.split("\n").slice(0, 8)).toEqual([STARTING, ...STEPS.map((name) => `  ✓ ${name}`), ""]);
  expect(output).not.toContain("\r");
  expect(output).toMatch(/^All \d+ checks are well\.$/m);
  expect([...addresses]).toEqual([guideUrl, appUrl, new URL("/account", linkedRole).href]);
  expect(guide).toContain(`href="${appUrl}">Begin in Discord</a>`);
  expect(success).toContain("Your accounts are linked");
  expect(textOf(account)).toContain("Committees: 2");
  expect(success).toContain(`href="${new URL("/channels/@me", appUrl).href}"`);
  expect(mayHave).toContain("Anna can get the role");
  expect(pressed.status).toBe(303);
  expect(hasRole).toContain("Anna has the role");
  expect(loginPage.status).toBe(200);
  for (const address of [guideUrl, appUrl, accountUrl, linkedRole, provider])
    expect(new URL(address).hostname).toBe("127.0.0.1");
  if (listening !== undefined) expect(listening).toEqual(["127.0.0.1"]);
  expect(await demo.exited).toBe(0);
  expect(await new Response(demo.stderr).text()).toBe("");
  expect(readdirSync(folder)).toEqual([]);
});

test("bun run demo ends cleanly when it is interrupted while it starts", async () => {
  const demo = startDemo("--port", "0");
  await readUntil(demo, "starting");

  demo.kill("SIGINT");

  expect(await demo.exited).toBe(0);
  expect(readdirSync(folder)).toEqual([]);
});

test("bun run demo says in one line that its port is taken", async () => {
  const other = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => new Response() });
  const { port } = other;
  const demo = startDemo("--port", String(port));

  const complaint = await new Response(demo.stderr).text();
  await other.stop(true);

  expect(complaint).toMatch(new RegExp(`^demo: Port ${port} is taken[^\n]*\n$`));
  expect(await demo.exited).toBe(1);
  expect(readdirSync(folder)).toEqual([]);
});

describe("foresee()", () => {
  test("tells a different fate of each person of the demo, by the example's rules", async () => {
    const parsed = await parseRules("example.rules.toml", readDemoRules());
    if (!("rules" in parsed)) throw new Error(parsed.faults.map(({ reason }) => reason).join("\n"));

    expect(PEOPLE.map((person) => `${person.login}: ${foresee(parsed.rules, person)}`)).toEqual([
      "anna: Is linked. Member: yes. Committees: 2.",
      "bo: Is linked. Member: yes. Committees: 0.",
      "cleo: Is not linked, and reads why.",
      "dani: Is linked. Member: not known. Committees: not known.",
      "eli: Is not linked: nobody knows whether this account may be.",
    ]);
  });
});

describe("createSteps()", () => {
  /** A step that succeeds and one that fails, as they are printed. */
  async function printSteps(isLive: boolean): Promise<readonly string[]> {
    const printed: string[] = [];
    const step = createSteps((text) => void printed.push(text), isLive);
    expect(await step("the first", () => 1)).toBe(1);
    const failing = step("the second", () => Promise.reject(new Error("no")));
    expect(failing).rejects.toThrow("no");
    await failing.catch(() => undefined);
    return printed;
  }

  test("names a step on a terminal when it begins, and writes over it when it ends", async () => {
    expect(await printSteps(true)).toEqual([
      "  … the first",
      "\r  ✓ the first\n",
      "  … the second",
      "\r  ✗ the second\n",
    ]);
  });

  test("prints one line for each step where there is no terminal", async () => {
    expect(await printSteps(false)).toEqual(["  ✓ the first\n", "  ✗ the second\n"]);
  });
});

function startDemo(...args: readonly string[]) {
  const demo = Bun.spawn([process.execPath, "run", join(import.meta.dir, "..", "demo.ts"), ...args], {
    env: { ...FOREIGN_ENVIRONMENT, PATH: process.env.PATH, TMPDIR: folder },
    stdout: "pipe",
    stderr: "pipe",
  });
  demos.push(demo);
  return demo;
}

/** The output up to this text, or all of it when the text does not come. */
async function readUntil({ stdout }: ReturnType<typeof startDemo>, text: string): Promise<string> {
  const reader = stdout.getReader();
  const decoder = new TextDecoder();
  let output = "";
  while (!output.includes(text)) {
    const { done, value } = await reader.read();
    if (done) break;
    output += decoder.decode(value, { stream: true });
  }
  reader.releaseLock();
  return output;
}

async function read(address: string, jar: CookieJar): Promise<string> {
  const response = await visit(address, jar);
  if (response.status !== 200) throw new Error(`${address} answers ${response.status}`);
  return await response.text();
}

async function follow(address: string, jar: CookieJar): Promise<string> {
  const location = (await visit(address, jar)).headers.get("location");
  if (location === null) throw new Error(`${address} leads nowhere`);
  return location;
}

const LISTEN = "0A";

/** The addresses that the process listens on, each once; undefined where there is no /proc to tell. */
function listeningAddresses(pid: number): readonly string[] | undefined {
  if (!existsSync("/proc/net/tcp")) return undefined;
  const sockets = new Set(readdirSync(`/proc/${pid}/fd`).map((fd) => linkOf(`/proc/${pid}/fd/${fd}`)));
  const lines = ["/proc/net/tcp", "/proc/net/tcp6"]
    .filter((path) => existsSync(path))
    .flatMap((path) => readFileSync(path, "utf8").split("\n"));
  const addresses = lines
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields[3] === LISTEN && sockets.has(`socket:[${fields[9]}]`))
    .map((fields) => readAddress(fields[1] ?? ""));
  return [...new Set(addresses)];
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    // Closed since the folder was read: not a socket that listens.
    return "";
  }
}

/** `0100007F:1F90` is 127.0.0.1: four bytes, the last one first. */
function readAddress(local: string): string {
  const [hex = ""] = local.split(":");
  return hex.length === 8
    ? (hex.match(/../g) ?? [])
        .map((byte) => Number.parseInt(byte, 16))
        .reverse()
        .join(".")
    : hex;
}

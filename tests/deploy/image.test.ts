/**
 * The image as an engine makes it, and as it runs: built twice, with a change between. It needs buildah, podman, root and
 * minutes, so it runs only where CONTAINER_TESTS says so. No image is pulled: the bases are made of this machine's own
 * Bun and C library. The engines take other settings from their own variables: BUILDAH_ISOLATION,
 * CONTAINERS_CONF.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { appendFile, cp, mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import packageJson from "../../package.json" with { type: "json" };
import { readStages } from "../fixtures/deployment.ts";
import { ROOT, readText } from "../fixtures/source.ts";
import { useFolder } from "../harness/hooks.ts";
import { CANARY, DISCORD_CLIENT_ID, environmentFor, OIDC_CLIENT_ID, USERS } from "../harness/janus.ts";
import type { DiscordStandin } from "../standins/discord.ts";
import { startDiscord } from "../standins/discord.ts";
import type { ForgerStandin } from "../standins/forger.ts";
import { startForger } from "../standins/forger.ts";

const isSkipped = !process.env.CONTAINER_TESTS;
const BUN_BASE = "localhost/janus-test-bun:1";
const BASE = "localhost/janus-test-base:1";
const IMAGE = "localhost/janus-test:1";
const NAME = `janus-test-${process.pid}`;
const CERTIFICATES = "/etc/ssl/certs";
/** The restrictions that compose.yaml sets. */
const HARDENED = ["--read-only", "--cap-drop=all", "--security-opt=no-new-privileges"];

type Ended = { readonly exitCode: number | null; readonly said: string };

async function run(...command: readonly string[]): Promise<Ended> {
  const child = Bun.spawn([...command], { stdin: "ignore", stdout: "pipe", stderr: "pipe" });
  const [stdout, stderr] = await Promise.all(
    [child.stdout, child.stderr].map((stream) => new Response(stream).text()),
  );
  return { exitCode: await child.exited, said: `${stdout}${stderr}` };
}

async function must(...command: readonly string[]): Promise<string> {
  const { exitCode, said } = await run(...command);
  if (exitCode !== 0) throw new Error(`${command.slice(0, 2).join(" ")} failed:\n${said}`);
  return said;
}

const janus = (options: readonly string[], ...args: readonly string[]) =>
  run("podman", "run", "--rm", ...HARDENED, ...options, IMAGE, ...args);

const folder = useFolder("image");

describe.skipIf(isSkipped)("the image", () => {
  let context: string;
  const builds: string[] = [];

  beforeAll(async () => {
    context = join(folder, "context");
    await makeContext(context);
    const programs = {
      [process.execPath]: "/usr/local/bin/bun",
      "/bin/mkdir": "/bin/mkdir",
      "/bin/sh": "/bin/sh",
    };
    await makeBase(join(folder, "bun"), BUN_BASE, programs);
    await makeBase(join(folder, "base"), BASE, {});
    builds.push(await build(context));
    await appendFile(join(context, "lib/rules/role_connection.ts"), "// Another line.\n");
    builds.push(await build(context));
  });
  afterAll(async () => {
    await run("podman", "rm", "--force", "--time=0", NAME);
    await run("podman", "rmi", "--force", IMAGE, BASE, BUN_BASE);
  });

  test("is built again without installing packages after a change in lib/", () => {
    const [first = "", second = ""] = builds.map(sayOfInstall);

    expect(first).toContain("packages installed");
    expect(second).toContain("Using cache");
    expect(second).not.toContain("packages installed");
    expect(builds[1]).toContain("build: dist/janus");
  });

  // The base here is this suite's own and has no shell, so this shows that the build adds no shell. container.test.ts
  // holds that the base of the Containerfile has no shell either.
  test("runs Janus, and gets no shell from the Containerfile", async () => {
    const [version, shell] = [
      await janus(["--network=none"], "--version"),
      await janus(["--network=none", "--entrypoint=/bin/sh"], "-c", "true"),
    ];

    expect(version).toMatchObject({ exitCode: 0, said: expect.stringContaining(packageJson.version) });
    expect(shell.exitCode).toBe(127);
  });

  test("sets up the embedded database as its own user, on a read-only root", async () => {
    const { exitCode, said } = await janus(["--network=none", "--read-only-tmpfs=false"], "-s");

    expect({ exitCode, said }).toMatchObject({ exitCode: 0, said: expect.stringContaining("up to date") });
  });

  test("exits with 2 and names PUBLIC_URL when nothing is configured", async () => {
    const { exitCode, said } = await janus(["--network=none"]);

    expect({ exitCode, said }).toMatchObject({
      exitCode: 2,
      said: expect.stringContaining("PUBLIC_URL is missing"),
    });
  });

  describe("between Discord and a provider", () => {
    let discord: DiscordStandin;
    let forger: ForgerStandin;
    let options: readonly string[];
    let url: string;

    beforeAll(async () => {
      const probe = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response() });
      url = `http://127.0.0.1:${probe.port}`;
      await probe.stop(true);
      const redirectUris = [`${url}/unused`];
      discord = startDiscord({
        ...{
          clientId: DISCORD_CLIENT_ID,
          clientSecret: CANARY.discordClientSecret,
          botToken: CANARY.botToken,
        },
        redirectUris,
        users: Object.values(USERS),
      });
      forger = startForger({ clientId: OIDC_CLIENT_ID, clientSecret: CANARY.oidcClientSecret, redirectUris });
      const environment = {
        ...environmentFor(url, discord, forger.issuer),
        PORT: new URL(url).port,
        DISCORD_BOT_TOKEN: CANARY.botToken,
      };
      const variables = Object.entries(environment).map(([name, value]) => `--env=${name}=${value}`);
      options = ["--network=host", ...variables];
    });
    afterAll(() => Promise.all([discord?.stop(), forger?.stop()]));

    test("registers the metadata records, without a terminal with --yes", async () => {
      const { exitCode, said } = await janus(options, "register", "--yes");

      expect({ exitCode, said }).toMatchObject({ exitCode: 0, said: expect.stringContaining("registered") });
    });

    test("serves, is healthy, and stops with 0", async () => {
      await must("podman", "run", "--detach", `--name=${NAME}`, ...HARDENED, ...options, IMAGE);
      const isReady = await until(async () => (await fetch(`${url}/readyz`)).ok);
      const health = await run("podman", "exec", NAME, "/usr/local/bin/janus", "healthcheck");
      await must("podman", "stop", "--time=15", NAME);
      const state = await must("podman", "inspect", "--format={{.State.ExitCode}}", NAME);

      expect(isReady).toBe(true);
      expect(health).toMatchObject({ exitCode: 0 });
      expect(state.trim()).toMatch(/^0$/m);
    });
  });
});

/** The files that the build copies, and the files that describe the build. */
async function makeContext(context: string): Promise<void> {
  const { stages } = readStages(await readText("Containerfile"));
  const sources = stages
    .flatMap(({ instructions }) => instructions)
    .filter(({ name, flags }) => name === "COPY" && flags.from === undefined)
    .flatMap(({ rest }) => rest.split(/\s+/).slice(0, -1));
  for (const path of ["Containerfile", ".dockerignore", ...sources]) {
    await cp(join(ROOT, path), join(context, path), { recursive: true });
  }
}

/** An image of these programs, the libraries that they load, and the certificates of this machine. */
async function makeBase(
  root: string,
  image: string,
  programs: Readonly<Record<string, string>>,
): Promise<void> {
  const linked = await Promise.all(
    [process.execPath, ...Object.keys(programs)].map((path) => must("ldd", path)),
  );
  const libraries = linked.flatMap((said) => said.match(/\/lib\S*/g) ?? []);
  const files = {
    ...Object.fromEntries([CERTIFICATES, ...libraries].map((path) => [path, path])),
    ...programs,
  };
  for (const [from, to] of Object.entries(files)) {
    await mkdir(dirname(join(root, to)), { recursive: true });
    await cp(from, join(root, to), { dereference: true, recursive: true });
  }
  await Promise.all(["tmp", "etc"].map((name) => mkdir(join(root, name), { recursive: true })));
  await must("sh", "-c", `tar -C "$1" -c . | podman import --quiet - "$2"`, "sh", root, image);
}

function build(context: string): Promise<string> {
  const bases = [`--build-arg=BUN_IMAGE=${BUN_BASE}`, `--build-arg=BASE_IMAGE=${BASE}`];
  const options = ["--format=docker", "--layers", "--network=host", `--tag=${IMAGE}`, ...bases];
  return must("buildah", "build", ...options, `--file=${join(context, "Containerfile")}`, context);
}

/** The output of a build between the step that installs and the next step. */
function sayOfInstall(said: string): string {
  const from = said.indexOf('RUN ["bun", "install"');
  return said.slice(from, said.indexOf("STEP", from));
}

async function until(isSo: () => Promise<boolean>): Promise<boolean> {
  for (let tries = 0; tries < 100; tries += 1) {
    if (await isSo().catch(() => false)) return true;
    await Bun.sleep(200);
  }
  return false;
}

/** The units for systemd and for Quadlet agree with the program, with compose, and with each other. */
import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync, statSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readConfig, VARIABLES } from "../../lib/config/load.ts";
import { configInvalid } from "../../lib/errors.ts";
import { defaultOf, isPinned, readCommands, readUnit, toSeconds } from "../fixtures/deployment.ts";
import { listFiles, ROOT, readText } from "../fixtures/source.ts";

const isCommand = readCommands();
const SECRETS = VARIABLES.filter(({ secret }) => secret).map(({ name }) => name);
const NAMES = [...VARIABLES.map(({ name }) => name), ...SECRETS.map((name) => `${name}_FILE`)];
/** The variables that the server requires, without its secrets. */
const REQUIRED = {
  PUBLIC_URL: "https://janus.example.org",
  DISCORD_CLIENT_ID: "1111111111111111111",
  OIDC_ISSUER: "https://auth.example.org",
  OIDC_CLIENT_ID: "janus",
};
const { PATH = "" } = process.env;
const unknownTo = (names: readonly string[], environment: Readonly<Record<string, string>>) =>
  Object.keys(environment).filter((name) => !names.includes(name));

/** The keys of [Container] in Podman 4.5: its pkg/systemd/quadlet/quadlet.go. A file with any other is ignored. */
const KEYS_OF_QUADLET_4_5 = [
  ...["AddCapability", "AddDevice", "Annotation", "ContainerName", "DropCapability", "Environment"],
  ...["EnvironmentFile", "EnvironmentHost", "Exec", "ExposeHostPort", "Group", "HealthCmd", "HealthInterval"],
  ...[
    "HealthOnFailure",
    "HealthRetries",
    "HealthStartPeriod",
    "HealthTimeout",
    "IP",
    "IP6",
    "Image",
    "Label",
  ],
  ...["LogDriver", "Mount", "Network", "NoNewPrivileges", "Notify", "PodmanArgs", "PublishPort", "ReadOnly"],
  ...["Rootfs", "RunInit", "SeccompProfile", "Secret", "Timezone", "Tmpfs", "User", "UserNS", "Volume"],
];

describe("deploy/janus.service", async () => {
  const unit = await readUnit("deploy/janus.service");
  const of = (key: string): string => unit.value("Service", key);

  test("migrates and then serves, by commands that exist", () => {
    expect(of("ExecStartPre")).toBe("/usr/local/bin/janus migrate");
    expect(of("ExecStart")).toBe("/usr/local/bin/janus serve");
    for (const key of ["ExecStartPre", "ExecStart"])
      expect(isCommand(of(key).split(" ")[1] ?? "")).toBe(true);
  });

  test("sets only variables that exist, and secrets only as files", () => {
    expect(unknownTo(NAMES, unit.environment)).toEqual([]);
    expect(Object.keys(unit.environment).filter((name) => SECRETS.some((secret) => secret === name))).toEqual(
      [],
    );
    expect(unit.environment.DATA_DIR).toBe(`%S/${of("StateDirectory")}`);
  });

  test("passes every required secret as a file named after its variable", () => {
    const required = VARIABLES.filter(({ secret, required }) => secret && required)
      .map(({ name }) => name)
      .filter((name) => name !== "DISCORD_BOT_TOKEN");
    const expected = required.map((name) => name.toLowerCase());

    expect(unit.values("Service", "LoadCredential")).toEqual(
      expected.map((name) => `${name}:/etc/janus/secrets/${name}`),
    );
    expect(required.map((name) => unit.environment[`${name}_FILE`])).toEqual(
      expected.map((name) => `%d/${name}`),
    );
  });

  test("gives commands that make valid, private secret files and never replace them", async () => {
    const text = await readText("deploy/janus.service");
    const folder = await mkdtemp(join(tmpdir(), "janus-secrets-"));
    const commands = text
      .split("\n")
      .flatMap((line) => /^# {3}(install -d .*|\( *|\) *| {2}\S.*)$/.exec(line)?.[1] ?? [])
      .join("\n")
      .replaceAll("/etc/janus", folder)
      // In the place of an operator who pastes a secret.
      .replaceAll("cat >", "echo pasted >");
    const program = `janus() { "${process.execPath}" run "${join(ROOT, "index.ts")}" "$@"; }`;
    const install = () => Bun.spawnSync(["sh", "-c", `${program}\n${commands}`], { env: { PATH } });

    const { exitCode, stdout, stderr } = install();
    const files = unit.values("Service", "LoadCredential").map((pair) => pair.split("/").at(-1) ?? "");
    const paths = files.map((name) => join(folder, "secrets", name));
    const modes = [folder, join(folder, "secrets"), ...paths].map((path) => statSync(path).mode & 0o777);
    const held = paths.map((path) => readFileSync(path, "utf8"));
    const config = readConfig({
      ...REQUIRED,
      ...Object.fromEntries(files.map((name, index) => [`${name.toUpperCase()}_FILE`, paths[index]])),
    });
    install();
    const heldLater = paths.map((path) => readFileSync(path, "utf8"));
    await rm(folder, { recursive: true });

    expect({ exitCode, said: `${stdout}${stderr}` }).toEqual({ exitCode: 0, said: "" });
    expect(modes).toEqual([0o700, 0o700, ...paths.map(() => 0o600)]);
    expect(config.discord.clientSecret).toBe("pasted");
    expect(config.tokenKeys.map(({ id }) => id)).toEqual(["k1"]);
    // An operator who follows the recipe again does not lose the ring of keys.
    expect(heldLater).toEqual(held);
  });

  test("allows the time Janus needs, and does not restart it on a bad configuration", () => {
    expect(toSeconds(of("TimeoutStopSec"))).toBeGreaterThan(Number(defaultOf("SHUTDOWN_SECONDS")));
    expect(toSeconds(of("TimeoutStartSec"))).toBeGreaterThan(Number(defaultOf("DATABASE_WAIT_SECONDS")));
    expect(of("Restart")).toBe("on-failure");
    expect(of("RestartPreventExitStatus")).toBe(String(configInvalid("").exitStatus));
    // Waiting for a database takes longer than the limit counts; failing at once does not.
    const attempts = Number(unit.value("Unit", "StartLimitBurst"));
    const seconds = Number(unit.value("Unit", "StartLimitIntervalSec"));
    const waiting = Number(defaultOf("DATABASE_WAIT_SECONDS")) + toSeconds(of("RestartSec"));
    expect(attempts).toBeGreaterThan(seconds / waiting);
    expect(attempts).toBeLessThan(seconds / toSeconds(of("RestartSec")));
  });

  test("confines Janus strictly, but lets it compile code at run time", () => {
    for (const key of ["DynamicUser", "NoNewPrivileges", "ProtectHome", "PrivateUsers", "PrivateDevices"]) {
      expect({ key, value: of(key) }).toEqual({ key, value: "yes" });
    }
    expect(of("ProtectSystem")).toBe("strict");
    expect(of("CapabilityBoundingSet")).toBe("");
    expect(unit.values("Service", "MemoryDenyWriteExecute")).toEqual([]);
  });

  const analyze = Bun.which("systemd-analyze");
  if (analyze === null) console.warn("The judgement of systemd is skipped: there is no systemd-analyze.");

  test.skipIf(analyze === null)("is valid to systemd, with an exposure of at most 1.5 of 10", async () => {
    const folder = await mkdtemp(join(tmpdir(), "janus-unit-"));
    const path = join(folder, "janus.service");
    const text = await readText("deploy/janus.service");
    // The binary need not be installed here.
    await Bun.write(path, text.replaceAll("/usr/local/bin/janus", process.execPath));

    const run = (...args: readonly string[]) => {
      const { exitCode, stdout, stderr } = Bun.spawnSync(["systemd-analyze", ...args, path]);
      return { exitCode, said: `${stdout}${stderr}` };
    };
    const verified = run("verify");
    const judged = run("security", "--offline=true", "--threshold=15", "--no-pager");
    await rm(folder, { recursive: true });

    // Other units of the machine may have faults; those of ours are reported by name.
    expect(verified.said.split("\n").filter((line) => line.includes("janus"))).toEqual([]);
    expect(judged).toMatchObject({ exitCode: 0 });
  });
});

describe("the Quadlet units in deploy/", async () => {
  const [janus, migrate, postgres] = await Promise.all([
    readUnit("deploy/janus.container"),
    readUnit("deploy/janus-migrate.container"),
    readUnit("deploy/janus-postgres.container"),
  ]);
  const of = (unit: typeof janus, key: string): string => unit.value("Container", key);
  const own = [janus, migrate];

  test("require only units that exist, and start after them", () => {
    const names = listFiles("deploy/*.{container,network}").map((path) => path.replace("deploy/", ""));
    const services = names.map((name) => name.replace(/\.container$/, ".service"));
    const units = [janus, migrate, postgres];

    for (const unit of units) {
      expect(services).toEqual(expect.arrayContaining([...unit.values("Unit", "Requires")]));
      expect(unit.values("Unit", "After")).toEqual(unit.values("Unit", "Requires"));
      expect(names).toContain(of(unit, "Network"));
    }
    expect(janus.value("Unit", "Requires")).toBe("janus-migrate.service");
    expect(migrate.value("Unit", "Requires")).toBe("janus-postgres.service");
    expect(of(postgres, "Notify")).toBe("healthy");
  });

  test("use only keys that the Quadlet of the version they name knows", async () => {
    const used = await Promise.all(
      ["janus", "janus-migrate", "janus-postgres"].map((name) => readText(`deploy/${name}.container`)),
    );
    const keys = used.flatMap((text) => {
      const section = text.split("\n[Container]\n")[1]?.split("\n[")[0] ?? "";
      return [...section.matchAll(/^#?(\w+)=/gm)].map(([, key = ""]) => key);
    });
    const network = await readText("deploy/janus.network");

    expect(used[0]).toContain("by the Quadlet of Podman 4.5 or later");
    expect(keys.length).toBeGreaterThan(30);
    expect(keys.filter((key) => !KEYS_OF_QUADLET_4_5.includes(key))).toEqual([]);
    // A name for the network is newer. Nothing else of it is set.
    expect(network.split("[Network]\n")[1]).toBe("");
    // An older Quadlet has no files for volumes with a name, and needs none.
    expect(of(postgres, "Volume")).toBe("janus-postgres:/var/lib/postgresql/data");
    expect(listFiles("deploy/*.{volume,pod,image,build,kube}")).toEqual([]);
  });

  test("wait for PostgreSQL's first start where Quadlet does not", () => {
    const patience = Number(migrate.environment.DATABASE_WAIT_SECONDS);

    expect(patience).toBeGreaterThan(Number(defaultOf("DATABASE_WAIT_SECONDS")));
    expect(toSeconds(migrate.value("Service", "TimeoutStartSec"))).toBeGreaterThan(patience);
  });

  test("run the images of compose.yaml, by commands that exist", async () => {
    const compose = await readText("compose.yaml");

    expect(own.map((unit) => of(unit, "Image"))).toEqual([
      "localhost/janus:latest",
      "localhost/janus:latest",
    ]);
    expect(compose).toContain("image: localhost/janus\n");
    expect(isPinned(of(postgres, "Image"))).toBe(true);
    expect(compose).toContain(`image: ${of(postgres, "Image")}\n`);
    expect(own.map((unit) => of(unit, "Exec")).filter((command) => !isCommand(command))).toEqual([]);
  });

  test("set only variables that exist, and give Janus the database's own password", () => {
    for (const unit of own) {
      expect(unknownTo(NAMES, unit.environment)).toEqual([]);
      const { DATABASE_PASSWORD_FILE, DATABASE_URL } = unit.environment;
      expect(DATABASE_PASSWORD_FILE).toBe(`/run/secrets/${of(unit, "Secret")}`);
      expect(DATABASE_PASSWORD_FILE).toBe(postgres.environment.POSTGRES_PASSWORD_FILE ?? "");
      const { POSTGRES_USER, POSTGRES_DB } = postgres.environment;
      expect(DATABASE_URL).toBe(
        `postgres://${POSTGRES_USER}@${of(postgres, "ContainerName")}:5432/${POSTGRES_DB}`,
      );
      expect(of(unit, "Secret")).toBe(of(postgres, "Secret"));
    }
  });

  test("publish Janus on loopback, leave its health check to the image, and let it stop in time", async () => {
    const port = defaultOf("PORT");

    expect(of(janus, "PublishPort")).toBe(`127.0.0.1:${port}:${port}`);
    expect(janus.environment).toMatchObject({ HOST: "0.0.0.0", PORT: port });
    expect(await readText("Containerfile")).toContain('CMD ["/usr/local/bin/janus", "healthcheck"]\n');
    const args = of(janus, "PodmanArgs").split(" ");
    const stopTimeout = args.find((arg) => arg.startsWith("--stop-timeout="))?.split("=")[1] ?? "";
    expect(toSeconds(stopTimeout)).toBeGreaterThan(Number(defaultOf("SHUTDOWN_SECONDS")));
    expect(toSeconds(janus.value("Service", "TimeoutStopSec"))).toBeGreaterThan(toSeconds(stopTimeout));
    for (const unit of own) expect(of(unit, "PodmanArgs")).toContain("--pull=never");
    expect(janus.value("Service", "RestartPreventExitStatus")).toBe(String(configInvalid("").exitStatus));
  });

  test("run Janus read-only, without capabilities or new privileges", () => {
    for (const unit of own) {
      const { ReadOnly, DropCapability, NoNewPrivileges, Tmpfs } = Object.fromEntries(
        ["ReadOnly", "DropCapability", "NoNewPrivileges", "Tmpfs"].map((key) => [key, of(unit, key)]),
      );
      expect([ReadOnly, DropCapability, NoNewPrivileges, Tmpfs]).toEqual(["true", "all", "true", "/data"]);
    }
  });
});

describe("the comments of the units", () => {
  /** The commands, which are indented by three spaces, up to the first section. */
  const readRecipe = async (path: string): Promise<readonly string[]> =>
    ((await readText(path)).split("\n[Unit]")[0] ?? "")
      .split("\n")
      .flatMap((line) => /^# {3}\s*(\S.*)$/.exec(line)?.[1] ?? []);

  const STEPS = [
    "example.env",
    "keys generate",
    "systemctl daemon-reload",
    "register",
    "healthcheck --ready",
  ];

  test.each([
    ["deploy/janus.service", ["dist/janus", ...STEPS]],
    ["deploy/janus.container", ["podman build", ...STEPS]],
  ] as const)("have every step of an installation, in order, in %s", async (path, steps) => {
    const recipe = await readRecipe(path);

    const places = steps.map((step) => recipe.findIndex((command) => command.includes(step)));

    expect(places).not.toContain(-1);
    expect(places).toEqual(places.toSorted((a, b) => a - b));
  });

  test("copy what the build makes", async () => {
    expect(await readText(".ci/build.ts")).toContain('join(ROOT, "dist", "janus")');
    expect(await readRecipe("deploy/janus.service")).toContain(
      "install -m 755 dist/janus /usr/local/bin/janus",
    );
  });

  test.each(["deploy/janus.service", "deploy/janus.container"])(
    "name only files that exist, in %s",
    async (path) => {
      const named = [...(await readText(path)).matchAll(/\b(deploy\/[\w.-]+\w|example\.env)/g)].map(
        ([name]) => name,
      );

      expect(named.length).toBeGreaterThan(0);
      expect(named.filter((name) => !existsSync(join(ROOT, name)))).toEqual([]);
    },
  );
});

/** The installation by compose agrees with the program and with itself. */
import { describe, expect, test } from "bun:test";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as v from "valibot";
import { readConfig, readDatabaseConfig, VARIABLES } from "../../lib/config/load.ts";
import { defaultOf, isPinned, readCommands, toSeconds } from "../fixtures/deployment.ts";
import { readText } from "../fixtures/source.ts";
import { randomKey } from "../harness/janus.ts";

const isCommand = readCommands();

const serviceSchema = v.object({
  container_name: v.string(),
  image: v.string(),
  build: v.optional(v.object({ context: v.string(), dockerfile: v.string() })),
  command: v.optional(v.array(v.string())),
  restart: v.string(),
  depends_on: v.optional(v.record(v.string(), v.object({ condition: v.string() })), {}),
  environment: v.record(v.string(), v.string()),
  env_file: v.optional(v.string()),
  volumes: v.array(v.string()),
  tmpfs: v.optional(v.array(v.string()), []),
  ports: v.optional(v.array(v.string()), []),
  healthcheck: v.optional(v.object({ test: v.array(v.string()) })),
  stop_grace_period: v.optional(v.string()),
  read_only: v.optional(v.boolean()),
  cap_drop: v.optional(v.array(v.string())),
  security_opt: v.optional(v.array(v.string())),
});
/** Strict, because docker-compose 1.29 refuses a key at the top that it does not know, such as a name. */
const composeSchema = v.strictObject({
  "x-janus": v.unknown(),
  "x-database": v.unknown(),
  services: v.object({ postgres: serviceSchema, migrate: serviceSchema, janus: serviceSchema }),
  volumes: v.record(v.string(), v.object({ name: v.string() })),
});

describe("compose.yaml", async () => {
  const { services, volumes } = v.parse(composeSchema, Bun.YAML.parse(await readText("compose.yaml")));
  const { postgres, migrate, janus } = services;
  const own = [migrate, janus];

  test("pins the images that it does not build", () => {
    expect(isPinned(postgres.image)).toBe(true);
    for (const { image, build: how } of own) {
      expect({ image, how }).toEqual({
        image: "localhost/janus",
        how: { context: ".", dockerfile: "Containerfile" },
      });
    }
  });

  test("starts Janus after the migration, which waits for a healthy PostgreSQL", () => {
    expect(janus.depends_on).toEqual({ migrate: { condition: "service_completed_successfully" } });
    expect(migrate.depends_on).toEqual({ postgres: { condition: "service_healthy" } });
    // A tool that knows no conditions starts everything at once: the password's file, and then the database, may be late.
    expect(migrate.restart).toBe("on-failure:5");
    expect(Number(migrate.environment.DATABASE_WAIT_SECONDS)).toBeGreaterThan(
      Number(defaultOf("DATABASE_WAIT_SECONDS")),
    );
    expect(migrate.command?.map(isCommand)).toEqual([true]);
    expect(postgres.healthcheck?.test.join(" ")).toMatch(/^CMD-SHELL pg_isready .*--host=127\.0\.0\.1/);
  });

  test("names containers and volumes itself, as the Quadlet files do", async () => {
    for (const [service, name] of Object.entries({
      postgres: "janus-postgres",
      migrate: "janus-migrate",
      janus: "janus",
    })) {
      expect(await readText(`deploy/${name}.container`)).toContain(`\nContainerName=${name}\n`);
      expect(Object.entries(services).find(([key]) => key === service)?.[1].container_name).toBe(name);
    }
    for (const [volume, { name }] of Object.entries(volumes)) expect(name).toBe(`janus_${volume}`);
  });

  test("declares every volume it mounts, and mounts the password read-only for Janus", () => {
    const mounts = Object.values(services).flatMap((service) => service.volumes);

    expect([...new Set(mounts.map((mount) => mount.split(":")[0] ?? ""))].sort()).toEqual(
      Object.keys(volumes).sort(),
    );
    expect(own.map((service) => service.volumes)).toEqual([
      ["password:/run/janus:ro"],
      ["password:/run/janus:ro"],
    ]);
    expect(postgres.volumes).toContain("password:/run/janus");
  });

  test("sets only variables that exist, and gives Janus the database's own password", () => {
    const names = VARIABLES.flatMap(({ name, secret }) => (secret ? [name, `${name}_FILE`] : [name]));

    for (const { environment } of own) {
      expect(Object.keys(environment).filter((name) => !names.includes(name))).toEqual([]);
      expect(environment.DATABASE_PASSWORD_FILE).toBe(postgres.environment.POSTGRES_PASSWORD_FILE ?? "");
      const { POSTGRES_USER, POSTGRES_DB } = postgres.environment;
      expect(environment.DATABASE_URL).toBe(`postgres://${POSTGRES_USER}@postgres:5432/${POSTGRES_DB}`);
    }
  });

  test("makes a valid configuration together with example.env filled in", async () => {
    await using folder = await createFolder();
    const password = join(folder.path, "password");
    await Bun.write(password, "from the volume\n");
    const example = [...(await readText("example.env")).matchAll(/^([A-Z_]+)=(.*)$/gm)];
    const filledIn = {
      PUBLIC_URL: "https://janus.example.org",
      OIDC_ISSUER: "https://auth.example.org/",
      DISCORD_CLIENT_ID: "1".repeat(19),
      DISCORD_CLIENT_SECRET: "secret",
      OIDC_CLIENT_ID: "janus",
      OIDC_CLIENT_SECRET: "secret",
      TOKEN_KEYS: `k1:${randomKey()}`,
      COOKIE_SECRET: randomKey(),
    };
    const environment = {
      ...Object.fromEntries(example.map(([, name, value]) => [name, value])),
      ...filledIn,
      ...interpolate(janus.environment),
      DATABASE_PASSWORD_FILE: password,
    };

    expect(janus.env_file).toBe(".env");
    expect(readConfig(environment)).toMatchObject({
      host: "0.0.0.0",
      port: Number(defaultOf("PORT")),
      trustedProxies: ["uniquelocal"],
      database: { password: "from the volume" },
    });
    expect(
      readDatabaseConfig({ ...migrate.environment, DATABASE_PASSWORD_FILE: password }).database.url,
    ).toBeString();
  });

  test("publishes only Janus, only on loopback, at the port that it listens on", () => {
    expect(janus.ports.map((port) => Object.values(interpolate({ port }))[0])).toEqual([
      `127.0.0.1:${defaultOf("PORT")}:${janus.environment.PORT}`,
    ]);
    expect([...postgres.ports, ...migrate.ports]).toEqual([]);
  });

  test("gives Janus more time to stop than SHUTDOWN_SECONDS", () => {
    expect(toSeconds(janus.stop_grace_period ?? "0")).toBeGreaterThan(Number(defaultOf("SHUTDOWN_SECONDS")));
  });

  test("runs Janus read-only, without capabilities or new privileges", () => {
    for (const service of own) {
      expect(service).toMatchObject({
        read_only: true,
        cap_drop: ["ALL"],
        security_opt: ["no-new-privileges"],
        // Without it the image's volume would become an anonymous one.
        tmpfs: ["/data"],
      });
    }
  });

  test("makes a password at the first start, keeps it, and starts PostgreSQL", async () => {
    await using folder = await createFolder();
    const [shell = "", flags = "", script = ""] = postgres.command ?? [];
    const entryPoint = join(folder.path, "bin/docker-entrypoint.sh");
    await Bun.write(entryPoint, '#!/bin/sh\necho "started $*"\n');
    await chmod(entryPoint, 0o755);
    const start = async () => {
      const command = [shell, flags, script.replaceAll("/run/janus", folder.path).replaceAll("$$", "$")];
      const env = { PATH: `${folder.path}/bin:${process.env.PATH}` };
      const { stdout, stderr } = Bun.spawnSync(command, { env });
      return {
        said: `${stdout}${stderr}`,
        password: await Bun.file(join(folder.path, "database_password")).text(),
      };
    };

    const [first, second] = [await start(), await start()];

    expect(first).toEqual({ said: "started postgres\n", password: expect.stringMatching(/^[\w+/]{43}=\n$/) });
    expect(second).toEqual(first);
  });
});

/** Fills in `${NAME:-default}`, with nothing set. */
function interpolate(values: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name, value.replaceAll(/\$\{\w+:-([^}]*)\}/g, "$1")]),
  );
}

async function createFolder(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), "janus-container-"));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

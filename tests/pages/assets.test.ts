/** What a running Janus answers where an operator has chosen a look: the logo, and the policy of every page. */
import { describe, expect, test } from "bun:test";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { PNG, SVG } from "../fixtures/logos.ts";
import { useFolder, useForAll } from "../harness/hooks.ts";
import { startJanusWithForger } from "../harness/janus.ts";

const folder = useFolder("assets");
const plain = useForAll(startJanusWithForger, ({ stop }) => stop());

/** A Janus with this logo, which is asked and then stopped. */
async function ask<T>(
  logo: string | Uint8Array,
  work: (url: string, path: string) => Promise<T>,
): Promise<T> {
  const file = join(folder, crypto.randomUUID());
  await Bun.write(file, logo);
  const janus = await startJanusWithForger({
    environment: { PLATFORM_LOGO: file, PLATFORM_COLOR: "f280a1" },
    database: plain.database,
  });
  // It was read at the start.
  await rm(file);
  const page = await (await fetch(janus.url)).text();
  try {
    return await work(janus.url, /<img class="logo" src="([^"]+)"/.exec(page)?.[1] ?? "");
  } finally {
    await janus.stop();
  }
}

describe("GET /assets/:name", () => {
  test.each([
    ["a PNG", PNG, "image/png"],
    ["an SVG", Buffer.from(SVG), "image/svg+xml"],
  ] as const)("serves %s as it is, for good, and as nothing else", async (_, content, type) => {
    await ask(content, async (url, path) => {
      const response = await fetch(url + path);

      expect(response.status).toBe(200);
      expect(Buffer.from(await response.arrayBuffer()).equals(content)).toBe(true);
      expect(Object.fromEntries(response.headers)).toMatchObject({
        "content-type": type,
        "cache-control": "public, max-age=31536000, immutable",
        "x-content-type-options": "nosniff",
        "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox",
      });
      expect(response.headers.get("set-cookie")).toBeNull();
    });
  });

  test("serves nothing under any other name", async () => {
    await ask(PNG, async (url, path) => {
      const names = [
        path.replace(/.png$/, ".svg"),
        path.replace(/-\w+/, "-0000000000000000"),
        "/assets/logo",
        "/assets/..%2fpackage.json",
        `${path}/`,
      ];
      for (const name of names) {
        const response = await fetch(url + name, { headers: { accept: "text/html" } });
        expect([name, response.status]).toEqual([name, 404]);
        expect(response.headers.get("cache-control")).toContain("no-store");
      }
      expect((await fetch(plain.url + path)).status).toBe(404);
    });
  });
});

test("every page allows its own style and the logo, and runs nothing", async () => {
  await ask(PNG, async (url) => {
    for (const path of ["/", "/about", "/account", "/nowhere", "/assets/nothing"]) {
      const policy = (await fetch(url + path)).headers.get("content-security-policy") ?? "";

      expect(policy).toContain("img-src data: 'self'");
      expect(policy).toStartWith("default-src 'none'; style-src 'sha256-");
      expect(policy).not.toContain("unsafe");
    }
    expect((await fetch(plain.url)).headers.get("content-security-policy")).toContain("; img-src data:;");
  });
});

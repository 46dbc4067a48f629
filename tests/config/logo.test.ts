/** The file that PLATFORM_LOGO names: what it is taken for, and every way in which it is refused. */
import { describe, expect, test } from "bun:test";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { findLogoFault, readLogo } from "../../lib/config/logo.ts";
import { asJanusError } from "../../lib/errors.ts";
import { JPEG, PNG, SVG, WEBP } from "../fixtures/logos.ts";
import { useFolder } from "../harness/hooks.ts";

const folder = useFolder("logo");

async function fileOf(content: string | Uint8Array): Promise<string> {
  const path = join(folder, crypto.randomUUID());
  await Bun.write(path, content);
  return path;
}

const cut = (bytes: Uint8Array): Uint8Array => bytes.slice(0, bytes.length / 2);
const ROOT = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1">';
const END = "</svg>";

describe("readLogo()", () => {
  test.each([
    ["image/png", PNG],
    ["image/jpeg", JPEG],
    ["image/webp", WEBP],
    ["image/svg+xml", Buffer.from(SVG)],
  ] as const)("takes a file for %s by its content", async (type, content) => {
    const logo = readLogo(await fileOf(content));

    expect(logo.type).toBe(type);
    expect(Buffer.from(logo.bytes).equals(content)).toBe(true);
  });

  test.each([
    ["a declaration", `<?xml version="1.0" encoding="utf-8"?>\n${ROOT}${END}`],
    ["a byte order mark", `\ufeff${ROOT}${END}`],
    ["comments", `<!-- one --> <!-- <svg> two -->\n${ROOT}${END}<!-- end -->`],
    [
      "a document type",
      `<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd">${ROOT}${END}`,
    ],
    ["lines within its root", `<svg\n  width="1"\n  xmlns='http://www.w3.org/2000/svg'\n>${END}`],
  ])("takes an SVG with %s", async (_, content) => {
    expect(readLogo(await fileOf(content)).type).toBe("image/svg+xml");
  });

  test("throws config_invalid for a file that has gone since it was checked", async () => {
    const path = await fileOf(PNG);
    expect(findLogoFault(path)).toBeUndefined();
    await rm(path);

    const fault = (() => {
      try {
        return readLogo(path);
      } catch (error) {
        return asJanusError(error);
      }
    })();

    expect(fault).toMatchObject({ code: "config_invalid", exitStatus: 2 });
    expect(String(fault)).not.toContain(path);
  });
});

describe("findLogoFault()", () => {
  const NO_IMAGE = "names a file that is not a PNG, WebP, JPEG or SVG image";
  const TOO_EARLY = "names a picture that ends too early";
  const NO_NAMESPACE = 'names an SVG without xmlns="http://www.w3.org/2000/svg"';

  test.each<[string, string | Uint8Array, string]>([
    ["an empty file", "", NO_IMAGE],
    ["a text", "not a picture", NO_IMAGE],
    ["a GIF", "GIF89a", NO_IMAGE],
    ["a page", `<!doctype html><html>${ROOT}${END}</html>`, NO_IMAGE],
    ["a page that begins with an SVG comment", `<!-- <svg> --><html>${ROOT}${END}</html>`, NO_IMAGE],
    ["a compressed SVG", Bun.gzipSync(SVG), NO_IMAGE],
    ["an SVG in UTF-16", Buffer.from(SVG, "utf16le"), NO_IMAGE],
    ["an SVG with entities", `<!DOCTYPE svg [<!ENTITY a "b">]>${ROOT}${END}`, NO_IMAGE],
    ["an SVG without its namespace", `<svg viewBox="0 0 1 1">${END}`, NO_NAMESPACE],
    ["an SVG whose namespace is elsewhere", `<svg viewBox="0 0 1 1">${ROOT}${END}${END}`, NO_NAMESPACE],
    ["half an SVG", ROOT, TOO_EARLY],
    ["half a PNG", cut(PNG), TOO_EARLY],
    ["half a JPEG", cut(JPEG), TOO_EARLY],
    ["half a WebP", cut(WEBP), TOO_EARLY],
    ["too large a file", new Uint8Array(256 * 1_024 + 1), "names a file of more than 256 KiB"],
  ])("refuses %s", async (_, content, fault) => {
    expect(findLogoFault(await fileOf(content))).toBe(fault);
  });

  test("refuses a folder, a device and a file that is not there", async () => {
    const inside = join(folder, "folder");
    await mkdir(inside);

    expect(findLogoFault(inside)).toBe("names something that is not a file");
    expect(findLogoFault("/dev/zero")).toBe("names something that is not a file");
    expect(findLogoFault(join(folder, "none"))).toBe("names a file that cannot be read (ENOENT)");
  });

  test("ends soon for a file that is made to be searched for long", async () => {
    const hostile = [
      "<!-- -->".repeat(30_000),
      `<svg ${"a ".repeat(120_000)}`,
      `<?xml ${" ".repeat(250_000)}`,
      `<!DOCTYPE ${"<".repeat(250_000)}`,
    ];

    for (const content of hostile) expect(findLogoFault(await fileOf(content))).toBeString();
  });
});

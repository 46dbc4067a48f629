/** Files that a command makes: whole or not there, and never in place of another one. */
import { expect, test } from "bun:test";
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { link } from "node:fs/promises";
import { join } from "node:path";
import type { Link } from "../../lib/operator/new_file.ts";
import { openNewFile } from "../../lib/operator/new_file.ts";
import { useFolder } from "../harness/hooks.ts";
import { codeOf, rejection } from "../harness/rejection.ts";

const folder = useFolder("new_file");

let files = 0;
/** A path in a folder of its own. */
function newPath(): { readonly path: string; readonly left: () => readonly string[] } {
  files += 1;
  const own = join(folder, String(files));
  mkdirSync(own);
  return { path: join(own, "all.csv"), left: () => readdirSync(own) };
}

/** A file system without hard links. */
const without =
  (code: string): Link =>
  () =>
    Promise.reject(Object.assign(new Error("no links here"), { code }));

async function make(path: string, text: string, linking?: Link): Promise<void> {
  const file = await openNewFile(path, { force: undefined }, linking);
  try {
    await file.write(text);
    await file.finish();
    await file.name();
  } catch (error) {
    await file.discard();
    throw error;
  }
}

test.each([
  ["with hard links", link],
  ["where they are not permitted", without("EPERM")],
  ["where they are not known", without("EOPNOTSUPP")],
])("openNewFile() makes a file of its owner %s", async (_, linking) => {
  const { path, left } = newPath();

  await make(path, "whole", linking);

  expect([readFileSync(path, "utf8"), statSync(path).mode & 0o777, left()]).toEqual([
    "whole",
    0o600,
    ["all.csv"],
  ]);
});

test.each([
  ["with hard links", link],
  ["without them", without("EPERM")],
])("openNewFile() gives a name once, of twenty who want it %s", async (_, linking) => {
  const { path, left } = newPath();

  const codes = await Promise.all(
    Array.from({ length: 20 }, (__, one) => codeOf(make(path, `${one}`, linking))),
  );

  const winner = codes.indexOf("no error");
  expect(codes.filter((code) => code === "usage")).toHaveLength(19);
  expect([readFileSync(path, "utf8"), left()]).toEqual([`${winner}`, ["all.csv"]]);
});

test.each([
  ["with hard links", link],
  ["without them", without("ENOSYS")],
])("openNewFile() leaves a file that came at the last moment as it is %s", async (_, linking) => {
  const { path, left } = newPath();
  const late: Link = (from, to) => {
    writeFileSync(to, "mine");
    return linking(from, to);
  };

  const refused = await rejection(make(path, "not mine", late));

  expect(refused).toMatchObject({
    code: "usage",
    exitStatus: 2,
    message: `${path} exists already: name another.`,
  });
  expect([readFileSync(path, "utf8"), left()]).toEqual(["mine", ["all.csv"]]);
});

test("openNewFile() throws what else is wrong with a link, and leaves nothing", async () => {
  const { path, left } = newPath();

  expect(await codeOf(make(path, "whole", without("EIO")))).toContain("no links here");
  expect(left()).toEqual([]);
});

test("openNewFile() replaces a file that is to be replaced", async () => {
  const { path, left } = newPath();
  writeFileSync(path, "earlier");
  const file = await openNewFile(path, { force: true });

  await file.write("later");
  await file.finish();
  await file.name();

  expect([readFileSync(path, "utf8"), left()]).toEqual(["later", ["all.csv"]]);
});

test("openNewFile() refuses a folder, and a path in a file, in no folder or too long", async () => {
  const { path } = newPath();
  writeFileSync(path, "a file");
  const wrong = [folder, join(folder, "none", "a.csv"), join(path, "a.csv"), join(folder, "a".repeat(300))];

  const codes = await Promise.all(wrong.map((each) => codeOf(make(each, "never"))));

  expect(codes).toEqual(["usage", "usage", "usage", "usage"]);
});

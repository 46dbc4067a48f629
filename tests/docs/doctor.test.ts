/** docs/doctor.md agrees with the doctor. */
import { expect, test } from "bun:test";
import { CHECK_GROUPS } from "../../lib/operator/doctor/check.ts";
import { readTable } from "../fixtures/markdown.ts";
import { readText } from "../fixtures/source.ts";

test("docs/doctor.md lists every check, in the order of the report", async () => {
  const rows = readTable(await readText("docs/doctor.md"), ["check", "what it compares"]);

  const ids: readonly string[] = Object.values(CHECK_GROUPS).flat();
  expect(rows.map(([cell = ""]) => cell.replaceAll("`", ""))).toEqual([...ids]);
});

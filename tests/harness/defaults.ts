/**
 * Sets one default time-out for every test file. Loaded before any of them (bunfig.toml).
 *
 * It only ends a test that hangs: a test takes milliseconds, but minutes on a busy machine. Tests whose length the caller
 * chooses, such as the soak, have time-outs of their own. Where files run one after the other, Bun keeps a time-out
 * that a preload sets for the first file only (oven-sh/bun#43787). Therefore each file gets a line that sets it.
 */
import { plugin } from "bun";

const TIMEOUT_MS = 600_000;
const SET_TIMEOUT = `import { setDefaultTimeout as _set } from "bun:test"; _set(${TIMEOUT_MS});`;

plugin({
  name: "default time-out",
  setup: ({ onLoad }) => {
    onLoad({ filter: /\.test\.ts$/ }, async ({ path }) => ({
      // On the first line, so that the lines of the file keep their numbers.
      contents: `${SET_TIMEOUT} ${await Bun.file(path).text()}`,
      loader: "ts",
    }));
  },
});

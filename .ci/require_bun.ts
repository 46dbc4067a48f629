/**
 * Ends at once on a Bun that is too old, and says which one is needed. `bunfig.toml` loads it before any other file, so
 * that nobody meets what an old Bun cannot do. It must itself run on an old one.
 */
import { engines } from "../package.json";

if (!Bun.semver.satisfies(Bun.version, engines.bun)) {
  const needed = engines.bun.replace(/^>=/, "").replace(/\.0$/, "");
  process.stderr.write(
    `Janus needs Bun ${needed} or later; this is ${Bun.version}.\nUpgrade Bun, for example with "bun upgrade". Or use the ` +
      "commands in README.md for a machine with only Node.js, which bring their own Bun.\n",
  );
  process.exit(1);
}

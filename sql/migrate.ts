import { runMigrate } from "../lib/cli/run.ts";

/** `bun run sql/migrate.ts [up|status]`: the same as `janus migrate`. */
if (import.meta.main) await runMigrate(Bun.argv.slice(2));

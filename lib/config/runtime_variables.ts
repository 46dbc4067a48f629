/**
 * Warns of variables that Bun reads and Janus does not: those in a file where Bun does not see them, and those that undo a
 * protection. How Bun treats each was tried on Bun 1.4.5. No warning holds a value.
 */
import { printable } from "../text/printable.ts";
import type { Source } from "./sources.ts";

/** Bun reads these once, before it reads its `.env`. */
const AT_START =
  /^(NODE_EXTRA_CA_CERTS|NODE_USE_SYSTEM_CA|SSL_CERT_FILE|SSL_CERT_DIR|BUN_OPTIONS|BUN_JSC_\w+)$/;
/** Bun reads these when it needs them, so its `.env` is early enough. It does not know the files of our `--env-file`. */
const LATER =
  /^(NODE_TLS_REJECT_UNAUTHORIZED|(HTTPS?|ALL|NO)_PROXY|(https?|all|no)_proxy|TZ|BUN_CONFIG_\w+)$/;

/** Warns of each variable of the runtime that has no effect in its file. */
export function findWithoutEffect(sources: readonly Source[]): readonly string[] {
  const own = sources.find(({ file }) => file === undefined);
  return sources.flatMap((source) => {
    const names = Object.keys(source.variables).filter((name) => Boolean(source.variables[name]));
    if (source.file === undefined) return names.flatMap((name) => explainOwn(name, source));
    const place = printable(JSON.stringify(source.file));
    return names.filter((name) => !own?.variables[name]).flatMap((name) => explainInFile(name, place));
  });
}

function explainOwn(name: string, { atStart }: Source): readonly string[] {
  // Bun adds the variables of its .env to the environment, where they were not when the process began.
  if (atStart === undefined || atStart.has(name)) return [];
  return AT_START.test(name) || name === "NODE_OPTIONS" ? [explain(name, ".env")] : [];
}

const explainInFile = (name: string, place: string): readonly string[] =>
  AT_START.test(name) || LATER.test(name) || name === "NODE_OPTIONS" ? [explain(name, place)] : [];

const explain = (name: string, place: string): string =>
  name === "NODE_OPTIONS"
    ? `${name} in ${place} has no effect: Bun does not read this variable.`
    : `${name} in ${place} has no effect: Bun reads it from the environment that Janus is started with. Set it there.`;

/** Warns of each variable of the runtime that takes a protection away. */
export function findUnsafeRuntime(sources: readonly Source[]): readonly string[] {
  const variables = sources.find(({ file }) => file === undefined)?.variables ?? {};
  const warnings: readonly (readonly [boolean, string])[] = [
    [
      variables.NODE_TLS_REJECT_UNAUTHORIZED === "0",
      "NODE_TLS_REJECT_UNAUTHORIZED=0 turns off every certificate check. Anybody on the network path can read all " +
        "secrets and tokens, and can decide who is a member. Remove it. To trust your own certificate authority, set " +
        "NODE_EXTRA_CA_CERTS.",
    ],
    [
      /^(1|true|curl)$/.test(variables.BUN_CONFIG_VERBOSE_FETCH ?? ""),
      "BUN_CONFIG_VERBOSE_FETCH writes every request that Janus sends to standard error, including its secrets. Remove it.",
    ],
  ];
  return warnings.filter(([unsafe]) => unsafe).map(([, text]) => text);
}

/**
 * Finds settings that are valid but unwise, and names that look like misspelt ones of ours. `config check` prints them,
 * and a server that starts logs them. No warning holds a value.
 */
import { statSync } from "node:fs";
import { printable } from "../text/printable.ts";
import type { Source } from "./load.ts";
import { mergeSources, readServerVariables, VARIABLES } from "./load.ts";
import { findOpenIssuer } from "./open_issuers.ts";
import { findUnsafeRuntime, findWithoutEffect } from "./runtime_variables.ts";
import { isLoopback } from "./secure_address.ts";
import { findStray } from "./stray_values.ts";
import { findTypo, suggest } from "./suggestion.ts";
import { trustsStrangers } from "./variables.ts";

type Values = ReturnType<typeof readServerVariables>;

const NAMES = VARIABLES.map(({ name }) => name);
const SECRET_NAMES = VARIABLES.filter(({ secret }) => secret).map(({ name }) => name);
const FILE_NAMES = SECRET_NAMES.map((name) => `${name}_FILE`);
const prefixOf = (name: string): string => name.slice(0, name.indexOf("_") + 1);
/** `DISCORD_`, `OIDC_` and so on: what else begins so in the environment was likely meant for Janus. */
const PREFIXES: ReadonlySet<string> = new Set(NAMES.map(prefixOf).filter((prefix) => prefix !== ""));
const NAME_FORM = /^[A-Za-z][A-Za-z0-9_]{2,40}$/;
/** Shorter ones are other programs' names as they are: LOGLEVEL, DATADIR. */
const LEAST_SLIP = 9;
const OTHERS_READ = 0o004;

/** What a server that starts has to say of its configuration; how others would read an env file does not matter to it. */
export function findAtStart(sources: readonly Source[]): readonly string[] {
  return [...findMisspelt(sources), ...findUnwise(readServerVariables(mergeSources(sources)), sources)];
}

/**
 * A sentence for each name that is none of ours and near to one: of any in a file and of our prefixes elsewhere; of
 * others in the environment, which has variables for every program, those that are one slip away from a long one.
 */
export function findMisspelt(sources: readonly Source[]): readonly string[] {
  return sources.flatMap(({ file, variables }) =>
    Object.keys(variables).flatMap((name) => explainName(name, file !== undefined)),
  );
}

function explainName(name: string, inFile: boolean): readonly string[] {
  if (!NAME_FORM.test(name) || NAMES.includes(name) || FILE_NAMES.includes(name)) return [];
  const isOurs = inFile || PREFIXES.has(prefixOf(name));
  const plain = name.replace(/_FILE$/, "");
  if (isOurs && NAMES.includes(plain))
    return [`${name} is not read: a file may hold secrets, and ${plain} is none.`];
  if (!isOurs && name.length < LEAST_SLIP) return [];
  const find = isOurs ? suggest : findTypo;
  const meant = find(name.toUpperCase(), [...NAMES, ...FILE_NAMES]);
  return meant === undefined ? [] : [`${name} is not read: did you mean ${meant}?`];
}

/** A sentence for each env file with secrets in force in characters that the readers of such files do not agree on. */
export function findAmbiguous(sources: readonly Source[]): readonly string[] {
  return sources.flatMap((source) => {
    const names = SECRET_NAMES.filter(
      (name) =>
        source.ambiguous?.includes(name) === true &&
        sources.find(({ variables }) => variables[name] !== undefined) === source,
    );
    if (source.file === undefined || names.length === 0) return [];
    return [
      `${printable(JSON.stringify(source.file))} has quotes, a blank, $, # or \\ in ${names.join(", ")}: Bun, podman, ` +
        "compose and systemd each make something else of these. Put such a secret into a file of its own, and name " +
        `that in ${names[0]}_FILE.`,
    ];
  });
}

/** A sentence for each. */
export function findUnwise(values: Values, sources: readonly Source[]): readonly string[] {
  const isPublic = !isLoopback(new URL(values.PUBLIC_URL));
  const environment = mergeSources(sources);
  const isSet = (name: string) => Boolean(environment[name] || environment[`${name}_FILE`]);
  const warnings: readonly (readonly [boolean, string])[] = [
    [
      values.OIDC_ALLOW_HTTP_ENDPOINTS,
      "OIDC_ALLOW_HTTP_ENDPOINTS is true: Janus may send the client secret, codes and tokens to the provider unencrypted. " +
        "Anybody on the network path can read them, and can decide who is a member. Give the provider https endpoints.",
    ],
    [
      isSet("DISCORD_BOT_TOKEN"),
      "DISCORD_BOT_TOKEN is set: the server does not need it, only janus register does. Leave it out here.",
    ],
    [
      isPublic && values.DATABASE_URL === undefined,
      "DATABASE_URL is unset while PUBLIC_URL is public: the embedded database is for trials and very small installations.",
    ],
    [
      values.DATABASE_URL === undefined && values.DATABASE_PASSWORD !== undefined,
      "DATABASE_PASSWORD is set without a DATABASE_URL: nothing uses it, and the database is the embedded one.",
    ],
    [
      isPublic && isLoopbackHost(values.HOST) && values.TRUSTED_PROXIES.length === 0,
      "TRUSTED_PROXIES is empty while a proxy must be in front (PUBLIC_URL is public, HOST is loopback): " +
        "all members share one rate limit. For a proxy on this machine set it to loopback.",
    ],
    [
      trustsStrangers(values.TRUSTED_PROXIES),
      "TRUSTED_PROXIES holds addresses that anybody may have: anybody can then pass for any address.",
    ],
    [
      values.DRAIN_SECONDS >= values.SHUTDOWN_SECONDS,
      "DRAIN_SECONDS leaves nothing of SHUTDOWN_SECONDS: requests under way are cut off at every stop.",
    ],
  ];
  return [
    // What lets strangers in comes first.
    ...findOpenIssuer(values.OIDC_ISSUER),
    ...findUnsafeRuntime(sources),
    ...warnings.filter(([unwise]) => unwise).map(([, text]) => text),
    ...findWithoutEffect(sources),
    ...findStray(environment),
    ...findOpenFiles(sources),
  ];
}

const isLoopbackHost = (host: string): boolean => host === "::1" || /^127(\.\d{1,3}){3}$/.test(host);

/**
 * Env files with secrets in them that every user of the machine can read. Not those that NAME_FILE names: in a
 * container they are open to all, and all is Janus.
 */
function findOpenFiles(sources: readonly Source[]): readonly string[] {
  return sources.flatMap(({ file, variables }) => {
    if (file === undefined || !SECRET_NAMES.some((name) => variables[name]) || !isOpen(file)) return [];
    return [`${printable(JSON.stringify(file))} holds secrets and every user can read it: chmod o-r.`];
  });
}

function isOpen(file: string): boolean {
  const status = statSync(file, { throwIfNoEntry: false });
  return status?.isFile() === true && (status.mode & OTHERS_READ) !== 0;
}

/**
 * Finds settings that are valid but risky, and names that look like mistyped ones of ours. `config check` prints them, and
 * a server logs them when it starts. No warning holds a value.
 */
import { statSync } from "node:fs";
import { printable } from "../text/printable.ts";
import type { ServerVariables } from "./load.ts";
import { readServerVariables, VARIABLES } from "./load.ts";
import { findOpenIssuer } from "./open_issuers.ts";
import { findUnsafeRuntime, findWithoutEffect } from "./runtime_variables.ts";
import { isLoopback, isLoopbackAddress } from "./secure_address.ts";
import type { Environment, Source } from "./sources.ts";
import { mergeSources } from "./sources.ts";
import { findStray } from "./stray_values.ts";
import { tracingOf } from "./telemetry_settings.ts";
import { trustsStrangers } from "./trusted_proxies.ts";
import { findTypo } from "./typo.ts";
import { SCHEMAS } from "./variables.ts";

const NAMES = VARIABLES.map(({ name }) => name);
const SECRET_NAMES = VARIABLES.filter(({ secret }) => secret).map(({ name }) => name);
const FILE_NAMES = SECRET_NAMES.map((name) => `${name}_FILE`);
const prefixOf = (name: string): string => name.slice(0, name.indexOf("_") + 1);
/** `DISCORD_`, `OIDC_` and so on: a variable of the environment with such a prefix was probably meant for Janus. */
const PREFIXES: ReadonlySet<string> = new Set(NAMES.map(prefixOf).filter((prefix) => prefix !== ""));
const NAME_FORM = /^[A-Za-z][A-Za-z0-9_]{2,40}$/;
/** Shorter names belong to other programs just as they are: LOGLEVEL, DATADIR. */
const LEAST_FOREIGN_LENGTH = 9;
const OTHERS_READ = 0o004;

/** The warnings that a server logs when it starts. How other programs would read an env file does not matter to it. */
export function findAtStart(sources: readonly Source[]): readonly string[] {
  return [...findMistyped(sources), ...findRisky(readServerVariables(mergeSources(sources)), sources)];
}

/**
 * Warns of each name that is one slip away from one of ours. The environment has variables for every program, so a name
 * without one of our prefixes must be long to count there.
 */
export function findMistyped(sources: readonly Source[]): readonly string[] {
  return sources.flatMap(({ file, variables }) =>
    Object.keys(variables).flatMap((name) => explainName(name, file !== undefined)),
  );
}

function explainName(name: string, isInFile: boolean): readonly string[] {
  if (!NAME_FORM.test(name) || NAMES.includes(name) || FILE_NAMES.includes(name)) return [];
  const isOurs = isInFile || PREFIXES.has(prefixOf(name));
  const plain = name.replace(/_FILE$/, "");
  if (isOurs && NAMES.includes(plain))
    return [`${name} is not read: Janus reads only secrets from files, and ${plain} is not a secret.`];
  if (!isOurs && name.length < LEAST_FOREIGN_LENGTH) return [];
  const meant = findTypo(name.toUpperCase(), [...NAMES, ...FILE_NAMES]);
  return meant === undefined ? [] : [`${name} is not read: did you mean ${meant}?`];
}

/** Warns of each env file that gives a secret in characters on which the readers of such files do not agree. */
export function findAmbiguous(sources: readonly Source[]): readonly string[] {
  return sources.flatMap((source) => {
    const names = SECRET_NAMES.filter(
      (name) =>
        source.ambiguous?.includes(name) === true &&
        sources.find(({ variables }) => variables[name] !== undefined) === source,
    );
    if (source.file === undefined || names.length === 0) return [];
    return [
      `${printable(JSON.stringify(source.file))} has quotes, a space, $, # or \\ in ${names.join(", ")}: Bun, podman, ` +
        "compose and systemd each read these characters differently. Put such a secret into a file of its own, and name " +
        `that file in ${names[0]}_FILE.`,
    ];
  });
}

/** Warns of each setting that is risky. The settings that let strangers in come first. */
export function findRisky(values: ServerVariables, sources: readonly Source[]): readonly string[] {
  const environment = mergeSources(sources);
  return [
    ...findOpenIssuer(values.OIDC_ISSUER),
    ...findUnsafeRuntime(sources),
    ...RISKS.filter(({ isTaken }) => isTaken(values, environment)).map(({ warning }) => warning),
    ...findWithoutEffect(sources),
    ...findStray(environment),
    ...findOpenFiles(sources),
  ];
}

type Risk = {
  readonly isTaken: (values: ServerVariables, environment: Environment) => boolean;
  readonly warning: string;
};

const isPublic = ({ PUBLIC_URL }: ServerVariables): boolean => !isLoopback(new URL(PUBLIC_URL));

const isEveryAddress = (host: string): boolean => host === "0.0.0.0" || host === "::";
const isUnencrypted = (url = "https:"): boolean => url.startsWith("http:") && !isLoopback(new URL(url));

const RISKS: readonly Risk[] = [
  {
    isTaken: (values) => values.OIDC_ALLOW_HTTP_ENDPOINTS,
    warning:
      "OIDC_ALLOW_HTTP_ENDPOINTS is true: Janus may send the client secret, codes and tokens to the provider unencrypted. " +
      "Anybody on the network path can read them, and can decide who is a member. Give the provider https endpoints.",
  },
  {
    isTaken: (_, { DISCORD_BOT_TOKEN, DISCORD_BOT_TOKEN_FILE }) =>
      Boolean(DISCORD_BOT_TOKEN || DISCORD_BOT_TOKEN_FILE),
    warning:
      "DISCORD_BOT_TOKEN is set: the server does not need it, only janus register and janus metadata show do. " +
      "Leave it out here.",
  },
  {
    isTaken: (values) => isPublic(values) && values.PLATFORM_NAME === SCHEMAS.PLATFORM_NAME.default,
    warning:
      "PLATFORM_NAME is Janus: every page and members' Discord profiles show it as your organisation's name. Set it to " +
      "that name.",
  },
  {
    isTaken: (values) => isPublic(values) && values.DATABASE_URL === undefined,
    warning:
      "DATABASE_URL is unset while PUBLIC_URL is public: the embedded database is for trials and very small installations.",
  },
  {
    isTaken: (values) => values.DATABASE_URL === undefined && values.DATABASE_PASSWORD !== undefined,
    warning:
      "DATABASE_PASSWORD is set without a DATABASE_URL: Janus uses the embedded database, which has no password.",
  },
  {
    isTaken: (values) =>
      isPublic(values) && isLoopbackAddress(values.HOST) && values.TRUSTED_PROXIES.length === 0,
    warning:
      "TRUSTED_PROXIES is empty while a proxy must be in front (PUBLIC_URL is public, HOST is loopback): " +
      "all members share one rate limit. For a proxy on this machine set it to loopback.",
  },
  {
    isTaken: (values) => trustsStrangers(values.TRUSTED_PROXIES),
    warning:
      "TRUSTED_PROXIES includes addresses that anybody may have: anybody can then pretend to have any address.",
  },
  {
    isTaken: (values) => values.DISCORD_GUILD_IDS.length > 0 && values.DISCORD_PUBLIC_KEY === undefined,
    warning:
      "DISCORD_GUILD_IDS is set without DISCORD_PUBLIC_KEY: Janus takes no commands of Discord, and so needs no servers.",
  },
  {
    isTaken: (_, { PLATFORM_COLOR }) => PLATFORM_COLOR === "",
    warning:
      "PLATFORM_COLOR is empty: a # in an env file begins a comment. Write the six digits without it, or leave the variable out.",
  },
  {
    isTaken: (values, { METRICS_HOST }) => Boolean(METRICS_HOST) && values.METRICS_PORT === undefined,
    warning: "METRICS_HOST is set without METRICS_PORT: metrics are off.",
  },
  {
    isTaken: (values) => values.METRICS_PORT !== undefined && isEveryAddress(values.METRICS_HOST),
    warning:
      "METRICS_HOST is all addresses of this machine: anybody who reaches METRICS_PORT can read the metrics. They name no " +
      "member. Let only your Prometheus reach the port.",
  },
  {
    isTaken: (values) =>
      values.OTEL_EXPORTER_OTLP_HEADERS !== undefined && isUnencrypted(tracingOf(values)?.url),
    warning:
      "OTEL_EXPORTER_OTLP_HEADERS is sent unencrypted: the collector's endpoint is http, and not on this machine.",
  },
  {
    isTaken: (values) => values.DRAIN_SECONDS >= values.SHUTDOWN_SECONDS,
    warning:
      "DRAIN_SECONDS is not less than SHUTDOWN_SECONDS: requests in progress are cut off at every stop.",
  },
];

/**
 * Warns of env files with secrets that every user of the machine can read. Files that NAME_FILE names are left out: in a
 * container every user may read them, and Janus is the only user.
 */
function findOpenFiles(sources: readonly Source[]): readonly string[] {
  return sources.flatMap(({ file, variables }) => {
    if (file === undefined || !SECRET_NAMES.some((name) => variables[name]) || !isOpen(file)) return [];
    return [`${printable(JSON.stringify(file))} contains secrets and every user can read it: chmod o-r.`];
  });
}

function isOpen(file: string): boolean {
  const status = statSync(file, { throwIfNoEntry: false });
  return status?.isFile() === true && (status.mode & OTHERS_READ) !== 0;
}

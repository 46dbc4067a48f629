/** The account that a ban is about: how an operator names it by options, and how it is shown. */
import type { Command } from "commander";
import { readConfig } from "../../config/load.ts";
import type { Environment } from "../../config/sources.ts";
import { usage } from "../../errors.ts";
import type { BannedAccounts } from "../../operator/bans.ts";
import { DISCORD_ID_FORM, isDiscordId } from "../../text/discord_id.ts";
import { printable } from "../../text/printable.ts";

/** The options of a command that name one account. */
export type AccountOptions = {
  readonly discord?: string;
  readonly subject?: string;
  readonly issuer?: string;
};

const MOST_ECHOED = 120;
/** OpenID Connect Core 2 lets a subject have so many characters; Discord's ids are 64-bit numbers. */
const MOST_SUBJECT = 255;
const MOST_ISSUER = 2_000;

/** Adds these options. */
export const addAccountOptions = (command: Command): Command =>
  command
    .option("--discord <id>", "a Discord account, by its user id", readUserId)
    .option("--subject <subject>", "an account at the provider, by its subject", readSubject)
    .option(
      "--issuer <issuer>",
      "the provider of the subject; OIDC_ISSUER unless you name another",
      readIssuer,
    );

/** Reads `--discord`. Throws usage. */
export function readUserId(word: string): string {
  if (isDiscordId(word)) return word;
  throw usage(
    `Not a Discord user id: ${printable(word, MOST_ECHOED)}.\nIt is a number of ${DISCORD_ID_FORM}. Discord copies it in developer mode.`,
  );
}

/** Exactly as it is, since a provider compares it so. What no provider has is a slip of the keyboard. */
const readName =
  (mostCharacters: number) =>
  (word: string): string => {
    const isPlain = word.trim() === word && printable(word, mostCharacters) === word;
    if (word !== "" && isPlain) return word;
    throw usage(
      `Not the name of an account: "${printable(word, MOST_ECHOED)}". It is empty, too long, or has characters that cannot be seen.`,
    );
  };

/** Reads `--subject`. Throws usage. */
export const readSubject = readName(MOST_SUBJECT);

/** An issuer, letter for letter. It is an address: a ban at anything else would keep nobody out. */
export function readIssuer(word: string): string {
  if (/^https?:$/.test(URL.parse(word)?.protocol ?? "")) return readName(MOST_ISSUER)(word);
  throw usage(
    `Not an issuer: ${printable(word, MOST_ECHOED)}.\nIt is what the provider writes into iss, such as https://auth.example.org/application/o/janus/.`,
  );
}

/** The one account that the options name. Throws usage for none, and for two. */
export function readAccount(
  { discord, subject, issuer }: AccountOptions,
  environment: Environment,
): BannedAccounts {
  if (discord !== undefined) return { discordUserId: discord, issuer: null, subject: null };
  if (subject === undefined) throw usage("Name an account: --discord <id> or --subject <subject>.");
  return { discordUserId: null, issuer: issuer ?? readConfig(environment).oidc.issuer, subject };
}

/** Throws usage unless just one of these options is given, and `--issuer` only beside a subject. */
export function checkAccountOptions(
  options: AccountOptions & { readonly member?: string },
  allowed: readonly ("discord" | "subject" | "member")[],
  command: string,
): void {
  const words = allowed.map((name) => `--${name} <${name === "discord" ? "id" : name}>`);
  if (allowed.filter((name) => options[name] !== undefined).length !== 1)
    throw usage(`Name one of ${words.join(", ")}.\nSee ${command} --help.`);
  if (options.issuer !== undefined && options.subject === undefined)
    throw usage("--issuer goes with --subject <subject> alone.");
}

/** The accounts on one line. */
export function describeAccounts({ discordUserId, issuer, subject }: BannedAccounts): string {
  const names = [
    ...(discordUserId === null ? [] : [`Discord ${discordUserId}`]),
    ...(subject === null
      ? []
      : [`${printable(subject, MOST_SUBJECT)} at ${printable(issuer ?? "", MOST_ISSUER)}`]),
  ];
  return names.join(" and ");
}

/** When a ban ends. */
export const describeEnd = (expiresAt: Date | null): string => expiresAt?.toISOString() ?? "lifted";

/** The accounts as JSON. */
export const viewAccounts = ({ discordUserId, issuer, subject }: BannedAccounts) => ({
  discord_user_id: discordUserId,
  issuer,
  subject,
});

/** Links as a table, as JSON, and as rows of an export. What comes from outside is made printable in a table alone. */
import type { LinkList, ListedLink } from "../operator/select_links.ts";
import { organisationName } from "../rules/claims.ts";
import { toJson } from "../text/json_text.ts";
import { printable } from "../text/printable.ts";
import { formatTable } from "./table.ts";
import { shortAge } from "./times.ts";

const MOST_OF_NAME = 24;
const MOST_OF_RECORDS = 40;

const HEAD = ["discord id", "username", "organisation", "state", "at discord", "read", "failing"];

/** One list as a table, with how to go on. `command` is what lists the next ones. */
export function describeLinks({ links, next }: LinkList, now: Date, command: string): string {
  if (links.length === 0) return "No links found.";
  const rows = links.map((link) => [
    link.discordUserId,
    `@${printable(link.username, MOST_OF_NAME)}`,
    printable(nameOf(link) ?? link.subject, MOST_OF_NAME),
    link.state,
    describeRecords(link.pushedMetadata),
    shortAge(link.claimsSeenAt, now),
    describeFailure(link),
  ]);
  const counted = links.length === 1 ? "1 link" : `${links.length} links`;
  const more =
    next === null ? `${counted}.` : `${counted}, and there are more. Go on with: ${command} --after ${next}`;
  return [formatTable([HEAD, ...rows]), more].join("\n\n");
}

/** The name at the organisation, if a claim gives one. */
const nameOf = ({ names }: ListedLink): string | undefined => organisationName(names);

function describeRecords(metadata: ListedLink["pushedMetadata"]): string {
  const records = Object.entries(metadata ?? {}).map(([key, value]) => `${key}=${value}`);
  return records.length === 0 ? "-" : printable(records.join(" "), MOST_OF_RECORDS);
}

function describeFailure(link: ListedLink): string {
  const { checkFailures, checkFailedCode, pushFailures, pushFailedCode } = link;
  const check = checkFailures === 0 ? [] : [checkFailedCode ?? "check"];
  const push = pushFailures === 0 ? [] : [pushFailedCode ?? "push"];
  return [...new Set([...check, ...push])].join(" ");
}

/** One list as JSON. */
export const linksAsJson = ({ links, next }: LinkList) => ({ links: links.map(linkAsJson), next });

/** A link as JSON. Times are in ISO 8601. */
export const linkAsJson = (link: ListedLink) => ({
  discord_user_id: link.discordUserId,
  username: link.username,
  display_name: link.globalName,
  issuer: link.issuer,
  subject: link.subject,
  organisation_name: nameOf(link) ?? null,
  state: link.state,
  linked_at: link.linkedAt,
  claims_seen_at: link.claimsSeenAt,
  records: link.pushedMetadata,
  pushed_at: link.pushedAt,
  next_push_at: link.pushDueAt,
  push_failures: link.pushFailures,
  push_failed_code: link.pushFailedCode,
  next_check_at: link.checkDueAt,
  check_failures: link.checkFailures,
  check_failed_code: link.checkFailedCode,
});

/** The columns of a table for other programs. */
export const CSV_HEAD =
  "discord_user_id,username,display_name,issuer,subject,organisation_name,state,linked_at,claims_seen_at,records,pushed_at,next_push_at,push_failures,push_failed_code,next_check_at,check_failures,check_failed_code";

/** What separates the cells of a line. */
export type Separator = "," | ";";

/** The first line of CSV. */
export const csvHead = (separator: Separator): string => CSV_HEAD.replaceAll(",", separator);

/** A link as a line of CSV, in the order of the columns. RFC 4180 */
export const linkAsCsv = (link: ListedLink, separator: Separator = ","): string =>
  Object.values(linkAsJson(link)).map(csvCell).join(separator);

function csvCell(value: string | number | Date | object | null): string {
  if (value === null) return "";
  if (value instanceof Date) return value.toISOString();
  if (typeof value === "number") return String(value);
  const text = typeof value === "string" ? value : toJson(value);
  // A spreadsheet would run a name that begins like a formula, also with the wide characters of East Asian keyboards.
  const plain = /^[=+\-@＝＋－＠\t\r\n]/.test(text) ? `'${text}` : text;
  return /[",;\r\n]/.test(plain) ? `"${plain.replaceAll('"', '""')}"` : plain;
}

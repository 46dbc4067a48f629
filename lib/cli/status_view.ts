/** The state of an installation as one screen of 80 columns and 24 lines, and as JSON. It prints nothing itself. */
import type { KeyInUse, Status } from "../operator/status.ts";
import { ENDED_DAYS } from "../operator/status.ts";
import { printable } from "../text/printable.ts";
import { shortTime } from "./times.ts";

const KIB_PER_MIB = 1_024;
/** What a terminal shows in a line; some break a line that fills it. */
const COLUMNS = 79;
/** Where values begin. */
const MARGIN = 10;
/** More would not fit on the screen. --json has all. */
const MOST_KEYS = 4;
const MOST_OF_NAME = 8;
const MOST_OF_ID = 16;

/** As JSON. Times are in ISO 8601. */
export const statusAsJson = (status: Status) => ({
  version: status.version,
  schema: status.schema,
  database: { version: status.database.version, kib: status.database.kib },
  links: status.links,
  checks: status.checks,
  pushes: status.pushes,
  brake: { held_since: status.brake.heldSince, held: status.brake.held },
  stops: status.stops,
  keys: status.keys,
  grants_ended: { days: ENDED_DAYS, ...status.grantsEnded },
  backup_at: status.backupAt,
  restored_at: status.restoredAt,
  attention: status.attention,
});

/** For the operator. */
export function describeStatus(status: Status, now: Date): string {
  const { links, database } = status;
  const rows = [
    row("janus", [`${status.version}, with the schema ${status.schema}`]),
    row("database", [
      `PostgreSQL ${printable(database.version.slice(0, MOST_OF_NAME))}`,
      describeSize(database.kib),
    ]),
    row("links", [String(links.all)]),
    describeLinks(links),
    row("checks", describeBacklog(status.checks, now)),
    row("pushes", describeBacklog(status.pushes, now)),
    row("brake", [describeBrake(status.brake)]),
    row("upkeep", describeStops(status.stops)),
    row("keys", describeKeys(status.keys)),
    row("ended", [describeEnded(status.grantsEnded)]),
    row("backup", [describeBackup(status.backupAt, now), ...describeRestore(status.restoredAt)]),
  ];
  return [...rows, "", ...describeAttention(status)].join("\n");
}

/** A name, and the parts of what it is, on as many lines as they need. */
const row = (name: string, parts: readonly string[]): string =>
  inLines(parts, COLUMNS - MARGIN)
    .map((line, index) => (index === 0 ? name : "").padEnd(MARGIN) + line)
    .join("\n");

/** The parts with commas between them, broken only between two parts. */
function inLines(parts: readonly string[], most: number): readonly string[] {
  const lines: string[] = [];
  for (const [index, part] of parts.entries()) {
    const text = index < parts.length - 1 ? `${part},` : part;
    const last = lines.at(-1);
    if (last === undefined || last.length + 1 + text.length > most) lines.push(text);
    else lines[lines.length - 1] = `${last} ${text}`;
  }
  return lines;
}

function describeLinks({ told, waiting, losing, disconnected, cleared }: Status["links"]): string {
  const rows = [
    ["told", told, "Discord has what it was told"],
    ["waiting", waiting, "Discord is to be told something"],
    ["losing", losing, "about to lose something, or the brake holds it"],
    ["disconnected", disconnected, "removed in Discord by their member"],
    ["cleared", cleared, "not admitted, or the grant or membership ended"],
  ] as const;
  const width = Math.max(...rows.map(([, number]) => String(number).length));
  return rows
    .map(
      ([state, number, what]) => `${"".padEnd(MARGIN)}${String(number).padStart(width)}  ${state}: ${what}`,
    )
    .join("\n");
}

const describeSize = (kib: number): string => `${Math.ceil(kib / KIB_PER_MIB)} MiB`;

function describeBacklog({ due, overdue, oldest }: Status["checks"], now: Date): readonly string[] {
  if (due === 0 || oldest === null) return ["none due"];
  const late = overdue === 0 ? [] : [`${overdue} of them overdue`];
  return [`${due} due`, ...late, `the oldest for ${describeAge(oldest, now)}`];
}

function describeBrake({ heldSince, held }: Status["brake"]): string {
  if (heldSince === null) return "holds nothing";
  return `holds ${count(held, "loss", "losses")} since ${shortTime(heldSince)}`;
}

const describeStops = (stops: Status["stops"]): readonly string[] =>
  stops.length === 0
    ? ["may ask both servers"]
    : stops.map(({ upstream, code, until }) => `${upstream}: ${code} until ${shortTime(until)}`);

const KEY_STATES: Readonly<Record<KeyInUse["state"], string>> = {
  active: "active",
  kept: "kept",
  missing: "missing",
  untold: "needed",
};

function describeKeys(keys: readonly KeyInUse[]): readonly string[] {
  if (keys.length === 0) return ["no token is stored"];
  const shown = keys
    .slice(0, MOST_KEYS)
    .map(({ id, state }) => `${printable(id.slice(0, MOST_OF_ID))} (${KEY_STATES[state]})`);
  const more = keys.length > MOST_KEYS ? [`${keys.length - MOST_KEYS} more`] : [];
  return [...shown, ...more];
}

const describeEnded = ({ discord, provider }: Status["grantsEnded"]): string =>
  `${count(provider, "grant", "grants")} at the provider and ${discord} at Discord within ${ENDED_DAYS} days`;

const describeBackup = (at: Date | null, now: Date): string =>
  at === null
    ? "not known. After one by other means: janus status --backed-up"
    : `${shortTime(at)}, ${describeAge(at, now)} ago`;

const describeRestore = (at: Date | null): readonly string[] =>
  at === null ? [] : [`restored ${shortTime(at)}`];

function describeAttention({ attention }: Status): readonly string[] {
  if (attention.length === 0) return ["All is well."];
  const isBackupOnly = attention.every(({ kind }) => kind === "backup_old");
  return [
    "Needs attention:",
    ...inLines(
      attention.map(({ kind, count }) => `${kind} ${count}`),
      COLUMNS,
    ),
    isBackupOnly ? "Make a backup: see docs/database.md." : "janus audit says what to do.",
  ];
}

const UNITS = [
  [86_400, "day", "days"],
  [3_600, "hour", "hours"],
  [60, "minute", "minutes"],
] as const;

/** In the largest unit of which it has one. */
function describeAge(at: Date, now: Date): string {
  const seconds = Math.max(0, (now.getTime() - at.getTime()) / 1_000);
  const unit = UNITS.find(([length]) => seconds >= length);
  if (unit === undefined) return "less than a minute";
  const [length, one, many] = unit;
  return count(Math.floor(seconds / length), one, many);
}

const count = (number: number, one: string, many: string): string => `${number} ${number === 1 ? one : many}`;

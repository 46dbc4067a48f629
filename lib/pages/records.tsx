/**
 * The records of the member's own page: the name of each, what Discord has, and why, where that does not speak for itself.
 *
 * @jsxImportSource preact -- Bun reads tsconfig.json from the folder it is started in, which may be another one.
 */
import type { ComponentChild } from "preact";
import type { RecordFacts } from "../member/facts.ts";
import type { MetadataRecord } from "../rules/records.ts";
import { RECORD_TYPES, valueKindOf } from "../rules/records.ts";
import type { PageContext } from "./parts.tsx";
import { say, shownName } from "./parts.tsx";
import { TEXTS } from "./texts/languages.ts";

/** As Discord has dates: days. */
const DAY_FORMAT = { day: "numeric", month: "short", year: "numeric" } as const;

/** Year numbers have no separator. A number of five digits and more has. */
const NUMBER_FORMAT = { useGrouping: "min2" } as const;

type Of<Props> = Props & { readonly context: PageContext };

/**
 * The list's items, one for each record. Where there are several, a yes or a no says what it means. The description of a
 * number or a date speaks to admins of what a role asks for: "at least so many".
 */
export function RecordItems({ context, records }: Of<{ readonly records: readonly RecordFacts[] }>) {
  return records.map((facts) => (
    <li key={facts.record.key} class={records.length > 1 ? "described" : undefined}>
      <Localized context={context} text={facts.record.name} by={facts.record.name_localizations} />:{" "}
      <Value context={context} facts={facts} />
      {records.length > 1 && valueKindOf(facts.record.type) === "boolean" && (
        <small>
          <Localized
            context={context}
            text={facts.record.description}
            by={facts.record.description_localizations}
          />
        </small>
      )}
      <Remark context={context} facts={facts} />
    </li>
  ));
}

/** Whether the next update would tell Discord another value of it. */
export const isStale = ({ value, outcome }: RecordFacts): boolean =>
  outcome.outcome === "value" && outcome.value !== value;

/**
 * Says when these records give a role. Discord compares numbers and dates with what the admins of the server chose, so only
 * of a yes and a no can the page say which roles depend on it.
 */
export function RoleRule({ context, records }: Of<{ readonly records: readonly RecordFacts[] }>) {
  const { role } = TEXTS[context.language];
  if (!records.every(isAnswered)) return <>{say(role.compares, context)}</>;
  return (
    <>
      {records.some(({ value }) => value === "1") && say(role.given, context)}{" "}
      {records.some(({ value }) => value === "0") && say(role.withheld, context, <strong>{role.yes}</strong>)}
    </>
  );
}

/** Roles that depend on it need a yes, and Discord has a yes or a no that stays. */
const isAnswered = (facts: RecordFacts): boolean =>
  facts.record.type === RECORD_TYPES.boolean_equal &&
  (facts.value === "1" || facts.value === "0") &&
  !isStale(facts);

/** What Discord has, in words. */
function Value({ context, facts: { record, value, outcome } }: Of<{ readonly facts: RecordFacts }>) {
  const { role } = TEXTS[context.language];
  if (value !== null) return showValue(context, record, value);
  return <strong class="open">{outcome.outcome === "value" ? role.notSent : role.notKnown}</strong>;
}

/** Why Discord has it, or has nothing, unless it is simply what the organisation said. */
function Remark({ context, facts: { record, value, outcome } }: Of<{ readonly facts: RecordFacts }>) {
  const { role } = TEXTS[context.language];
  if (outcome.outcome === "value") {
    if (value === outcome.value) return null;
    return <small>{say(role.change, context, showValue(context, record, outcome.value))}</small>;
  }
  const texts =
    outcome.outcome === "unknown" ? [role.silent, role.silentKept] : [role.unclear, role.unclearKept];
  return <small>{say(texts[value === null ? 0 : 1] ?? "", context)}</small>;
}

function showValue(context: PageContext, { type }: MetadataRecord, value: string): ComponentChild {
  const { locale, role } = TEXTS[context.language];
  const kind = valueKindOf(type);
  if (kind === "boolean" && value === "1") return <strong class="yes">{role.yes}</strong>;
  if (kind === "boolean" && value === "0") return <strong class="no">{role.no}</strong>;
  if (kind === "integer" && /^-?\d{1,16}$/.test(value))
    return <strong>{Number(value).toLocaleString(locale, NUMBER_FORMAT)}</strong>;
  if (kind === "datetime" && !Number.isNaN(Date.parse(value))) return showDay(context, new Date(value));
  // Pushed before the record had this type. The next update replaces it.
  return <bdi class="account">{shownName(value)}</bdi>;
}

function showDay({ language, timeZone }: PageContext, day: Date): ComponentChild {
  return (
    <strong>
      <time dateTime={day.toISOString()}>
        {day.toLocaleDateString(TEXTS[language].locale, { ...DAY_FORMAT, timeZone })}
      </time>
    </strong>
  );
}

type LocalizedProps = Of<{
  readonly text: string;
  readonly by: MetadataRecord["name_localizations"];
}>;

/** A text in Discord's locale for the language, or in another one of that language; otherwise as the file has it first. */
function Localized({ context: { language }, text, by }: LocalizedProps) {
  const own = Object.entries(by ?? {});
  const [, translated = text] =
    own.find(([locale]) => locale === TEXTS[language].locale) ??
    own.find(([locale]) => locale.split("-")[0] === language) ??
    [];
  return <bdi>{shownName(translated)}</bdi>;
}

/** What a command is answered with, in the language of the one who asks. Every text from outside is made plain. */

import { valueKindOf } from "../rules/records.ts";
import type { RuleSet } from "../rules/rule_set.ts";
import type { Language } from "../text/languages.ts";
import { readName } from "../text/shown_name.ts";
import type { Look, SeenLink } from "./look.ts";
import { day, plain } from "./markdown.ts";
import type { Texts } from "./texts/en.ts";
import { COMMAND_TEXTS, DISCORD_LOCALES } from "./texts/languages.ts";

/** What the words depend on. */
export type ReplyContext = {
  readonly language: Language;
  readonly platformName: string;
  readonly publicUrl: string;
  readonly rules: Pick<RuleSet, "records">;
};

/** Discord takes 2,000 characters. All texts from outside together stay below that, behind their backslashes too. */
const MOST_OF_PLATFORM = 40;
const MOST_OF_NAME = 50;
const MOST_OF_RECORD = 30;

/** Says what a command came to. */
export function sayLook(context: ReplyContext, look: Look): string {
  const texts = COMMAND_TEXTS[context.language];
  switch (look.kind) {
    case "own":
      return sayOwn(context, texts, look.link);
    case "other":
      return sayOther(context, texts, look);
    case "no_member":
      return fill(context, texts.noMember, { member: mention(look.discordUserId) });
    case "not_here":
      return texts.notHere;
    case "not_allowed":
      return texts.notAllowed;
    case "repeated":
      return texts.repeated;
    case "unknown":
      return texts.unknown;
    case "late":
      return texts.slow;
  }
}

/** Says that Janus cannot answer right now. */
export const saySlow = ({ language }: Pick<ReplyContext, "language">): string => COMMAND_TEXTS[language].slow;

function sayOwn(context: ReplyContext, texts: Texts, link: SeenLink | undefined): string {
  const { publicUrl } = context;
  if (link === undefined) return fill(context, texts.unlinkedSelf, { url: `${publicUrl}/linked-role` });
  return [
    fill(context, texts.linkedSelf, { other: day(link.linkedAt) }),
    ...sayLink(context, texts, link),
    fill(context, texts.ownPage, { url: `${publicUrl}/account` }),
  ].join("\n");
}

/** Nobody is notified: the message allows no mentions. Discord shows the name that the server knows the member by. */
const mention = (discordUserId: string): string => `<@${discordUserId}>`;

function sayOther(
  context: ReplyContext,
  texts: Texts,
  { discordUserId, link }: { readonly discordUserId: string; readonly link: SeenLink | undefined },
): string {
  const member = mention(discordUserId);
  if (link === undefined) return fill(context, texts.unlinked, { member });
  return [
    fill(context, texts.linked, { member, other: day(link.linkedAt) }),
    ...sayLink(context, texts, link),
    texts.seen,
  ].join("\n");
}

/** What both have: the name and the records as Discord has them, and how the link is kept true. */
function sayLink(context: ReplyContext, texts: Texts, link: SeenLink): readonly string[] {
  const name = readName(link.platformUsername);
  return [
    ...(name === undefined ? [] : [fill(context, texts.name, { other: plain(name, MOST_OF_NAME) })]),
    fill(context, texts.records),
    ...context.rules.records.map(({ record }) => {
      const has = link.records.find(({ key }) => key === record.key)?.discordHas ?? null;
      return `- ${plain(nameIn(context.language, record), MOST_OF_RECORD)}: ${sayValue(texts, record.type, has)}`;
    }),
    fill(context, texts.states[link.state]),
    ...saySync(context, texts, link),
  ];
}

type NamedRecord = RuleSet["records"][number]["record"];

function nameIn(language: Language, { name, name_localizations }: NamedRecord): string {
  const [, translated] =
    Object.entries(name_localizations ?? {}).find(([locale]) => locale === DISCORD_LOCALES[language]) ?? [];
  return translated ?? name;
}

function sayValue(texts: Texts, type: number, value: string | null): string {
  if (value === null) return texts.notKnown;
  const kind = valueKindOf(type);
  if (kind === "boolean" && (value === "1" || value === "0")) return value === "1" ? texts.yes : texts.no;
  const at = kind === "datetime" ? new Date(value) : undefined;
  return at === undefined || Number.isNaN(at.getTime()) ? plain(value, MOST_OF_RECORD) : day(at);
}

/** Nothing where the link is simply checked, and where its state says it already. */
function saySync(context: ReplyContext, texts: Texts, { sync }: SeenLink): readonly string[] {
  if (sync.state === "checked") return [];
  const at = "until" in sync ? sync.until : "since" in sync ? sync.since : undefined;
  return [fill(context, texts.sync[sync.state], at === undefined ? {} : { other: day(at) })];
}

type Values = { readonly member?: string; readonly other?: string; readonly url?: string };

/** Puts values into a text. A value is not searched for placeholders. */
function fill({ platformName }: ReplyContext, text: string, values: Values = {}): string {
  const all: Readonly<Record<string, string | undefined>> = {
    ...values,
    platform: plain(platformName, MOST_OF_PLATFORM),
  };
  return text.replaceAll(/\{(\w+)\}/g, (whole, name: string) => all[name] ?? whole);
}

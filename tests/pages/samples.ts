/** Every page in each of its forms, with texts from outside wherever one can stand. */
import { HANDLED as HANDLED_ACTIONS } from "../../lib/database/statements/audit_event.ts";
import { PUBLIC_ERROR_CODES } from "../../lib/error_codes.ts";
import type { LinkFacts } from "../../lib/member/facts.ts";
import { renderAbout } from "../../lib/pages/about.tsx";
import { renderCancelled, renderError } from "../../lib/pages/error.tsx";
import { renderConflict, renderHome, renderLinked } from "../../lib/pages/link.tsx";
import type { Look } from "../../lib/pages/look.ts";
import { createLook } from "../../lib/pages/look.ts";
import {
  renderAccount,
  renderAnotherAccount,
  renderSignIn,
  renderUnlinked,
  renderUnlinkQuestion,
} from "../../lib/pages/member.tsx";
import type { AccountPage } from "../../lib/pages/member_sections.tsx";
import { renderCleared, renderNotAdmitted } from "../../lib/pages/not_admitted.tsx";
import type { PageContext } from "../../lib/pages/parts.tsx";
import { renderKept, renderSignedOut } from "../../lib/pages/result.tsx";
import { TEXTS } from "../../lib/pages/texts/languages.ts";
import { NOTICES } from "../../lib/result/notice.ts";
import type { Language } from "../../lib/text/languages.ts";
import { textOf } from "../harness/html.ts";
import { adminPages } from "./admin_samples.ts";
import {
  admitting,
  CLEARED,
  manyRecords,
  memberRecord,
  NOT_TOLD,
  RECORD_DESCRIPTION,
  RECORD_NAME,
  says,
  UNKNOWN,
} from "./record_samples.ts";
import { CHECKED, STATES } from "./sync_samples.ts";

export const DISCORD_APP_URL = "https://discord.test/app";
/** Discord's own, which has an app. */
export const DISCORD_URL = "https://discord.com/channels/@me";
export const TIME_ZONE = "UTC";
export const AVATAR_ORIGIN = "https://cdn.discord.test";
export const LINKED_AT = new Date("2026-07-04T22:30:00Z");
export const PUSHED_AT = new Date("2026-07-05T10:03:00Z");
export const NEXT_PUSH_AT = new Date("2026-07-06T11:44:00Z");

/** One event of each kind. */
export const TOLD = (
  ["recheck_asked", "provider_logout", "membership_restored", "membership_ended", "deauthorized"] as const
).map((about) => ({ about, at: PUSHED_AT }));

/** What administrators may do, each once. */
export const HANDLED = HANDLED_ACTIONS.map((did) => ({ did, at: PUSHED_AT }));

const NOT_CHOSEN = {
  platformLogo: undefined,
  platformColor: undefined,
  supportUrl: undefined,
  privacyUrl: undefined,
} as const;

/** The look of Janus where an operator has chosen nothing, or only these. */
export const lookWith = (choices: Partial<Parameters<typeof createLook>[0]> = {}): Look =>
  createLook({ ...NOT_CHOSEN, ...choices });

/** Everything that an operator can choose. */
export const OWN_LOOK = lookWith({
  platformLogo: { bytes: new Uint8Array(1), type: "image/png" },
  platformColor: "#f280a1",
  supportUrl: "mailto:help@example.org",
  privacyUrl: "https://example.org/privacy",
});

const PLAIN_LOOK = lookWith();

/** What comes from outside, one text for each place where it can stand. */
export type Outside = {
  readonly requestId: string;
  readonly platformName: string;
  readonly username: string;
  readonly globalName: string;
  readonly avatarUrl: string;
  readonly organisationName: string;
  readonly heldUsername: string;
  readonly heldGlobalName: string;
  readonly heldOrganisationName: string;
  readonly formState: string;
  readonly userAgent: string;
  readonly recordName: string;
  readonly recordDescription: string;
  /** What Discord has of a record, in no form that a page knows. */
  readonly recordValue: string;
  readonly operatorMessage: string;
};

export const PLAIN: Outside = {
  requestId: "request-1",
  platformName: "D-sektionen",
  username: "elin.l",
  globalName: "Elin Lindqvist",
  avatarUrl: `${AVATAR_ORIGIN}/avatars/1/a.png`,
  organisationName: "elili123",
  heldUsername: "elin.old",
  heldGlobalName: "Elin before",
  heldOrganisationName: "elili456",
  formState: "state-1",
  userAgent: "Firefox on Linux",
  recordName: RECORD_NAME,
  recordDescription: RECORD_DESCRIPTION,
  recordValue: "perhaps",
  operatorMessage: "Only students of the university can link.",
};

/** One text in every place. */
export function outsideOf(text: string): Outside {
  return {
    requestId: text,
    platformName: text,
    username: text,
    globalName: text,
    avatarUrl: text,
    organisationName: text,
    heldUsername: text,
    heldGlobalName: text,
    heldOrganisationName: text,
    formState: text,
    userAgent: text,
    recordName: text,
    recordDescription: text,
    recordValue: text,
    operatorMessage: text,
  };
}

export function contextIn(
  language: Language,
  outside: Outside = PLAIN,
  look: Look = PLAIN_LOOK,
): PageContext {
  return {
    language,
    requestId: outside.requestId,
    platformName: outside.platformName,
    timeZone: TIME_ZONE,
    look,
  };
}

/** A text as a reader reads it, with its placeholders filled in. */
export function said(language: Language, text: string, other = ""): string {
  return text
    .replaceAll(/\{(platform|contact)\}/g, PLAIN.platformName)
    .replaceAll("{link}", TEXTS[language].discordLink)
    .replaceAll("{other}", other);
}

/** The heading as a reader reads it. */
export function headingOf(html: string): string {
  return textOf(`<main>${html.match(/<h1>.*<\/h1>/s)?.[0] ?? ""}</main>`).trim();
}

/** The page of a member whose role Discord knows of, signed in here alone. */
export function accountPage(link: Partial<LinkFacts> = {}, outside: Outside = PLAIN) {
  const { username, globalName, avatarUrl, organisationName } = outside;
  return {
    discord: { username, globalName, avatarUrl },
    discordAnswered: true,
    link: {
      organisationName,
      linkedAt: LINKED_AT,
      pushedMetadata: { dsek_member: "1" },
      pushedAt: PUSHED_AT,
      nextPushAt: NEXT_PUSH_AT,
      pushFailures: 0,
      records: [memberRecord("1")],
      admission: "admitted",
      clearedAt: null,
      ...CHECKED,
      ...link,
    },
    roleMayStay: false,
    rules: admitting({ en: outside.operatorMessage }),
    notice: null,
    told: [],
    handled: [],
    sessions: manySignIns(null).slice(0, 1),
    discordAppUrl: DISCORD_APP_URL,
  } satisfies AccountPage;
}

/** This sign-in, and two others. */
export function manySignIns(otherUserAgent: string | null): AccountPage["sessions"] {
  const times = { createdAt: LINKED_AT, lastUsedAt: PUSHED_AT };
  return [
    { sessionHandle: "handle-of-it1", current: true, userAgent: "Firefox on Linux", ...times },
    { sessionHandle: "handle-of-it2", current: false, userAgent: otherUserAgent, ...times },
    { sessionHandle: "handle-of-it3", current: false, userAgent: null, ...times },
  ];
}

/** Each page in each of its forms, by a name for the test's report. */
export function everyPage(
  language: Language,
  outside: Outside,
  look?: Look,
): Readonly<Record<string, string>> {
  const context = contextIn(language, outside, look);
  return {
    ...linkPages(context, outside),
    ...errorPages(context),
    ...memberPages(context, outside),
    ...accountPages(context, outside),
    ...refusalPages(context, outside),
    ...adminPages(context, outside),
  };
}

function refusalPages(context: PageContext, { operatorMessage }: Outside): Record<string, string> {
  const rules = admitting({ en: operatorMessage });
  const own = admitting({ en: operatorMessage, sv: operatorMessage, de: operatorMessage });
  return {
    refused: renderNotAdmitted(context, { why: "refused" }, rules),
    "refused, in each language": renderNotAdmitted(context, { why: "refused" }, own),
    "refused, by rules that have changed": renderNotAdmitted(
      context,
      { why: "refused" },
      { admit: undefined },
    ),
    "not admitted, unknown": renderNotAdmitted(context, { why: "unknown" }, rules),
    cleared: renderCleared(context, { pushed: true, signedIn: true }, rules),
    "cleared, not told": renderCleared(context, { pushed: false, signedIn: false }, rules),
  };
}

function linkPages(context: PageContext, outside: Outside): Record<string, string> {
  const discord = { username: outside.username, globalName: outside.globalName };
  const pair = { discord, organisationName: outside.organisationName };
  const unnamed = { discord: { ...discord, globalName: null }, organisationName: null };
  const linked = {
    pushed: true,
    isKnown: true,
    isAgain: false,
    earlierRoleMayStay: false,
    signedIn: true,
    discordAppUrl: DISCORD_APP_URL,
  };
  const conflict = {
    heldByDiscord: { username: outside.heldUsername, globalName: outside.heldGlobalName },
    heldByOrganisation: { kind: "named", name: outside.heldOrganisationName } as const,
    formState: outside.formState,
  };
  return {
    home: renderHome(context),
    about: renderAbout(context, 400),
    "home, signed in": renderHome(context, { discord, isLinked: true }),
    "home, signed in, not linked": renderHome(context, { discord, isLinked: false }),
    linked: renderLinked(context, { ...pair, ...linked }),
    "linked, again": renderLinked(context, { ...pair, ...linked, isAgain: true }),
    "linked, not pushed": renderLinked(context, { ...pair, ...linked, pushed: false }),
    "linked, with the app": renderLinked(context, { ...pair, ...linked, discordAppUrl: DISCORD_URL }),
    "linked, not signed in": renderLinked(context, { ...pair, ...linked, signedIn: false }),
    "linked, unnamed": renderLinked(context, { ...unnamed, ...linked }),
    "linked, an earlier role left": renderLinked(context, { ...pair, ...linked, earlierRoleMayStay: true }),
    "linked, nothing known": renderLinked(context, { ...pair, ...linked, isKnown: false }),
    conflict: renderConflict(context, { ...pair, ...conflict }),
    "conflict, unnamed": renderConflict(context, {
      ...unnamed,
      ...conflict,
      heldByOrganisation: { kind: "unnamed" },
    }),
    kept: renderKept(context),
    "signed out": renderSignedOut(context),
  };
}

function errorPages(context: PageContext): Record<string, string> {
  return {
    "cancelled at discord": renderCancelled(context, { at: "discord" }),
    "cancelled at provider": renderCancelled(context, { at: "provider" }),
    ...Object.fromEntries(PUBLIC_ERROR_CODES.map((code) => [code, renderError(context, code)])),
  };
}

function memberPages(context: PageContext, outside: Outside): Record<string, string> {
  const { discord } = accountPage({}, outside);
  const { organisationName } = outside;
  return {
    "sign-in": renderSignIn(context),
    "unlink question": renderUnlinkQuestion(context, { discord, organisationName }),
    "unlink question, unnamed": renderUnlinkQuestion(context, {
      discord: { ...discord, globalName: null },
      organisationName: null,
    }),
    unlinked: renderUnlinked(context, { discordTold: true, roleMayStay: false }),
    "unlinked, role left": renderUnlinked(context, { discordTold: true, roleMayStay: true }),
    "unlinked, pending": renderUnlinked(context, { discordTold: false, roleMayStay: false }),
    "another account": renderAnotherAccount(context),
  };
}

function accountPages(context: PageContext, outside: Outside): Record<string, string> {
  const page: AccountPage = {
    ...accountPage({}, outside),
    sessions: manySignIns(outside.userAgent),
    told: TOLD,
    handled: HANDLED,
  };
  const account = (link: Partial<LinkFacts>) =>
    renderAccount(context, { ...page, ...accountPage(link, outside) });
  const pages: Record<string, string> = {
    account: renderAccount(context, page),
    "account, not linked": renderAccount(context, { ...page, link: null }),
    "account, a role left": renderAccount(context, { ...page, link: null, roleMayStay: true }),
    "account, without a picture": renderAccount(context, {
      ...page,
      discord: { ...page.discord, globalName: null, avatarUrl: null },
    }),
    "account, Discord silent": renderAccount(context, { ...page, discordAnswered: false }),
    "account, unnamed": account({ organisationName: null }),
    "account, not told": account({ ...NOT_TOLD, pushFailures: 1 }),
    "account, told no": account({ records: [memberRecord("0")] }),
    "account, nothing planned": account({ nextPushAt: null }),
    "account, outdated": account({ pushFailures: 1 }),
    "account, outdated, nothing planned": account({ pushFailures: 1, nextPushAt: null }),
    "account, one unknown": account({ records: [memberRecord(null, UNKNOWN)] }),
    "account, many records": account({ records: manyRecords(outside) }),
    "account, changed": account({ records: [memberRecord("1", says("0"))], nextPushAt: null }),
    "account, admission unknown": account({ admission: "unknown" }),
    "account, refused": account({ admission: "refused" }),
    "account, refused, not told": account({ admission: "refused", pushFailures: 1 }),
    "account, cleared": account({ ...CLEARED, admission: "refused" }),
    "account, readmitted": account({ ...CLEARED, nextPushAt: null }),
  };
  for (const [state, link] of Object.entries(STATES)) pages[`account, ${state}`] = account(link);
  for (const notice of NOTICES) pages[`account, ${notice}`] = renderAccount(context, { ...page, notice });
  return pages;
}

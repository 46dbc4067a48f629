/**
 * What the member's own page consists of: both accounts, the role, the link, the sign-ins. Called by `account.tsx`
 * alone. Whatever changes something is a form, so that no link that is followed by itself can change anything.
 *
 * @jsxImportSource preact -- Bun looks for tsconfig.json where it is started, which need not be here.
 */
import type { ComponentChildren } from "preact";
import type { LinkFacts } from "../member/facts.ts";
import { METADATA_RECORDS, type MetadataRecord } from "../rules/role_connection.ts";
import type { DiscordName, Language, PageContext } from "./parts.tsx";
import { ButtonLink, DiscordAccount, say, shownName, TEXTS } from "./parts.tsx";
import { type AccountTexts, accountEn } from "./texts/member_en.ts";
import { accountSv } from "./texts/member_sv.ts";

/** What the member's own page shows. */
export type AccountPage = {
  readonly discord: DiscordName & { readonly avatarUrl: string | null };
  /** False when Discord gave no answer: the names are those last seen. */
  readonly discordAnswered: boolean;
  readonly link: LinkFacts | null;
  /** Whether the member may still have a role from an earlier link. */
  readonly roleMayStay: boolean;
  /** Why the page is shown again, if it is. */
  readonly notice: null | "synced" | "sync_failed" | "sync_too_soon" | "sessions_ended";
  /** The member's sign-ins, this one included. */
  readonly sessions: readonly SignIn[];
  readonly discordAppUrl: string;
};

/** One sign-in of the member; `userAgent` is coarse, null where the browser did not say. */
export type SignIn = {
  readonly current: boolean;
  readonly userAgent: string | null;
  readonly createdAt: Date;
  readonly lastUsedAt: Date;
};

/** The texts of the account pages, beyond those that all pages share. */
export const ACCOUNT_TEXTS: Readonly<Record<Language, AccountTexts>> = { en: accountEn, sv: accountSv };

const AVATAR_PIXELS = 64;

const LOCALES: Readonly<Record<Language, string>> = { en: "en-GB", sv: "sv-SE" };
const TIME_FORMATS = new Map<Language, Intl.DateTimeFormat>();

/** Made when first needed: a server starts without the tables behind it. */
function timeFormat(language: Language): Intl.DateTimeFormat {
  const known = TIME_FORMATS.get(language);
  if (known !== undefined) return known;
  const options = { dateStyle: "medium", timeStyle: "short", timeZone: "UTC" } as const;
  const format = new Intl.DateTimeFormat(LOCALES[language], options);
  TIME_FORMATS.set(language, format);
  return format;
}

type Section<Props> = Props & { readonly context: PageContext };

/** Both accounts side by side, or the one and the place of the other. */
export function BothSides({ context, page }: Section<{ readonly page: AccountPage }>) {
  const { account } = ACCOUNT_TEXTS[context.language];
  const { discord, link } = page;
  const name = shownName(link?.organisationName ?? null);
  return (
    <>
      <dl class="accounts beside">
        <div>
          <dt>Discord</dt>
          <dd>
            <Avatar
              names={[shownName(discord.globalName), shownName(discord.username)]}
              url={discord.avatarUrl}
            />
            <span>
              <DiscordAccount name={discord} />
            </span>
          </dd>
        </div>
        <div>
          <dt>
            <bdi>{context.platformName}</bdi>
          </dt>
          <dd>
            <Avatar names={link === null ? [] : [name, context.platformName]} url={null} />
            <span>
              {name !== null && <bdi class="account">{name}</bdi>}
              {name === null && (link === null ? account.noAccount : TEXTS[context.language].unnamedAccount)}
            </span>
          </dd>
        </div>
      </dl>
      {link !== null && <p class="fine">{sayTime(account.linkedSince, context, link.linkedAt)}</p>}
    </>
  );
}

/** The picture lies over the letter: one that does not load leaves the letter. */
function Avatar({ names, url }: { readonly names: readonly (string | null)[]; readonly url: string | null }) {
  const letter = /[[\p{L}\p{N}]--\p{Default_Ignorable_Code_Point}]/v.exec(names.join(" "))?.[0] ?? "";
  return (
    <span class={names.length === 0 ? "avatar none" : "avatar"} aria-hidden="true">
      <bdi>{letter.toUpperCase()}</bdi>
      {url !== null && <img src={url} alt="" width={AVATAR_PIXELS} height={AVATAR_PIXELS} />}
    </span>
  );
}

/** What Discord knows, in words; why it gives the role or does not; what to press for it. */
export function Role({ context, page }: Section<{ readonly page: AccountPage }>) {
  const { role, buttons } = ACCOUNT_TEXTS[context.language];
  const shared = TEXTS[context.language].buttons;
  if (page.link === null) {
    return (
      <section>
        <h2>{role.title}</h2>
        <p>{say(role.notLinked, context)}</p>
        {page.roleMayStay && <p class="notice">{say(role.mayStay, context)}</p>}
        <ButtonLink href="/linked-role">{shared.linkAccount}</ButtonLink>
      </section>
    );
  }
  return (
    <section>
      <h2>{role.title}</h2>
      {page.link.pushedMetadata !== null && <Knowledge context={context} link={page.link} />}
      <Reasons context={context} link={page.link} />
      <div class="actions">
        <ButtonLink href={page.discordAppUrl}>{shared.backToDiscord}</ButtonLink>
        <FormButton action="/api/link/sync">{buttons.sync}</FormButton>
      </div>
    </section>
  );
}

/** What Discord took last, when, and when Janus looks again. */
function Knowledge({ context, link }: Section<{ readonly link: LinkFacts }>) {
  const { role } = ACCOUNT_TEXTS[context.language];
  const { pushedAt, nextPushAt } = link;
  return (
    <ul class="facts">
      {knownRecords(link).map(({ record, holds }) => (
        <li key={record.key}>
          {say(
            role.facts[record.key] ?? `${recordName(record, context.language)}: {other}`,
            context,
            <strong class={holds ? "yes" : "no"}>{holds ? role.yes : role.no}</strong>,
          )}
        </li>
      ))}
      {pushedAt !== null && <li>{sayTime(role.lastTold, context, pushedAt)}</li>}
      {!isDiscordBehind(link) && (
        <li>{nextPushAt === null ? role.noCheck : sayTime(role.nextCheck, context, nextPushAt)}</li>
      )}
    </ul>
  );
}

/** Why the role is given or not. */
function Reasons({ context, link }: Section<{ readonly link: LinkFacts }>) {
  const { role, buttons } = ACCOUNT_TEXTS[context.language];
  const records = knownRecords(link);
  const { nextPushAt, pushedMetadata } = link;
  return (
    <>
      {isDiscordBehind(link) && (
        <p>
          {pushedMetadata === null ? role.notTold : role.outdated}{" "}
          {nextPushAt === null
            ? say(role.noTry, context, <strong>{buttons.sync}</strong>)
            : sayTime(role.nextTry, context, nextPushAt)}
        </p>
      )}
      {pushedMetadata !== null && (
        <p>
          {!isDiscordBehind(link) && role.knows}{" "}
          {records.some(({ holds }) => holds) && say(role.given, context)}{" "}
          {!records.every(({ holds }) => holds) && role.withheld}
        </p>
      )}
    </>
  );
}

/** True when Janus knows more than Discord. */
function isDiscordBehind({ pushedMetadata, pushFailures }: LinkFacts): boolean {
  return pushedMetadata === null || pushFailures > 0;
}

/** The records that Discord has an answer for. Each is a yes or a no, "1" or "0". */
function knownRecords({ pushedMetadata }: LinkFacts) {
  return METADATA_RECORDS.flatMap((record) => {
    const value = pushedMetadata?.[record.key];
    return value === undefined ? [] : [{ record, holds: value === "1" }];
  });
}

function recordName(record: MetadataRecord, language: Language): string {
  return (language === "sv" ? record.name_localizations?.["sv-SE"] : undefined) ?? record.name;
}

/** What can be done to the link. */
export function LinkActions({ context }: Section<object>) {
  const { link, buttons } = ACCOUNT_TEXTS[context.language];
  return (
    <section>
      <h2>{link.title}</h2>
      <div class="actions">
        <ButtonLink href="/account/another" quiet>
          {buttons.useAnother}
        </ButtonLink>
        <ButtonLink href="/account/unlink" quiet>
          {buttons.unlink}
        </ButtonLink>
      </div>
    </section>
  );
}

/** What Janus keeps, where the member is signed in, and how to end it. */
export function SignIns({ context, sessions }: Section<{ readonly sessions: readonly SignIn[] }>) {
  const { sessions: texts, buttons } = ACCOUNT_TEXTS[context.language];
  const hasOthers = sessions.some(({ current }) => !current);
  return (
    <section>
      <h2>{texts.title}</h2>
      {hasOthers && (
        <>
          <ul class="sessions">
            {sessions.map((session) => (
              <SignInItem key={session.createdAt.toISOString()} context={context} session={session} />
            ))}
          </ul>
          <FormButton action="/account/sessions">{buttons.endOthers}</FormButton>
        </>
      )}
      {!hasOthers && <p>{texts.onlyThis}</p>}
      <div class="actions">
        <ButtonLink href="/api/me/export" quiet>
          {buttons.export}
        </ButtonLink>
        <FormButton action="/api/auth/logout">{buttons.logOut}</FormButton>
      </div>
    </section>
  );
}

function SignInItem({ context, session }: Section<{ readonly session: SignIn }>) {
  const { sessions: texts } = ACCOUNT_TEXTS[context.language];
  const device = shownName(session.userAgent);
  return (
    <li>
      {device === null ? texts.unknownDevice : <bdi class="account">{device}</bdi>}
      {session.current && ` (${texts.current})`}
      <small>{sayTime(texts.createdAt, context, session.createdAt)}</small>
      <small>{sayTime(texts.lastUsedAt, context, session.lastUsedAt)}</small>
    </li>
  );
}

type FormButtonProps = { readonly action: string; readonly children: string };

/** A form of one button: the account page has nothing to fill in. */
function FormButton({ action, children }: FormButtonProps) {
  return (
    <form method="post" action={action}>
      <button class="button quiet" type="submit">
        {children}
      </button>
    </form>
  );
}

/** Puts a time where a text has `{other}`: in UTC, because a page without script does not know the member's zone. */
function sayTime(text: string, context: PageContext, at: Date): ComponentChildren {
  const shown = `${timeFormat(context.language).format(at)} UTC`;
  return say(text, context, <time dateTime={at.toISOString()}>{shown}</time>);
}

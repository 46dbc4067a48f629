/**
 * The sections of the member's own page: both accounts, the role, and the link. A form makes each change, so that opening
 * a link changes nothing. The list of sign-ins is in `sign_ins.tsx`.
 *
 * @jsxImportSource preact -- Bun reads tsconfig.json from the folder it is started in, which may be another one.
 */
import type { LinkFacts } from "../member/facts.ts";
import { isDiscordBehind } from "../member/facts.ts";
import type { Notice } from "../result/notice.ts";
import type { MetadataRecord } from "../rules/records.ts";
import type { Language } from "../text/languages.ts";
import type { DiscordName, PageContext } from "./parts.tsx";
import { ArrowLink, DiscordAppLink, DiscordLines, FormButton, say, sayTime, shownName } from "./parts.tsx";
import type { SignIn } from "./sign_ins.tsx";
import { TEXTS } from "./texts/languages.ts";

/** The content of the member's own page. */
export type AccountPage = {
  readonly discord: DiscordName & { readonly avatarUrl: string | null };
  /** False if Discord did not answer. The names are then the last ones that Janus saw. */
  readonly discordAnswered: boolean;
  readonly link: LinkFacts | null;
  /** True if the member may still have a role from an earlier link. */
  readonly roleMayStay: boolean;
  /** The result of the form that led back to the page, or null. */
  readonly notice: Notice | null;
  /** The member's sign-ins, including this one. */
  readonly sessions: readonly SignIn[];
  readonly discordAppUrl: string;
};

const AVATAR_PIXELS = 64;

type Section<Props> = Props & { readonly context: PageContext };

/** Both accounts side by side. Without a link, the organisation's side is empty. */
export function BothSides({ context, page }: Section<{ readonly page: AccountPage }>) {
  const { account, unnamedAccount } = TEXTS[context.language];
  const { discord, link } = page;
  const name = shownName(link?.organisationName ?? null);
  return (
    <>
      <dl class="accounts pictured">
        <div>
          <dt>Discord</dt>
          <dd>
            <Avatar
              names={[shownName(discord.globalName), shownName(discord.username)]}
              url={discord.avatarUrl}
            />
            <span>
              <DiscordLines name={discord} />
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
              {name === null && (link === null ? account.noAccount : unnamedAccount)}
            </span>
          </dd>
        </div>
      </dl>
      {link !== null && <p class="fine">{sayTime(account.linkedSince, context, link.linkedAt)}</p>}
    </>
  );
}

/** The picture covers the letter. If it does not load, the letter shows. */
function Avatar({ names, url }: { readonly names: readonly (string | null)[]; readonly url: string | null }) {
  const letter = /[[\p{L}\p{N}]--\p{Default_Ignorable_Code_Point}]/v.exec(names.join(" "))?.[0] ?? "";
  return (
    <span class={names.length === 0 ? "avatar none" : "avatar"} aria-hidden="true">
      <bdi>{letter.toUpperCase()}</bdi>
      {url !== null && <img src={url} alt="" width={AVATAR_PIXELS} height={AVATAR_PIXELS} />}
    </span>
  );
}

/** The answers that Discord has, whether they give the role, and the next step for the member. */
export function Role({ context, page }: Section<{ readonly page: AccountPage }>) {
  const { role, buttons } = TEXTS[context.language];
  if (page.link === null) {
    return (
      <section>
        <h2>{role.title}</h2>
        <p>{say(role.notLinked, context)}</p>
        {page.roleMayStay && <p class="notice">{say(role.mayStay, context)}</p>}
        <ArrowLink href="/linked-role">{buttons.linkAccount}</ArrowLink>
      </section>
    );
  }
  return (
    <section>
      <h2>{role.title}</h2>
      {page.link.pushedMetadata !== null && <DiscordAnswers context={context} link={page.link} />}
      <Reasons context={context} link={page.link} />
      <div class="actions">
        <ArrowLink href={page.discordAppUrl}>{buttons.backToDiscord}</ArrowLink>
        <FormButton action="/api/link/sync">{buttons.sync}</FormButton>
      </div>
      <DiscordAppLink context={context} url={page.discordAppUrl} />
    </section>
  );
}

/** The answers that Discord accepted last, when that was, and when the next update is due. */
function DiscordAnswers({ context, link }: Section<{ readonly link: LinkFacts }>) {
  const { role } = TEXTS[context.language];
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

/** Says why Discord gives the role or does not, and what the member can do. */
function Reasons({ context, link }: Section<{ readonly link: LinkFacts }>) {
  const { role, buttons } = TEXTS[context.language];
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
          {!records.every(({ holds }) => holds) && say(role.withheld, context, <strong>{role.yes}</strong>)}
        </p>
      )}
    </>
  );
}

/** The records that Discord has an answer for. "1" is yes and "0" is no. */
function knownRecords({ records }: LinkFacts) {
  return records.flatMap(({ record, value }) => (value === null ? [] : [{ record, holds: value === "1" }]));
}

function recordName({ name, name_localizations }: MetadataRecord, language: Language): string {
  const names = Object.entries(name_localizations ?? {});
  return names.find(([locale]) => locale === TEXTS[language].locale)?.[1] ?? name;
}

/** The actions that change the link. */
export function LinkActions({ context }: Section<object>) {
  const { account, buttons } = TEXTS[context.language];
  return (
    <section>
      <h2>{account.linkTitle}</h2>
      <div class="actions">
        <ArrowLink href="/account/another" quiet>
          {buttons.useAnother}
        </ArrowLink>
        <ArrowLink href="/account/unlink" quiet>
          {buttons.unlink}
        </ArrowLink>
      </div>
    </section>
  );
}

/**
 * The sections of the member's own page: both accounts, and the link. The roles are in `role.tsx`, the list of sign-ins is in
 * `sign_ins.tsx`. A form makes each change, so that opening a link changes nothing.
 *
 * @jsxImportSource preact -- Bun reads tsconfig.json from the folder it is started in, which may be another one.
 */
import type { Handled, Told } from "../member/told.ts";
import type { Notice } from "../result/notice.ts";
import type { DiscordName, PageContext } from "./parts.tsx";
import { ArrowLink, DiscordLines, sayTime, shownName } from "./parts.tsx";
import type { RolePage } from "./role.tsx";
import type { SignIn } from "./sign_ins.tsx";
import { TEXTS } from "./texts/languages.ts";

/** The content of the member's own page. */
export type AccountPage = RolePage & {
  readonly discord: DiscordName & { readonly avatarUrl: string | null };
  /** False if Discord did not answer. The names are then the last ones that Janus saw. */
  readonly discordAnswered: boolean;
  /** The result of the form that led back to the page, or null. */
  readonly notice: Notice | null;
  /** What other servers have told of the member, the newest first. */
  readonly told: readonly Told[];
  /** What administrators did with the link, the newest first. */
  readonly handled: readonly Handled[];
  /** The member's sign-ins, including this one. */
  readonly sessions: readonly SignIn[];
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

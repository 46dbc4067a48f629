/**
 * The member's own page, and the pages that it leads to. The sections of the member's own page are in
 * `member_sections.tsx`, `role.tsx`, `told.tsx` and `sign_ins.tsx`. The pages work without script: a form makes each change,
 * and a page of its own asks before an unlink.
 *
 * @jsxImportSource preact -- Bun reads tsconfig.json from the folder it is started in, which may be another one.
 */
import { Icon } from "./icons.tsx";
import type { AccountPage } from "./member_sections.tsx";
import { BothSides, LinkActions } from "./member_sections.tsx";
import type { PageContext, Pair } from "./parts.tsx";
import { Accounts, ArrowLink, renderPage, say } from "./parts.tsx";
import { Role } from "./role.tsx";
import { SignIns } from "./sign_ins.tsx";
import { sayPlain, TEXTS } from "./texts/languages.ts";
import { HandledEvents, ToldEvents } from "./told.tsx";

const ACCOUNT_PATH = "/account";

/** Notices of a request that succeeded. */
const DONE: readonly AccountPage["notice"][] = ["synced", "sync_changed", "session_ended", "sessions_ended"];

/** The member's own page: both accounts, the role, and everything the member can do with them. */
export function renderAccount(context: PageContext, page: AccountPage): string {
  const { account, notices } = TEXTS[context.language];
  return renderPage(
    context,
    account.title,
    <>
      {!page.discordAnswered && <p class="notice">{account.discordSilent}</p>}
      <BothSides context={context} page={page} />
      <Role context={context} page={page} />
      {page.link !== null && <LinkActions context={context} />}
      <ToldEvents context={context} told={page.told} />
      <HandledEvents context={context} handled={page.handled} />
      <SignIns context={context} sessions={page.sessions} />
    </>,
    undefined,
    page.notice === null
      ? undefined
      : {
          text: sayPlain(notices[page.notice], context.platformName),
          isGood: DONE.includes(page.notice),
        },
  );
}

/** Replaces the member's own page for a visitor who is not signed in. */
export function renderSignIn(context: PageContext): string {
  const { signIn, buttons } = TEXTS[context.language];
  return renderPage(
    context,
    signIn.title,
    <>
      <p>{say(signIn.lead, context)}</p>
      <ArrowLink href="/login">{buttons.signIn}</ArrowLink>
    </>,
    "signedOut",
  );
}

/** The question before an unlink. It names both accounts, and everything that the unlink ends. */
export function renderUnlinkQuestion(context: PageContext, page: Pair): string {
  const { unlink, buttons } = TEXTS[context.language];
  return renderPage(
    context,
    unlink.title,
    <>
      <Accounts context={context} pair={page} />
      <p>{unlink.lead}</p>
      <ul>
        {unlink.ends.map((end) => (
          <li key={end}>{say(end, context)}</li>
        ))}
      </ul>
      <p>{say(unlink.stays, context)}</p>
      <form method="post" action="/account/unlink">
        <button class="button danger" type="submit">
          <Icon name="unlink" />
          {buttons.confirmUnlink}
        </button>
        <ArrowLink href={ACCOUNT_PATH} quiet>
          {buttons.keepLink}
        </ArrowLink>
      </form>
    </>,
    "unlink",
  );
}

/** Janus has removed the link. `discordTold` is false if Discord could not be updated yet. */
export function renderUnlinked(
  context: PageContext,
  page: { readonly discordTold: boolean; readonly roleMayStay: boolean },
): string {
  const { unlinked, buttons } = TEXTS[context.language];
  const told = page.roleMayStay ? unlinked.roleMayStay : unlinked.finished;
  return renderPage(
    context,
    unlinked.title,
    <>
      <p>{say(page.discordTold ? told : unlinked.pending, context)}</p>
      <p>{unlinked.again}</p>
      <ArrowLink href="/" quiet>
        {buttons.toStart}
      </ArrowLink>
    </>,
    "done",
  );
}

/** How to link another account on either side. */
export function renderAnotherAccount(context: PageContext): string {
  const { another, buttons } = TEXTS[context.language];
  return renderPage(
    context,
    another.title,
    <>
      <p>{say(another.lead, context)}</p>
      <ul>
        <li>{say(another.atDiscord, context, <strong>{another.notYou}</strong>)}</li>
        <li>{say(another.atProvider, context)}</li>
      </ul>
      <p>{another.asksFirst}</p>
      <ArrowLink href="/linked-role/another">{buttons.confirmAnother}</ArrowLink>
      <ArrowLink href={ACCOUNT_PATH} quiet>
        {buttons.backToAccount}
      </ArrowLink>
    </>,
    "another",
  );
}

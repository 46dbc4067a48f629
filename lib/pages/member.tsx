/**
 * The member's account pages: what is linked, what Discord knows, and how to steer or undo it. Called by the edge;
 * decides nothing and knows no environment, clock or network. They work without script: whatever changes something
 * is a form, and what destroys something asks on a page of its own.
 *
 * @jsxImportSource preact -- Bun looks for tsconfig.json where it is started, which need not be here.
 */
import type { AccountPage } from "./member_sections.tsx";
import { ACCOUNT_TEXTS, BothSides, LinkActions, Role, SignIns } from "./member_sections.tsx";
import type { PageContext, Pair } from "./parts.tsx";
import { Accounts, ButtonLink, renderPage, say, TEXTS } from "./parts.tsx";

const ACCOUNT_PATH = "/account";

/** The member's own page: both accounts, what Discord knows, and every way to steer it. */
export function renderAccount(context: PageContext, page: AccountPage): string {
  const { account, notices } = ACCOUNT_TEXTS[context.language];
  return renderPage(
    context,
    account.title,
    <>
      {page.notice !== null && (
        <p class={WELL.includes(page.notice) ? "notice done" : "notice"} role="status">
          {notices[page.notice]}
        </p>
      )}
      {!page.discordAnswered && <p class="notice">{account.discordSilent}</p>}
      <BothSides context={context} page={page} />
      <Role context={context} page={page} />
      {page.link !== null && <LinkActions context={context} />}
      <SignIns context={context} sessions={page.sessions} />
    </>,
  );
}

/** For who is not signed in: what the account page is for, and where to sign in. */
export function renderSignIn(context: PageContext): string {
  const { signIn } = ACCOUNT_TEXTS[context.language];
  return renderPage(
    context,
    signIn.title,
    <>
      <p>{say(signIn.lead, context)}</p>
      <ButtonLink href="/login">{TEXTS[context.language].buttons.signIn}</ButtonLink>
    </>,
  );
}

/** Asks before anything ends: names the accounts, and everything that unlinking ends. */
export function renderUnlinkQuestion(context: PageContext, page: Pair): string {
  const { unlink, buttons } = ACCOUNT_TEXTS[context.language];
  return renderPage(
    context,
    unlink.title,
    <>
      <p>{unlink.lead}</p>
      <Accounts context={context} pair={page} />
      <ul>
        {unlink.ends.map((end) => (
          <li key={end}>{say(end, context)}</li>
        ))}
      </ul>
      <p>{say(unlink.stays, context)}</p>
      <form method="post" action="/account/unlink">
        <button class="button danger" type="submit">
          {buttons.confirmUnlink}
        </button>
        <ButtonLink href={ACCOUNT_PATH} quiet>
          {buttons.keepLink}
        </ButtonLink>
      </form>
    </>,
    "question",
  );
}

/** The link is gone here. `finished` is false when Discord did not answer and is still to be told. */
export function renderUnlinked(
  context: PageContext,
  page: { readonly finished: boolean; readonly roleMayStay: boolean },
): string {
  const { unlinked } = ACCOUNT_TEXTS[context.language];
  const told = page.roleMayStay ? unlinked.roleMayStay : unlinked.finished;
  return renderPage(
    context,
    unlinked.title,
    <>
      <p>{say(page.finished ? told : unlinked.pending, context)}</p>
      <p>{unlinked.again}</p>
      <ButtonLink href="/" quiet>
        {TEXTS[context.language].buttons.toStart}
      </ButtonLink>
    </>,
    "done",
  );
}

/** How to link another account, on either side. */
export function renderAnotherAccount(context: PageContext): string {
  const { another, buttons } = ACCOUNT_TEXTS[context.language];
  return renderPage(
    context,
    another.title,
    <>
      <p>{another.lead}</p>
      <ul>
        <li>{say(another.atDiscord, context, <strong>{another.notYou}</strong>)}</li>
        <li>{say(another.atProvider, context)}</li>
      </ul>
      <p>{another.asksFirst}</p>
      <ButtonLink href="/linked-role/another">{buttons.confirmAnother}</ButtonLink>
      <ButtonLink href={ACCOUNT_PATH} quiet>
        {buttons.back}
      </ButtonLink>
    </>,
    "question",
  );
}

/** Notices of what went as the member asked. */
const WELL: readonly AccountPage["notice"][] = ["synced", "sessions_ended"];

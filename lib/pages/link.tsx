/**
 * The pages of the link flow: the start page, the question before a link is moved, and the page of a finished link. Other
 * results are in `result.tsx`.
 *
 * @jsxImportSource preact -- Bun reads tsconfig.json from the folder it is started in, which may be another one.
 */
import type { ComponentChildren } from "preact";
import type { HeldByOrganisation } from "../link/provider_leg.ts";
import type { DiscordName, PageContext, Pair } from "./parts.tsx";
import { Accounts, ArrowLink, DiscordAccount, DiscordAppLink, renderPage, say, shownName } from "./parts.tsx";
import { TEXTS } from "./texts/languages.ts";

/** The accounts of a finished link. */
type LinkedPage = Pair & {
  /** False if the link is stored but Discord has not accepted the role connection yet. */
  readonly pushed: boolean;
  /** False if the organisation said nothing that a role could depend on. */
  readonly isKnown: boolean;
  /** True after a move whose earlier Discord account may still have its role. */
  readonly earlierRoleMayStay: boolean;
  /** True if the accounts were linked before, so that the member may have the role already. */
  readonly isAgain: boolean;
  /** True if the flow has signed the member in, so that the page can offer the member's own page. */
  readonly signedIn: boolean;
  readonly discordAppUrl: string;
};

/** The accounts that the member has just signed in with, and the accounts that these are linked to already. */
export type ConflictPage = Pair & {
  /** The Discord account that this organisation account is linked to, or null. */
  readonly heldByDiscord: DiscordName | null;
  /** The organisation account that this Discord account is linked to. */
  readonly heldByOrganisation: HeldByOrganisation;
  /** The field `state` of `POST /link/move` and `POST /link/keep`. */
  readonly formState: string;
};

/** A member who is signed in where they ask for the start page. */
export type HomeMember = { readonly discord: DiscordName; readonly isLinked: boolean };

/** The start page: what Janus is for, and where to begin. It greets a member who is signed in. */
export function renderHome(context: PageContext, member?: HomeMember): string {
  if (member !== undefined) return renderHomeOf(context, member);
  const { home, buttons } = TEXTS[context.language];
  return renderPage(
    context,
    home.title,
    <>
      <p>{say(home.lead, context)}</p>
      <ArrowLink href="/linked-role">{buttons.linkAccount}</ArrowLink>
      <ArrowLink href="/account" quiet>
        {buttons.seeLink}
      </ArrowLink>
      <p class="stores">
        {say(home.stores, context)} <a href="/about">{home.more}</a>
      </p>
    </>,
  );
}

function renderHomeOf(context: PageContext, { discord, isLinked }: HomeMember): string {
  const { welcome, buttons } = TEXTS[context.language];
  return renderPage(
    context,
    welcome.title,
    <>
      <p>{say(welcome.signedIn, context, <DiscordAccount name={discord} />)}</p>
      <p>{say(isLinked ? welcome.linked : welcome.notLinked, context)}</p>
      <ArrowLink href="/account">{buttons.toAccount}</ArrowLink>
      <ArrowLink href={isLinked ? "/account/another" : "/linked-role"} quiet>
        {isLinked ? buttons.useAnother : buttons.linkAccount}
      </ArrowLink>
    </>,
  );
}

/** The link is stored. The page names both accounts, and says what comes next. */
export function renderLinked(context: PageContext, page: LinkedPage): string {
  const { linked, buttons } = TEXTS[context.language];
  return renderPage(
    context,
    linked.title,
    <>
      <Accounts context={context} pair={page} />
      {page.isKnown && <StepsToRole context={context} page={page} />}
      {!page.isKnown && <p>{say(linked.nothingKnown, context)}</p>}
      {page.earlierRoleMayStay && <p>{linked.earlierRole}</p>}
      {page.isKnown && <ToDiscord context={context} url={page.discordAppUrl} />}
      {!page.isKnown && <ArrowLink href="/linked-role">{buttons.tryAgain}</ArrowLink>}
      {page.signedIn && (
        <ArrowLink href="/account" quiet>
          {buttons.toAccount}
        </ArrowLink>
      )}
    </>,
    "done",
  );
}

/** Discord's own button gives the role. */
function StepsToRole({
  context,
  page: { pushed, isAgain },
}: {
  readonly context: PageContext;
  readonly page: LinkedPage;
}) {
  const { linked } = TEXTS[context.language];
  const told = isAgain ? linked.again : linked.now;
  return (
    <>
      <p>{pushed ? told : linked.later}</p>
      <ul>
        <li>{linked.onComputer}</li>
        <li>{linked.onPhone}</li>
      </ul>
      <p>{say(linked.last, context)}</p>
    </>
  );
}

function ToDiscord({ context, url }: { readonly context: PageContext; readonly url: string }) {
  return (
    <>
      <ArrowLink href={url}>{TEXTS[context.language].buttons.backToDiscord}</ArrowLink>
      <DiscordAppLink context={context} url={url} />
    </>
  );
}

/** One or both accounts are linked elsewhere. The page names every account and says what a move would end. */
export function renderConflict(context: PageContext, page: ConflictPage): string {
  const { conflict, buttons } = TEXTS[context.language];
  const { heldByDiscord, heldByOrganisation } = page;
  return renderPage(
    context,
    conflict.title,
    <>
      <p>{conflict.signedIn}</p>
      <Accounts context={context} pair={page} />
      {heldByDiscord !== null && (
        <p>{say(conflict.organisationTaken, context, <DiscordAccount name={heldByDiscord} />)}</p>
      )}
      {heldByOrganisation.kind !== "none" && <p>{sayDiscordTaken(context, heldByOrganisation)}</p>}
      <form method="post" action="/link/move">
        <input type="hidden" name="state" value={page.formState} />
        <button class="button" type="submit">
          {buttons.move}
        </button>
        <button class="button quiet" type="submit" formaction="/link/keep">
          {buttons.leave}
        </button>
      </form>
    </>,
    "move",
  );
}

function sayDiscordTaken(context: PageContext, held: HeldByOrganisation): ComponentChildren {
  const { conflict } = TEXTS[context.language];
  const name = held.kind === "named" ? shownName(held.name) : null;
  if (name === null) return say(conflict.discordTakenUnnamed, context);
  return say(conflict.discordTaken, context, <bdi class="account">{name}</bdi>);
}

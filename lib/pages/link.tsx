/**
 * The pages that a member sees, each a whole HTML document as a string. Called by the edge; decides nothing and
 * knows no environment, clock or network. Names from outside stand in a `<bdi>`, so that their direction stays their
 * own; what is around a page is in `frame.tsx`, what pages share in `parts.tsx`, the member's account in `account.tsx`.
 *
 * @jsxImportSource preact -- Bun looks for tsconfig.json where it is started, which need not be here.
 */
import type { ComponentChildren } from "preact";
import type { PublicErrorCode } from "../errors.ts";
import type { DiscordName, PageContext } from "./parts.tsx";
import {
  Accounts,
  ButtonLink,
  DiscordAccount,
  type Pair,
  renderPage,
  say,
  shownName,
  TEXTS,
} from "./parts.tsx";

/** The accounts of a finished link. */
export type LinkedPage = Pair & {
  /** False when the link is stored and Discord has not taken the role connection yet. */
  readonly pushed: boolean;
  /** True after a move whose earlier Discord account may still have its role. */
  readonly earlierRoleMayStay: boolean;
  /** True when linking has signed the member in, so that the account page is one step away. */
  readonly signedIn: boolean;
  readonly discordAppUrl: string;
};

/** The accounts just signed in with, and those to which one or both of them are linked already. */
export type ConflictPage = Pair & {
  /** The Discord account that holds this organisation account, or null. */
  readonly heldByDiscord: DiscordName | null;
  /** The organisation account that this Discord account holds: null when it has no name, undefined when there is none. */
  readonly heldByOrganisation?: string | null | undefined;
  /** Comes back as the field `state` of `POST /link/move`. */
  readonly formState: string;
};

/** Where a page leads a member who starts the flow again, or tries the same once more: paths of our own. */
export type Beginning = { readonly startAgain: string; readonly tryAgain: string };

const LINK_PATH = "/linked-role";
const ACCOUNT_PATH = "/account";
const LINK_FLOW: Beginning = { startAgain: LINK_PATH, tryAgain: LINK_PATH };

/** What Janus is for, and where to begin. */
export function renderHome(context: PageContext): string {
  const { home, buttons } = TEXTS[context.language];
  return renderPage(
    context,
    home.title,
    <>
      <p>{say(home.lead, context)}</p>
      <ButtonLink href={LINK_PATH}>{buttons.linkAccount}</ButtonLink>
      <p class="aside">
        <a href={ACCOUNT_PATH}>{buttons.seeLink}</a>
      </p>
    </>,
  );
}

/** The link is stored: names both accounts and leads back to Discord, whose own button gives the role. */
export function renderLinked(context: PageContext, page: LinkedPage): string {
  const { linked, buttons } = TEXTS[context.language];
  return renderPage(
    context,
    linked.title,
    <>
      <Accounts context={context} pair={page} />
      <p>{say(page.pushed ? linked.now : linked.later, context)}</p>
      {page.earlierRoleMayStay && <p>{linked.earlierRole}</p>}
      <ButtonLink href={page.discordAppUrl}>{buttons.backToDiscord}</ButtonLink>
      {page.signedIn && (
        <ButtonLink href={ACCOUNT_PATH} quiet>
          {buttons.toAccount}
        </ButtonLink>
      )}
    </>,
    "done",
  );
}

/** The member said no on one side, or the organisation did. Not an error: nothing was linked or changed. */
export function renderCancelled(
  context: PageContext,
  page: { readonly at: "discord" | "provider" },
  beginning: Beginning = LINK_FLOW,
): string {
  const { cancelled, buttons } = TEXTS[context.language];
  const button = <ButtonLink href={beginning.startAgain}>{buttons.tryAgain}</ButtonLink>;
  if (page.at === "discord")
    return renderPage(
      context,
      cancelled.discordTitle,
      <>
        <p>{say(cancelled.lead, context)}</p>
        {button}
      </>,
      "stopped",
    );
  return renderPage(
    context,
    cancelled.providerTitle,
    <>
      <p>{say(cancelled.providerWhy, context)}</p>
      <p>{say(cancelled.providerNow, context)}</p>
      {button}
      <RequestId context={context} />
    </>,
    "stopped",
  );
}

/** One of the accounts is linked elsewhere: names every account and what moving the link would end. */
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
      {heldByOrganisation !== undefined && <p>{sayDiscordTaken(context, heldByOrganisation)}</p>}
      <form method="post" action="/link/move">
        <input type="hidden" name="state" value={page.formState} />
        <button class="button" type="submit">
          {buttons.move}
        </button>
        <ButtonLink href="/" quiet>
          {buttons.leave}
        </ButtonLink>
      </form>
    </>,
    "question",
  );
}

/** What happened, what to do now, and the request id to quote. */
export function renderError(
  context: PageContext,
  code: PublicErrorCode,
  beginning: Beginning = LINK_FLOW,
): string {
  const { errors, buttons } = TEXTS[context.language];
  const text = errors[code];
  const action = ERROR_ACTION[code];
  const second = SECOND_ACTION[code];
  const paths = { ...beginning, ...FIXED_PATH };
  return renderPage(
    context,
    text.title,
    <>
      <p>{say(text.why, context)}</p>
      <p>{say(text.now, context)}</p>
      {action !== null && <ButtonLink href={paths[action]}>{buttons[action]}</ButtonLink>}
      {second !== undefined && (
        <ButtonLink href={paths[second]} quiet>
          {buttons[second]}
        </ButtonLink>
      )}
      <RequestId context={context} />
    </>,
    HARMLESS.includes(code) ? "stopped" : "attention",
  );
}

/** What a member quotes when they ask, and an operator finds the log by. */
function RequestId({ context }: { readonly context: PageContext }) {
  return (
    <p class="request">
      {TEXTS[context.language].requestId}: <code>{context.requestId}</code>
    </p>
  );
}

/** What a member meets who reloads a finished page or comes back late: no reason to be alarmed. */
const HARMLESS: readonly PublicErrorCode[] = [
  "state_mismatch",
  "flow_finished",
  "unauthenticated",
  "not_linked",
  "session_unknown",
  "sync_too_soon",
  "prefetch_refused",
];

/** Where the button of an error page leads, whatever the member was doing. */
const FIXED_PATH = {
  toStart: "/",
  signIn: "/login",
  toAccount: ACCOUNT_PATH,
  checkLink: ACCOUNT_PATH,
} as const;

type Action = keyof Beginning | keyof typeof FIXED_PATH;

/**
 * A second button where the same may have been done already, by a callback that came before. The page is the same for
 * everybody: it says nothing of whether there is a link.
 */
const SECOND_ACTION: Readonly<Partial<Record<PublicErrorCode, Action>>> = {
  code_rejected: "checkLink",
  state_mismatch: "startAgain",
  flow_expired: "checkLink",
  flow_finished: "startAgain",
};

/** The button of an error page; null where nothing that a member could press would help. */
const ERROR_ACTION: Readonly<Record<PublicErrorCode, Action | null>> = {
  callback_malformed: "startAgain",
  authorization_rejected: "startAgain",
  code_rejected: "startAgain",
  scope_missing: "startAgain",
  unauthenticated: "signIn",
  state_mismatch: "checkLink",
  flow_expired: "startAgain",
  flow_finished: "checkLink",
  issuer_mismatch: "startAgain",
  origin_refused: "toStart",
  // Its own address is where to go on, and that is what a reload asks for.
  prefetch_refused: null,
  grant_ended: "startAgain",
  not_found: "toStart",
  session_unknown: "toAccount",
  method_not_allowed: "toStart",
  not_linked: "toStart",
  request_timeout: "toStart",
  request_too_large: "toStart",
  sync_too_soon: "toAccount",
  too_many_requests: "toStart",
  internal: "tryAgain",
  token_unreadable: "startAgain",
  id_token_refused: "startAgain",
  id_token_unsupported: null,
  userinfo_refused: "startAgain",
  provider_misconfigured: null,
  provider_client_rejected: null,
  discord_client_rejected: null,
  discord_refused: "startAgain",
  provider_unavailable: "tryAgain",
  discord_unavailable: "tryAgain",
  discord_rate_limited: "tryAgain",
  grant_ending: "startAgain",
  database_unavailable: "tryAgain",
  database_not_migrated: "tryAgain",
  too_busy: "tryAgain",
};

function sayDiscordTaken(context: PageContext, heldByOrganisation: string | null): ComponentChildren {
  const { conflict } = TEXTS[context.language];
  const name = shownName(heldByOrganisation);
  if (name === null) return say(conflict.discordTakenUnnamed, context);
  return say(conflict.discordTaken, context, <bdi class="account">{name}</bdi>);
}

/**
 * The pages that a member sees, each a whole HTML document as a string. Called by the edge; decides nothing and
 * knows no environment, clock or network. Names from outside stand in a `<bdi>`, so that their direction stays their
 * own; what is around a page is in `frame.tsx`.
 *
 * @jsxImportSource preact -- Bun looks for tsconfig.json where it is started, which need not be here.
 */
import type { ComponentChild, ComponentChildren } from "preact";
import type { PublicErrorCode } from "../errors.ts";
import { en, type Texts } from "./en.ts";
import { type Badge, renderFrame } from "./frame.tsx";
import { sv } from "./sv.ts";

/** A language of the pages. RFC 5646 */
export type Language = "en" | "sv";

/** The languages of the pages; the first one is for a member who asks for none of them. */
export const LANGUAGES: readonly Language[] = ["en", "sv"];

/** What every page needs. `platformName` is the organisation's name, as the operator set it. */
export type PageContext = {
  readonly language: Language;
  readonly requestId: string;
  readonly platformName: string;
};

/** A Discord account as Discord shows it: the display name, where there is one, and the username. */
export type DiscordName = { readonly username: string; readonly globalName: string | null };

/** One member's account on each side. `organisationName` is null where the provider gives no name. */
type Pair = { readonly discord: DiscordName; readonly organisationName: string | null };

/** The accounts of a finished link. */
export type LinkedPage = Pair & {
  /** False when the link is stored and Discord has not taken the role connection yet. */
  readonly pushed: boolean;
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

const TEXTS: Readonly<Record<Language, Texts>> = { en, sv };
const LINK_PATH = "/linked-role";
/** Fits on a line of a 320 px screen even when it is all wide letters. */
const WHOLE_NAME_MAX_LENGTH = 14;

/** What Janus is for, and where to begin. */
export function renderHome(context: PageContext): string {
  const { home, buttons } = TEXTS[context.language];
  return renderPage(
    context,
    home.title,
    <>
      <p>{say(home.lead, context)}</p>
      <ButtonLink href={LINK_PATH}>{buttons.linkAccount}</ButtonLink>
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
      <ButtonLink href={page.discordAppUrl}>{buttons.backToDiscord}</ButtonLink>
    </>,
    "done",
  );
}

/** The member said no on one side. Not an error: nothing was linked or changed. */
export function renderCancelled(context: PageContext, page: { readonly at: "discord" | "provider" }): string {
  const { cancelled, buttons } = TEXTS[context.language];
  return renderPage(
    context,
    page.at === "discord" ? cancelled.discordTitle : cancelled.providerTitle,
    <>
      <p>{say(cancelled.lead, context)}</p>
      <ButtonLink href={LINK_PATH}>{buttons.tryAgain}</ButtonLink>
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
export function renderError(context: PageContext, code: PublicErrorCode): string {
  const { errors, buttons, requestId } = TEXTS[context.language];
  const text = errors[code];
  const action = ERROR_ACTION[code];
  return renderPage(
    context,
    text.title,
    <>
      <p>{say(text.why, context)}</p>
      <p>{say(text.now, context)}</p>
      {action !== null && (
        <ButtonLink href={action === "toStart" ? "/" : LINK_PATH}>{buttons[action]}</ButtonLink>
      )}
      <p class="request">
        {requestId}: <code>{context.requestId}</code>
      </p>
    </>,
    HARMLESS.includes(code) ? "stopped" : "attention",
  );
}

/** What a member meets who reloads a finished page: no reason to be alarmed. */
const HARMLESS: readonly PublicErrorCode[] = ["state_mismatch", "flow_finished"];

/** The button of an error page; null where nothing that a member could press would help. */
const ERROR_ACTION: Readonly<Record<PublicErrorCode, "startAgain" | "tryAgain" | "toStart" | null>> = {
  callback_malformed: "startAgain",
  authorization_rejected: "startAgain",
  code_rejected: "startAgain",
  scope_missing: "startAgain",
  state_mismatch: "startAgain",
  flow_expired: "startAgain",
  flow_finished: "startAgain",
  issuer_mismatch: "startAgain",
  origin_refused: "toStart",
  grant_ended: "startAgain",
  not_found: "toStart",
  method_not_allowed: "toStart",
  request_too_large: "toStart",
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
};

function sayDiscordTaken(context: PageContext, heldByOrganisation: string | null): ComponentChildren {
  const { conflict } = TEXTS[context.language];
  const name = shownName(heldByOrganisation);
  if (name === null) return say(conflict.discordTakenUnnamed, context);
  return say(conflict.discordTaken, context, <bdi class="account">{name}</bdi>);
}

/** Puts elements where a text has placeholders. What the elements hold is not searched for placeholders. */
function say(text: string, context: PageContext, other: ComponentChild = null): ComponentChildren {
  return text.split(/(\{\w+\})/).map((piece) => {
    if (piece === "{platform}") return <Platform name={context.platformName} />;
    if (piece === "{link}") return <strong>{TEXTS[context.language].link}</strong>;
    if (piece === "{other}") return other;
    return piece;
  });
}

/** A name of blanks would leave a hole in the sentence: it counts as none. */
function shownName(name: string | null): string | null {
  return name === null || name.trim() === "" ? null : name;
}

/** A short name stays in one piece: the line would break at the hyphen of D-sektionen. */
function Platform({ name }: { readonly name: string }) {
  return <bdi class={name.length <= WHOLE_NAME_MAX_LENGTH ? "whole" : undefined}>{name}</bdi>;
}

function DiscordAccount({ name }: { readonly name: DiscordName }) {
  const globalName = shownName(name.globalName);
  if (globalName === null) return <bdi class="account">@{name.username}</bdi>;
  return (
    <>
      <bdi class="account">{globalName}</bdi> (<bdi>@{name.username}</bdi>)
    </>
  );
}

function Accounts({ context, pair }: { readonly context: PageContext; readonly pair: Pair }) {
  const name = shownName(pair.organisationName);
  return (
    <dl class="accounts">
      <div>
        <dt>Discord</dt>
        <dd>
          <DiscordAccount name={pair.discord} />
        </dd>
      </div>
      <div>
        <dt>
          <bdi>{context.platformName}</bdi>
        </dt>
        <dd>{name === null ? TEXTS[context.language].unnamedAccount : <bdi class="account">{name}</bdi>}</dd>
      </div>
    </dl>
  );
}

type ButtonLinkProps = { readonly href: string; readonly quiet?: boolean; readonly children: string };

function ButtonLink({ href, quiet = false, children }: ButtonLinkProps) {
  return (
    <a class={quiet ? "button quiet" : "button"} href={href}>
      {children}
    </a>
  );
}

function renderPage(context: PageContext, title: string, body: ComponentChildren, badge?: Badge): string {
  const { language, platformName } = context;
  const plainTitle = title.replaceAll("{platform}", () => platformName);
  return renderFrame({
    language,
    platformName,
    title: plainTitle,
    heading: say(title, context),
    body,
    badge,
  });
}

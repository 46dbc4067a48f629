/**
 * The parts that pages share: texts with their placeholders filled in, accounts, buttons, and the page itself. A name from
 * outside always stands in a `<bdi>`, so that its direction does not affect the text around it.
 *
 * @jsxImportSource preact -- Bun reads tsconfig.json from the folder it is started in, which may be another one.
 */
import type { ComponentChild, ComponentChildren } from "preact";
import type { Language } from "../text/languages.ts";
import { readName } from "../text/shown_name.ts";
import type { Badge, Notice } from "./frame.tsx";
import { renderFrame } from "./frame.tsx";
import { Icon } from "./icons.tsx";
import type { Look } from "./look.ts";
import { sayPlain, TEXTS } from "./texts/languages.ts";

/** The values that every page needs. The operator sets `platformName`, the organisation's name, and `timeZone`. */
export type PageContext = {
  readonly language: Language;
  readonly requestId: string;
  readonly platformName: string;
  readonly timeZone: string;
  readonly look: Look;
};

/** A Discord account as Discord shows it: the display name, if it has one, and the username. */
export type DiscordName = { readonly username: string; readonly globalName: string | null };

/** A member's account on each side. `organisationName` is null if the provider gives no name. */
export type Pair = { readonly discord: DiscordName; readonly organisationName: string | null };

const TIME_FORMAT = {
  day: "numeric",
  month: "short",
  year: "numeric",
  hour: "2-digit",
  minute: "2-digit",
  timeZoneName: "short",
} as const;

/** A name of this length fits on a line of a 320 px screen, even if all its letters are wide. */
const WHOLE_NAME_MAX_LENGTH = 14;

/** Replaces the placeholders in a text with elements. It does not look for placeholders inside the elements. */
export function say(text: string, context: PageContext, other: ComponentChild = null): ComponentChildren {
  return text.split(/(\{\w+\})/).map((piece) => {
    if (piece === "{platform}") return <Platform name={context.platformName} />;
    if (piece === "{contact}") return <Contact context={context} />;
    if (piece === "{link}") return <strong>{TEXTS[context.language].discordLink}</strong>;
    if (piece === "{other}") return other;
    return piece;
  });
}

/**
 * Replaces `{other}` with a time in the organisation's time zone, and names the zone. A page without script does not know
 * the member's own: docs/decisions/0036.
 */
export function sayTime(text: string, context: PageContext, at: Date): ComponentChildren {
  const { language, timeZone } = context;
  const shown = at.toLocaleString(TEXTS[language].locale, { ...TIME_FORMAT, timeZone });
  return say(text, context, <time dateTime={at.toISOString()}>{shown}</time>);
}

/**
 * A name as pages show it, whichever release stored it. Null if it has no visible character, since that would leave a gap
 * in the sentence. All names from outside pass through here, except the platform's, which the configuration checks.
 */
export const shownName = (name: string | null): string | null => readName(name) ?? null;

/** A short name stays in one piece. Otherwise a line could break at the hyphen of D-sektionen. */
function Platform({ name }: { readonly name: string }) {
  return <bdi class={name.length <= WHOLE_NAME_MAX_LENGTH ? "whole" : undefined}>{name}</bdi>;
}

/** The organisation's name, which leads to where members can ask for help if there is such a place. */
function Contact({ context }: { readonly context: PageContext }) {
  const name = <Platform name={context.platformName} />;
  const { supportUrl } = context.look;
  return supportUrl === undefined ? name : <a href={withRequestId(supportUrl, context)}>{name}</a>;
}

/** An e-mail quotes the request ID in its subject. RFC 6068 2 */
function withRequestId(supportUrl: string, { language, requestId }: PageContext): string {
  if (!supportUrl.startsWith("mailto:")) return supportUrl;
  return `${supportUrl}?subject=${encodeURIComponent(`Janus, ${TEXTS[language].requestId} ${requestId}`)}`;
}

/** A Discord account in a sentence: the display name followed by the username, or the username alone. */
export function DiscordAccount({ name }: { readonly name: DiscordName }) {
  const { displayName, username } = discordNames(name);
  if (displayName === null) return <bdi class="account">{username}</bdi>;
  return (
    <>
      <bdi class="account">{displayName}</bdi> (<bdi>{username}</bdi>)
    </>
  );
}

/** A Discord account on lines of its own: the username has a line to itself, so that it breaks only if it must. */
export function DiscordLines({ name }: { readonly name: DiscordName }) {
  const { displayName, username } = discordNames(name);
  if (displayName === null) return <bdi class="account">{username}</bdi>;
  return (
    <>
      <bdi class="account">{displayName}</bdi> <bdi class="username">{username}</bdi>
    </>
  );
}

function discordNames({ globalName, username }: DiscordName) {
  // Discord's usernames are ASCII. A username without a visible character does not come from Discord.
  return { displayName: shownName(globalName), username: `@${shownName(username) ?? "…"}` };
}

/** The names of the account on each side. */
export function Accounts({ context, pair }: { readonly context: PageContext; readonly pair: Pair }) {
  const name = shownName(pair.organisationName);
  return (
    <dl class="accounts">
      <div>
        <dt>Discord</dt>
        <dd>
          <DiscordLines name={pair.discord} />
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

type ArrowLinkProps = {
  readonly href: string;
  readonly quiet?: boolean;
  /** True if the link brings a file. */
  readonly download?: boolean;
  readonly children: string;
};

/**
 * The way on from a page. It does not look like a button: Space would press a button, and does nothing to a link. It cannot
 * be a button, since the way leads to other servers, where the policy of the page lets no form go. `quiet` is for the second
 * choice.
 */
export function ArrowLink({ href, quiet = false, download = false, children }: ArrowLinkProps) {
  const onward = href.startsWith("/") ? "onward" : "elsewhere";
  return (
    <a class={quiet ? "way quiet" : "way"} href={href}>
      <span>{children}</span>
      <Icon name={download ? "download" : onward} />
    </a>
  );
}

type FormButtonProps = { readonly action: string; readonly children: string };

/** A form with one button and no fields. */
export function FormButton({ action, children }: FormButtonProps) {
  return (
    <form method="post" action={action}>
      <button class="button quiet" type="submit">
        {children}
      </button>
    </form>
  );
}

/** Discord's own address, as `new URL().origin` writes it. */
const DISCORD_ORIGIN = "https://discord.com";

/**
 * A link that opens Discord's app, below the one that leads to its website. The app has the paths of the website under
 * a scheme of its own. A stand-in of Discord has no app. Nothing happens where the app is missing, so the website is first.
 */
export function DiscordAppLink({ context, url }: { readonly context: PageContext; readonly url: string }) {
  const { origin, pathname } = new URL(url);
  if (origin !== DISCORD_ORIGIN) return null;
  return (
    <ArrowLink href={`discord://-${pathname}`} quiet>
      {TEXTS[context.language].buttons.openDiscordApp}
    </ArrowLink>
  );
}

/** Members quote it when they ask for help. Operators find the log lines by it. */
export function RequestId({ context }: { readonly context: PageContext }) {
  return (
    <p class="request">
      {TEXTS[context.language].requestId}: <code>{context.requestId}</code>
    </p>
  );
}

/** Who runs Janus, what it stores, and where members can ask: the end of every page. */
function Footer({ context }: { readonly context: PageContext }) {
  const { footer } = TEXTS[context.language];
  const { supportUrl, privacyUrl } = context.look;
  return (
    <>
      <p>{say(footer.runBy, context)}</p>
      <ul>
        <li>
          <a href="/about">{footer.about}</a>
        </li>
        {privacyUrl !== undefined && (
          <li>
            <a href={privacyUrl}>{footer.privacy}</a>
          </li>
        )}
        {supportUrl !== undefined && (
          <li>
            <a href={supportUrl}>{say(footer.support, context)}</a>
          </li>
        )}
      </ul>
    </>
  );
}

/** A whole page. `title` may hold `{platform}`. */
export function renderPage(
  context: PageContext,
  title: string,
  body: ComponentChildren,
  badge?: Badge,
  notice?: Notice,
  isWide = false,
): string {
  const { language, platformName, look } = context;
  return renderFrame({
    language,
    platformName,
    look,
    title: sayPlain(title, platformName),
    heading: say(title, context),
    body,
    footer: <Footer context={context} />,
    badge,
    notice,
    isWide,
  });
}

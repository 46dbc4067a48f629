/**
 * The parts that pages share: texts with their placeholders filled in, accounts, buttons, and the page itself. A name from
 * outside always stands in a `<bdi>`, so that its direction does not affect the text around it.
 *
 * @jsxImportSource preact -- Bun reads tsconfig.json from the folder it is started in, which may be another one.
 */
import type { ComponentChild, ComponentChildren } from "preact";
import { readName } from "../text/shown_name.ts";
import type { Badge, Notice } from "./frame.tsx";
import { renderFrame } from "./frame.tsx";
import { Icon } from "./icons.tsx";
import type { Texts } from "./texts/en.ts";
import { en } from "./texts/en.ts";
import { sv } from "./texts/sv.ts";

/** A language of the pages. RFC 5646 */
export type Language = "en" | "sv";

/** The languages of the pages. A member who asks for no other gets the first. */
export const LANGUAGES: readonly Language[] = ["en", "sv"];

/** The values that every page needs. `platformName` is the organisation's name, as the operator set it. */
export type PageContext = {
  readonly language: Language;
  readonly requestId: string;
  readonly platformName: string;
};

/** A Discord account as Discord shows it: the display name, if it has one, and the username. */
export type DiscordName = { readonly username: string; readonly globalName: string | null };

/** A member's account on each side. `organisationName` is null if the provider gives no name. */
export type Pair = { readonly discord: DiscordName; readonly organisationName: string | null };

/** The texts of all pages. */
export const TEXTS: Readonly<Record<Language, Texts>> = { en, sv };

/** A name of this length fits on a line of a 320 px screen, even if all its letters are wide. */
const WHOLE_NAME_MAX_LENGTH = 14;

/** Replaces the placeholders in a text with elements. It does not look for placeholders inside the elements. */
export function say(text: string, context: PageContext, other: ComponentChild = null): ComponentChildren {
  return text.split(/(\{\w+\})/).map((piece) => {
    if (piece === "{platform}") return <Platform name={context.platformName} />;
    if (piece === "{link}") return <strong>{TEXTS[context.language].discordLink}</strong>;
    if (piece === "{other}") return other;
    return piece;
  });
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

/** A whole page. `title` may hold `{platform}`. */
export function renderPage(
  context: PageContext,
  title: string,
  body: ComponentChildren,
  badge?: Badge,
  notice?: Notice,
): string {
  const { language, platformName } = context;
  const plainTitle = title.replaceAll("{platform}", () => platformName);
  return renderFrame({
    language,
    platformName,
    title: plainTitle,
    heading: say(title, context),
    body,
    badge,
    notice,
  });
}

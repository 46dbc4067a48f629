/**
 * What pages are put together from: texts with their placeholders filled, accounts, buttons, the page itself. Called
 * by `pages.tsx` and `account.tsx`. Names from outside are put into a `<bdi>` here, and nowhere without one.
 *
 * @jsxImportSource preact -- Bun looks for tsconfig.json where it is started, which need not be here.
 */
import type { ComponentChild, ComponentChildren } from "preact";
import { readName } from "../text/shown_name.ts";
import { type Badge, renderFrame } from "./frame.tsx";
import { en, type Texts } from "./texts/en.ts";
import { sv } from "./texts/sv.ts";

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
export type Pair = { readonly discord: DiscordName; readonly organisationName: string | null };

/** The texts of the link flow, of the errors and of what all pages share. */
export const TEXTS: Readonly<Record<Language, Texts>> = { en, sv };

/** Fits on a line of a 320 px screen even when it is all wide letters. */
const WHOLE_NAME_MAX_LENGTH = 14;

/** Puts elements where a text has placeholders. What the elements hold is not searched for placeholders. */
export function say(text: string, context: PageContext, other: ComponentChild = null): ComponentChildren {
  return text.split(/(\{\w+\})/).map((piece) => {
    if (piece === "{platform}") return <Platform name={context.platformName} />;
    if (piece === "{link}") return <strong>{TEXTS[context.language].link}</strong>;
    if (piece === "{other}") return other;
    return piece;
  });
}

/**
 * A name as pages show it, whichever release stored it; null if it has no visible character, which would leave a hole in
 * the sentence. Every name from outside passes through here except the platform's, which the configuration checks.
 */
export const shownName = (name: string | null): string | null => readName(name) ?? null;

/** A short name stays in one piece: the line would break at the hyphen of D-sektionen. */
function Platform({ name }: { readonly name: string }) {
  return <bdi class={name.length <= WHOLE_NAME_MAX_LENGTH ? "whole" : undefined}>{name}</bdi>;
}

/** A Discord account: the display name with the username behind it, or the username alone. */
export function DiscordAccount({ name }: { readonly name: DiscordName }) {
  const globalName = shownName(name.globalName);
  // Discord's usernames are ASCII, so one without a visible character is not from Discord.
  const username = shownName(name.username) ?? "…";
  if (globalName === null) return <bdi class="account">@{username}</bdi>;
  return (
    <>
      <bdi class="account">{globalName}</bdi> (<bdi>@{username}</bdi>)
    </>
  );
}

/** One account on each side, by name. */
export function Accounts({ context, pair }: { readonly context: PageContext; readonly pair: Pair }) {
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

/** A link that looks like a button; `quiet` is for the second choice. */
export function ButtonLink({ href, quiet = false, children }: ButtonLinkProps) {
  return (
    <a class={quiet ? "button quiet" : "button"} href={href}>
      {children}
    </a>
  );
}

/** A whole page; `title` may hold `{platform}`. */
export function renderPage(
  context: PageContext,
  title: string,
  body: ComponentChildren,
  badge?: Badge,
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
  });
}

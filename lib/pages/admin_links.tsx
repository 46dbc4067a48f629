/**
 * The list of links for administrators, and the form that searches them.
 *
 * @jsxImportSource preact -- Bun reads tsconfig.json from the folder it is started in, which may be another one.
 */
import { Fragment } from "preact";
import type { LinkList, ListedLink, Selection } from "../operator/select_links.ts";
import { organisationName } from "../rules/claims.ts";
import type { AdminContext } from "./admin_parts.tsx";
import { Code, LINKS_PATH, memberPath, renderAdminPage, UNKNOWN_CODE } from "./admin_parts.tsx";
import { ArrowLink, DiscordAccount, say, shownName } from "./parts.tsx";
import { TEXTS } from "./texts/languages.ts";

/** What a search on these pages asks. */
export type AdminSelection = Pick<Selection, "state" | "failedCode" | "isFailing" | "words">;

type Props = { readonly context: AdminContext };

/** They would turn the text of the field, and what is typed after them. */
const TURNING = /\p{Bidi_Control}/gu;

/** Asks for a part of a name or an id, and for a state. A GET, so that the page can be kept and loaded again. */
export function SearchForm({ context, selection }: Props & { readonly selection: AdminSelection }) {
  const { admin: texts } = TEXTS[context.language];
  const { words, state, isFailing, failedCode } = selection;
  return (
    <search>
      <form class="search" method="get" action={LINKS_PATH}>
        <label>
          {texts.search}
          <input
            class="field"
            type="search"
            name="q"
            value={words?.replaceAll(TURNING, "") ?? ""}
            maxLength={100}
            autocomplete="off"
          />
        </label>
        <label>
          {texts.state}
          <select class="field" name="state">
            <option value="">{texts.anyState}</option>
            {Object.entries(texts.states).map(([value, text]) => (
              <option key={value} value={value} selected={value === state}>
                {text}
              </option>
            ))}
          </select>
        </label>
        <label class="check">
          <input type="checkbox" name="failing" value="yes" checked={isFailing === true} />
          {texts.onlyFailing}
        </label>
        {failedCode !== undefined && (
          <label class="check">
            <input type="checkbox" name="error" value={failedCode} checked />
            <span>{say(texts.onlyCode, context, <Code>{failedCode}</Code>)}</span>
          </label>
        )}
        <button class="button quiet" type="submit">
          {texts.searchButton}
        </button>
      </form>
    </search>
  );
}

/** One page of links. */
export function renderLinkList(
  context: AdminContext,
  page: LinkList & {
    readonly selection: AdminSelection;
    readonly isFirst: boolean;
    readonly isFull: boolean;
  },
): string {
  const { admin: texts } = TEXTS[context.language];
  const { links, next, selection, isFirst, isFull } = page;
  return renderAdminPage(
    context,
    texts.listTitle,
    <>
      <SearchForm context={context} selection={selection} />
      <section>
        {links.length === 0 && next === null && <p>{texts.listNone}</p>}
        <ul class="rows">
          {links.map((link) => (
            <Row key={link.discordUserId} context={context} link={link} />
          ))}
        </ul>
        {next !== null && !isFull && <p>{texts.listPart}</p>}
        {next !== null && <ArrowLink href={pathOf(selection, next)}>{texts.listMore}</ArrowLink>}
        {!isFirst && (
          <ArrowLink href={pathOf(selection)} quiet>
            {texts.listFirst}
          </ArrowLink>
        )}
      </section>
    </>,
    LINKS_PATH,
  );
}

function Row({ context, link }: Props & { readonly link: ListedLink }) {
  const { admin: texts, unnamedAccount } = TEXTS[context.language];
  const { discordUserId, username, globalName, names, state } = link;
  return (
    <li class="row">
      <a href={memberPath(discordUserId)}>
        <DiscordAccount name={{ username, globalName }} />
      </a>{" "}
      · <bdi>{shownName(organisationName(names) ?? null) ?? unnamedAccount}</bdi>
      <small>
        {texts.states[state]}
        {failuresOf(link).map((code) => (
          <Fragment key={code}>
            {" "}
            · <code>{code}</code>
          </Fragment>
        ))}
      </small>
    </li>
  );
}

/** The codes of the last check and the last push, each if it failed. */
function failuresOf(link: ListedLink): readonly string[] {
  const { checkFailures, checkFailedCode, pushFailures, pushFailedCode } = link;
  const codes = [
    ...(checkFailures > 0 ? [checkFailedCode ?? UNKNOWN_CODE] : []),
    ...(pushFailures > 0 ? [pushFailedCode ?? UNKNOWN_CODE] : []),
  ];
  return [...new Set(codes)];
}

function pathOf({ words, state, isFailing, failedCode }: AdminSelection, after?: string): string {
  const query = new URLSearchParams({
    ...(words === undefined ? {} : { q: words }),
    ...(state === undefined ? {} : { state }),
    ...(isFailing === true ? { failing: "yes" } : {}),
    ...(failedCode === undefined ? {} : { error: failedCode }),
    ...(after === undefined ? {} : { after }),
  });
  return query.size === 0 ? LINKS_PATH : `${LINKS_PATH}?${query}`;
}

/**
 * What the pages of administrators share: the way between them, who is signed in, figures, and times. The pages themselves are
 * in `admin.tsx`, `admin_links.tsx`, `admin_member.tsx` and `admin_bans.tsx`.
 *
 * @jsxImportSource preact -- Bun reads tsconfig.json from the folder it is started in, which may be another one.
 */
import type { ComponentChildren } from "preact";
import type { Admin } from "../operator/admin/session.ts";
import type { AdminNotice } from "../result/notice.ts";
import { ADMIN_DONE } from "../result/notice.ts";
import { printable } from "../text/printable.ts";
import { isSeen } from "../text/shown_name.ts";
import type { PageContext } from "./parts.tsx";
import { renderPage, say, sayTime } from "./parts.tsx";
import { sayPlain, TEXTS } from "./texts/languages.ts";

/** The address of the overview. */
export const ADMIN_PATH = "/admin";
/** The address of the list of links. */
export const LINKS_PATH = "/admin/links";
/** The address of the question about the brake. */
export const BRAKE_PATH = "/admin/brake";
/** The address of the list of bans. */
export const BANS_PATH = "/admin/bans";
/** The address of a ban. */
export const banPath = (banId: string): string => `${BANS_PATH}/${encodeURIComponent(banId)}`;
/** The address of a member, and of what can be done with their link. */
export const memberPath = (discordUserId: string, action?: string): string =>
  [LINKS_PATH, encodeURIComponent(discordUserId), ...(action === undefined ? [] : [action])].join("/");

/** Stands for the code of a failure that an earlier release stored without one. No filter finds it. */
export const UNKNOWN_CODE = "unknown";

/** A page, and who sees it. */
export type AdminContext = PageContext & {
  readonly admin: Pick<Admin, "operator" | "expiresAt">;
  readonly notice: AdminNotice | null;
};

/** A page with the way to the others. */
export function renderAdminPage(
  context: AdminContext,
  title: string,
  body: ComponentChildren,
  current?: typeof ADMIN_PATH | typeof LINKS_PATH | typeof BANS_PATH,
): string {
  const { admin: texts } = TEXTS[context.language];
  const { notice } = context;
  return renderPage(
    context,
    title,
    <>
      <Navigation context={context} current={current} />
      {body}
      <p class="stores">{texts.visible}</p>
    </>,
    undefined,
    notice === null
      ? undefined
      : {
          text: sayPlain(texts.notices[notice], context.platformName),
          isGood: ADMIN_DONE.includes(notice),
        },
    true,
  );
}

function Navigation({
  context,
  current,
}: {
  readonly context: AdminContext;
  readonly current: string | undefined;
}) {
  const { admin: texts } = TEXTS[context.language];
  const { operator, expiresAt } = context.admin;
  const link = (path: string, text: string) => (
    <a href={path} aria-current={path === current ? "page" : undefined}>
      {text}
    </a>
  );
  return (
    <nav class="nav" aria-label={texts.title}>
      {link(ADMIN_PATH, texts.overview)}
      {link(LINKS_PATH, texts.members)}
      {link(BANS_PATH, texts.bansTitle)}
      <form method="post" action="/admin/sign-out">
        <button class="button quiet" type="submit" name="confirm" value="yes">
          {texts.signOut}
        </button>
      </form>
      <small>
        {say(texts.signedInAs, context, <bdi class="account">{operator}</bdi>)},{" "}
        {sayTime(texts.until, context, expiresAt)}
      </small>
    </nav>
  );
}

/** A text from outside in its own letters, of any kind, on one line. */
export function Code({ children }: { readonly children: string }) {
  const shown = printable(children, MOST_OF_VALUE);
  return (
    <code>
      <bdi>{isSeen(shown) ? shown : NOTHING_TO_SEE}</bdi>
    </code>
  );
}

const MOST_OF_VALUE = 200;
const NOTHING_TO_SEE = "–";

/** Values by their names. */
export function Figures({
  rows,
}: {
  readonly rows: readonly (readonly [name: ComponentChildren, value: ComponentChildren])[];
}) {
  return (
    <dl class="figures">
      {rows.map(([name, value], index) => (
        <div class="figure" key={index}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

/** A number as the language writes it. */
export const sayNumber = (context: PageContext, count: number): string =>
  count.toLocaleString(TEXTS[context.language].locale);

/** A time, or what stands in its place. */
export const sayWhen = (context: PageContext, at: Date | null, otherwise: string): ComponentChildren =>
  at === null ? otherwise : sayTime("{other}", context, at);

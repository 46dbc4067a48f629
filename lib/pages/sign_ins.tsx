/**
 * The section of the member's own page that lists the browsers in which the member is signed in. Each other one can be
 * signed out alone, or all of them together. The member's data is here too.
 *
 * @jsxImportSource preact -- Bun reads tsconfig.json from the folder it is started in, which may be another one.
 */
import type { PageContext } from "./parts.tsx";
import { ArrowLink, FormButton, sayTime, shownName } from "./parts.tsx";
import type { Texts } from "./texts/en.ts";
import { TEXTS } from "./texts/languages.ts";

/** One sign-in of the member. `userAgent` is a short description, or null if the browser sent none. */
export type SignIn = {
  readonly sessionHandle: string;
  readonly current: boolean;
  readonly userAgent: string | null;
  readonly createdAt: Date;
  readonly lastUsedAt: Date;
};

type SignInsProps = { readonly context: PageContext; readonly sessions: readonly SignIn[] };

/** The devices on which the member is signed in, and the member's data. */
export function SignIns({ context, sessions }: SignInsProps) {
  const { sessions: texts, buttons } = TEXTS[context.language];
  const hasOthers = sessions.some(({ current }) => !current);
  return (
    <section>
      <h2>{texts.title}</h2>
      {hasOthers && (
        <>
          <ul class="sessions">
            {sessions.map((session) => (
              <SignInItem key={session.sessionHandle} context={context} session={session} />
            ))}
          </ul>
          <EndSessions handle="all">{buttons.endOthers}</EndSessions>
        </>
      )}
      {!hasOthers && <p>{texts.onlyThis}</p>}
      <div class="actions">
        <ArrowLink href="/api/me/export" quiet download>
          {buttons.export}
        </ArrowLink>
        <FormButton action="/api/auth/logout">{buttons.signOut}</FormButton>
      </div>
    </section>
  );
}

/** A browser, when it signed in, and a button that signs it out. This browser has its own, for itself alone. */
function SignInItem({ context, session }: { readonly context: PageContext; readonly session: SignIn }) {
  const { sessions: texts, buttons } = TEXTS[context.language];
  const browser = nameBrowser(session.userAgent, texts);
  const label = browser === null ? texts.endUnknown : texts.end.replace("{browser}", () => browser);
  return (
    <li>
      <div class="browser">
        {browser === null ? texts.unknownDevice : <bdi class="account">{browser}</bdi>}
        {session.current && ` (${texts.current})`}
        <small>{sayTime(texts.createdAt, context, session.createdAt)}</small>
        <small>{sayTime(texts.lastUsedAt, context, session.lastUsedAt)}</small>
      </div>
      {!session.current && (
        <EndSessions handle={session.sessionHandle} label={label}>
          {buttons.signOut}
        </EndSessions>
      )}
    </li>
  );
}

/** The stored description, such as "Firefox on Linux", in the words of the page. Null if it has no visible character. */
function nameBrowser(userAgent: string | null, texts: Texts["sessions"]): string | null {
  const name = shownName(userAgent);
  const [, browser, system] = /^(.+) on (.+)$/.exec(name ?? "") ?? [];
  if (browser === undefined || system === undefined) return name;
  return texts.browser.replace("{browser}", () => browser).replace("{system}", () => system);
}

type EndSessionsProps = {
  /** Of a session, or `all` for every other one. */
  readonly handle: string;
  /** For screen readers, if other buttons have the same text. */
  readonly label?: string;
  readonly children: string;
};

/** A form that ends one session or all others. */
function EndSessions({ handle, label, children }: EndSessionsProps) {
  return (
    <form method="post" action="/account/sessions">
      <button class="button quiet" type="submit" name="session" value={handle} aria-label={label}>
        {children}
      </button>
    </form>
  );
}

/**
 * The page about Janus: what it is, what it stores, for how long, and how to have it deleted. Every page leads here. What
 * it says is what the tables hold, and what `server/upkeep.ts` deletes.
 *
 * @jsxImportSource preact -- Bun reads tsconfig.json from the folder it is started in, which may be another one.
 */
import type { PageContext } from "./parts.tsx";
import { ArrowLink, renderPage, say } from "./parts.tsx";
import { TEXTS } from "./texts/languages.ts";

/** What Janus is and what it keeps, for anybody. The history of who has no link is kept for `retentionDays`. */
export function renderAbout(context: PageContext, retentionDays: number): string {
  const { about, buttons } = TEXTS[context.language];
  const { privacyUrl } = context.look;
  return renderPage(
    context,
    about.title,
    <>
      <p>{say(about.lead, context)}</p>
      <p>{about.never}</p>
      <section>
        <h2>{about.storesTitle}</h2>
        <List context={context} items={about.stores} />
        <p>{about.log}</p>
      </section>
      <section>
        <h2>{about.keepsTitle}</h2>
        <List context={context} items={about.keeps} other={String(retentionDays)} />
      </section>
      <section>
        <h2>{about.deleteTitle}</h2>
        <p>{say(about.unlink, context)}</p>
        <p>{say(about.ask, context)}</p>
        {privacyUrl !== undefined && (
          <p>{say(about.policy, context, <a href={privacyUrl}>{about.policyName}</a>)}</p>
        )}
        <ArrowLink href="/account" quiet>
          {buttons.toAccount}
        </ArrowLink>
      </section>
    </>,
  );
}

type Listed = {
  readonly context: PageContext;
  readonly items: readonly string[];
  /** Takes the place of `{other}`. */
  readonly other?: string;
};

function List({ context, items, other }: Listed) {
  return (
    <ul>
      {items.map((item) => (
        <li key={item}>{say(item, context, other)}</li>
      ))}
    </ul>
  );
}

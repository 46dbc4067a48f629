/**
 * The sections of the member's own page that list what other servers have told Janus of the member, and what administrators
 * did. Each is there only if it has something.
 *
 * @jsxImportSource preact -- Bun reads tsconfig.json from the folder it is started in, which may be another one.
 */
import type { Handled, Told } from "../member/told.ts";
import type { PageContext } from "./parts.tsx";
import { sayTime } from "./parts.tsx";
import { TEXTS } from "./texts/languages.ts";

/** The events with their times. */
export function ToldEvents({
  context,
  told,
}: {
  readonly context: PageContext;
  readonly told: readonly Told[];
}) {
  const texts = TEXTS[context.language].told;
  if (told.length === 0) return null;
  return (
    <section>
      <h2>{texts.title}</h2>
      <ul class="facts">
        {told.map(({ at, about }) => (
          <li key={`${about} ${at.toISOString()}`}>{sayTime(texts[about], context, at)}</li>
        ))}
      </ul>
    </section>
  );
}

/** What administrators did, with the times. */
export function HandledEvents({
  context,
  handled,
}: {
  readonly context: PageContext;
  readonly handled: readonly Handled[];
}) {
  const texts = TEXTS[context.language].handled;
  if (handled.length === 0) return null;
  return (
    <section>
      <h2>{texts.title}</h2>
      <ul class="facts">
        {handled.map(({ at, did }) => (
          <li key={`${did} ${at.toISOString()}`}>{sayTime(texts[did], context, at)}</li>
        ))}
      </ul>
    </section>
  );
}

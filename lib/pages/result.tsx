/**
 * The page of each result: how a flow or a form ended. A browser can load it again, so it says nothing that a second reading
 * would make untrue.
 *
 * @jsxImportSource preact -- Bun reads tsconfig.json from the folder it is started in, which may be another one.
 */
import type { Content } from "../result/content.ts";
import { renderCancelled } from "./error.tsx";
import { renderConflict, renderLinked } from "./link.tsx";
import { renderUnlinked } from "./member.tsx";
import type { Admitting } from "./not_admitted.tsx";
import { renderCleared, renderNotAdmitted } from "./not_admitted.tsx";
import type { PageContext } from "./parts.tsx";
import { ArrowLink, renderPage, say } from "./parts.tsx";
import { TEXTS } from "./texts/languages.ts";

/** The page of a result. `context` has the id of the request that it is the result of. */
export function renderResult(
  context: PageContext,
  content: Content,
  discordAppUrl: string,
  rules: Admitting,
): string {
  switch (content.outcome) {
    case "linked":
    case "relinked":
    case "moved":
      return content.told === "cleared"
        ? renderCleared(context, content, rules)
        : renderLinked(context, {
            ...content,
            isKnown: content.told === "values",
            isAgain: content.outcome === "relinked",
            discordAppUrl,
          });
    case "conflict":
      return renderConflict(context, { ...content, formState: content.state });
    case "not_admitted":
      return renderNotAdmitted(context, content, rules);
    case "kept":
      return renderKept(context);
    case "cancelled":
      return renderCancelled(context, content, content);
    case "unlinked":
      return renderUnlinked(context, content);
    case "signed_out":
      return renderSignedOut(context);
  }
}

/** The member has left the links as they are. */
export function renderKept(context: PageContext): string {
  const { kept, buttons } = TEXTS[context.language];
  return renderPage(
    context,
    kept.title,
    <>
      <p>{say(kept.lead, context)}</p>
      <ArrowLink href="/account">{buttons.toAccount}</ArrowLink>
    </>,
    "stopped",
  );
}

/** The member is signed out here. Nobody who has just left is asked to begin again. */
export function renderSignedOut(context: PageContext): string {
  const { signedOut, buttons } = TEXTS[context.language];
  return renderPage(
    context,
    signedOut.title,
    <>
      <p>{say(signedOut.lead, context)}</p>
      <ArrowLink href="/" quiet>
        {buttons.toStart}
      </ArrowLink>
    </>,
    "signedOut",
  );
}

/**
 * The page of a member who was not admitted: the rules say no, or the organisation did not say what they need to know.
 *
 * @jsxImportSource preact -- Bun reads tsconfig.json from the folder it is started in, which may be another one.
 */
import type { RuleSet } from "../rules/rule_set.ts";
import type { PageContext } from "./parts.tsx";
import { ArrowLink, renderPage, say } from "./parts.tsx";
import { TEXTS } from "./texts/languages.ts";

/** Why a member was not admitted. */
type Refusal = { readonly why: "refused" | "unknown" };

/** Nothing is linked. The operator's own words say why, as they are in the rules now. */
export function renderNotAdmitted(
  context: PageContext,
  { why }: Refusal,
  { admit }: Pick<RuleSet, "admit">,
): string {
  const { notAdmitted, buttons, requestId } = TEXTS[context.language];
  const own = admit?.message[context.language];
  return renderPage(
    context,
    why === "refused" ? notAdmitted.refusedTitle : notAdmitted.unknownTitle,
    <>
      {why === "unknown" && <p>{say(notAdmitted.unknownWhy, context)}</p>}
      {why === "refused" && admit !== undefined && (
        <p lang={own === undefined ? "en" : undefined} dir="auto">
          {own ?? admit.message.en}
        </p>
      )}
      <p>{say(notAdmitted.nothingLinked, context)}</p>
      <p>{say(why === "refused" ? notAdmitted.refusedNow : notAdmitted.unknownNow, context)}</p>
      <ArrowLink href="/linked-role/another">{buttons.useAnother}</ArrowLink>
      <p class="request">
        {requestId}: <code>{context.requestId}</code>
      </p>
    </>,
    "stopped",
  );
}

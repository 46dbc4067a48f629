/**
 * What members read whom the rules do not admit: the pages of a sign-in that linked nothing, and of a link that no longer
 * gives roles. The operator's own words say who may link, as they are in the rules now.
 *
 * @jsxImportSource preact -- Bun reads tsconfig.json from the folder it is started in, which may be another one.
 */
import type { ComponentChildren } from "preact";
import type { RuleSet } from "../rules/rule_set.ts";
import { DEFAULT_LANGUAGE } from "../text/languages.ts";
import type { PageContext } from "./parts.tsx";
import { ArrowLink, RequestId, renderPage, say } from "./parts.tsx";
import { TEXTS } from "./texts/languages.ts";

/** Why a member was not admitted. */
type Refusal = { readonly why: "refused" | "unknown" };

/** The rules, as far as these pages quote them. They may have changed since, and then admit everybody. */
export type Admitting = Pick<RuleSet, "admit">;

/** Nothing is linked: the rules say no, or the organisation did not say what they need to know. */
export function renderNotAdmitted(context: PageContext, { why }: Refusal, rules: Admitting): string {
  return why === "refused" ? renderRefused(context, rules) : renderUndecided(context);
}

function renderRefused(context: PageContext, rules: Admitting): string {
  const { notAdmitted, buttons } = TEXTS[context.language];
  return renderPage(
    context,
    notAdmitted.refusedTitle,
    <>
      <OperatorMessage context={context} rules={rules} />
      <p>{say(notAdmitted.nothingLinked, context)}</p>
      <p>{say(notAdmitted.refusedNow, context)}</p>
      <ArrowLink href="/account/another">{buttons.useAnother}</ArrowLink>
      <RequestId context={context} />
    </>,
    "stopped",
  );
}

function renderUndecided(context: PageContext): string {
  const { notAdmitted, buttons } = TEXTS[context.language];
  return renderPage(
    context,
    notAdmitted.unknownTitle,
    <>
      <p>{say(notAdmitted.unknownWhy, context)}</p>
      <p>{say(notAdmitted.nothingLinked, context)}</p>
      <p>{say(notAdmitted.unknownNow, context)}</p>
      <ArrowLink href="/linked-role">{buttons.tryAgain}</ArrowLink>
      <RequestId context={context} />
    </>,
    "stopped",
  );
}

/** A link that stays and no longer gives roles. */
type ClearedPage = {
  /** False if Discord could not be told yet. */
  readonly pushed: boolean;
  readonly signedIn: boolean;
};

/** The member has signed in with accounts that are linked, and the rules no longer admit them. */
export function renderCleared(
  context: PageContext,
  { pushed, signedIn }: ClearedPage,
  rules: Admitting,
): string {
  const { cleared, notAdmitted, buttons } = TEXTS[context.language];
  return renderPage(
    context,
    cleared.title,
    <>
      <OperatorMessage context={context} rules={rules} />
      <p>{say(pushed ? cleared.told : cleared.later, context)}</p>
      <p>{say(notAdmitted.refusedNow, context)}</p>
      <ArrowLink href="/account/another">{buttons.useAnother}</ArrowLink>
      {signedIn && (
        <ArrowLink href="/account" quiet>
          {buttons.toAccount}
        </ArrowLink>
      )}
      <RequestId context={context} />
    </>,
    "stopped",
  );
}

type OperatorMessageProps = { readonly context: PageContext; readonly rules: Admitting };

/** The operator's message in the language of the page, or else in English. Lines end where the operator ended them. */
export function OperatorMessage({ context, rules: { admit } }: OperatorMessageProps): ComponentChildren {
  if (admit === undefined) return null;
  const { language } = context;
  const { [language]: own, [DEFAULT_LANGUAGE]: fallback } = admit.message;
  return (
    <>
      <p>{say(TEXTS[language].notAdmitted.says, context)}</p>
      <blockquote lang={own === undefined ? DEFAULT_LANGUAGE : undefined} dir="auto">
        {own ?? fallback}
      </blockquote>
    </>
  );
}

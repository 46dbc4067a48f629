/**
 * The pages of a request that did not succeed: an error for each public code, and the page of a member who cancelled. Each
 * says what happened and what to do next, and offers the link that helps.
 *
 * @jsxImportSource preact -- Bun reads tsconfig.json from the folder it is started in, which may be another one.
 */
import type { PublicErrorCode } from "../error_codes.ts";
import type { BEGINNINGS } from "../result/content.ts";
import type { Badge } from "./frame.tsx";
import type { PageContext } from "./parts.tsx";
import { ArrowLink, RequestId, renderPage, say } from "./parts.tsx";
import { TEXTS } from "./texts/languages.ts";

/** The paths, all our own, from which a member can start the flow again or repeat the request. */
export type Beginning = { readonly startAgain: (typeof BEGINNINGS)[number]; readonly tryAgain: string };

const LINK_FLOW: Beginning = { startAgain: "/linked-role", tryAgain: "/linked-role" };

/** What happened, what to do next, and the request ID to quote. */
export function renderError(
  context: PageContext,
  code: PublicErrorCode,
  beginning: Beginning = LINK_FLOW,
): string {
  const { errors, buttons } = TEXTS[context.language];
  const text = errors[code];
  const action = ERROR_ACTION[code];
  const second = SECOND_ACTION[code];
  const paths = { ...beginning, ...FIXED_PATH };
  return renderPage(
    context,
    text.title,
    <>
      <p>{say(text.why, context)}</p>
      <p>{say(text.now, context)}</p>
      {action !== null && <ArrowLink href={paths[action]}>{buttons[action]}</ArrowLink>}
      {second !== undefined && (
        <ArrowLink href={paths[second]} quiet>
          {buttons[second]}
        </ArrowLink>
      )}
      <RequestId context={context} />
    </>,
    badgeOf(code),
  );
}

/** The member cancelled, or the organisation refused them. This is not an error: nothing was linked or changed. */
export function renderCancelled(
  context: PageContext,
  page: { readonly at: "discord" | "provider" },
  { startAgain }: Pick<Beginning, "startAgain"> = LINK_FLOW,
): string {
  const { cancelled, buttons } = TEXTS[context.language];
  const link = <ArrowLink href={startAgain}>{buttons.tryAgain}</ArrowLink>;
  if (page.at === "discord")
    return renderPage(
      context,
      cancelled.discordTitle,
      <>
        <p>{say(cancelled.lead, context)}</p>
        {link}
      </>,
      "stopped",
    );
  return renderPage(
    context,
    cancelled.providerTitle,
    <>
      <p>{say(cancelled.providerWhy, context)}</p>
      <p>{say(cancelled.providerNow, context)}</p>
      {link}
      <RequestId context={context} />
    </>,
    "stopped",
  );
}

function badgeOf(code: PublicErrorCode): Badge {
  if (code === "unauthenticated") return "signedOut";
  return HARMLESS.includes(code) ? "stopped" : "attention";
}

/** Members meet these in ordinary use, for example by reloading a page, or the organisation wants it so. Their pages raise no alarm. */
const HARMLESS: readonly PublicErrorCode[] = [
  "state_mismatch",
  "flow_finished",
  "not_linked",
  "session_unknown",
  "sync_too_soon",
  "prefetch_refused",
  "banned",
];

/** The links that lead to the same place, whatever the member was doing. */
const FIXED_PATH = { toStart: "/", signIn: "/login", toAccount: "/account" } as const;

type Action = keyof Beginning | keyof typeof FIXED_PATH;

/**
 * The second link, where an earlier callback may have made the link already. Everybody gets the same page, so that it
 * does not reveal whether there is a link.
 */
const SECOND_ACTION: Readonly<Partial<Record<PublicErrorCode, Action>>> = {
  code_rejected: "toAccount",
  state_mismatch: "startAgain",
  flow_expired: "toAccount",
  flow_finished: "startAgain",
};

/** The link of an error page. Null if no link would help. */
const ERROR_ACTION: Readonly<Record<PublicErrorCode, Action | null>> = {
  callback_malformed: "startAgain",
  authorization_rejected: "startAgain",
  code_rejected: "startAgain",
  scope_missing: "startAgain",
  unauthenticated: "signIn",
  state_mismatch: "toAccount",
  flow_expired: "startAgain",
  flow_finished: "toAccount",
  issuer_mismatch: "startAgain",
  origin_refused: "toStart",
  // Another try changes nothing. The texts name who can.
  banned: null,
  // A reload asks for the same address, which is the right one.
  prefetch_refused: null,
  grant_ended: "startAgain",
  not_found: "toStart",
  session_unknown: "toAccount",
  method_not_allowed: "toStart",
  not_linked: "toStart",
  request_timeout: "toStart",
  request_too_large: "toStart",
  sync_too_soon: "toAccount",
  too_many_requests: "toStart",
  internal: "tryAgain",
  token_unreadable: "startAgain",
  id_token_refused: "startAgain",
  id_token_unsupported: null,
  userinfo_refused: "startAgain",
  provider_misconfigured: null,
  provider_client_rejected: null,
  discord_client_rejected: null,
  discord_refused: "startAgain",
  provider_unavailable: "tryAgain",
  discord_unavailable: "tryAgain",
  discord_rate_limited: "tryAgain",
  grant_ending: "startAgain",
  database_unavailable: "tryAgain",
  database_not_migrated: "tryAgain",
  too_busy: "tryAgain",
};

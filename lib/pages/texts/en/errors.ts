/**
 * The English of the error pages, one text for each public error code. The placeholders are those of `pages.ts`.
 *
 * Programs read `title` and `why` as the `detail` of a problem document. `now` is for the page alone, which has the
 * buttons and the request ID that it mentions.
 */
import type { PublicErrorCode } from "../../../errors.ts";

/** An error in three parts: the heading, the reason, and what to do next. */
export type ErrorText = { readonly title: string; readonly why: string; readonly now: string };

/** The errors in one language. */
export type ErrorTexts = Readonly<Record<PublicErrorCode, ErrorText>>;

const AGAIN = "If it happens again, contact {platform} and quote the request ID below.";
const LATER = "Try again in a minute.";
const FROM_START = "Go to the start page and try again from there.";
const NOTHING_LOST = "Nothing has been lost.";
const NO_USABLE_REPLY = `Janus tried to reach it, but did not get a usable reply. ${NOTHING_LOST}`;
const MAYBE_LINKED = "Your accounts may already be linked. Go to your account to check.";

const PROVIDER_FAULT: ErrorText = {
  title: "Sign-in with {platform} is misconfigured",
  why: "This is not your fault, and nothing has been changed.",
  now: "Contact {platform} and quote the request ID below. Trying again will not help until they have fixed it.",
};

/** The English texts of the error pages. */
export const errorsEn: ErrorTexts = {
  callback_malformed: {
    title: "The address of this page is incomplete",
    why: "Something that Discord or {platform} added to the address is missing or has been changed.",
    now: "Start again from the beginning.",
  },
  authorization_rejected: {
    title: "You could not be signed in",
    why: "Discord or {platform} refused to sign you in here.",
    now: `Start again. ${AGAIN}`,
  },
  code_rejected: {
    title: "Your sign-in could not be completed",
    why: "It took too long, or this page was loaded twice.",
    now: `${MAYBE_LINKED} If they are not linked, start again.`,
  },
  scope_missing: {
    title: "A permission is missing",
    why: "Discord did not give Janus all the permissions it needs.",
    now: "Start again and approve all the permissions that Discord lists.",
  },
  unauthenticated: {
    title: "You are not signed in",
    why: "You have to sign in first. If you were signed in before, you have since been signed out.",
    now: "Sign in with Discord to continue.",
  },
  state_mismatch: {
    title: "Janus does not recognise this sign-in",
    why: "This can happen if you reload a page, switch browsers or block cookies.",
    now: `${MAYBE_LINKED} If they are not linked, start again in this browser and allow cookies.`,
  },
  flow_expired: {
    title: "Signing in took too long",
    why: "For your security, an unfinished sign-in expires after a short while.",
    now: `${MAYBE_LINKED} If they are not linked, start again.`,
  },
  flow_finished: {
    title: "This sign-in is already finished",
    why: "You may have reloaded or reopened the page, or clicked a button twice.",
    now: `${MAYBE_LINKED} If they are not linked, start again.`,
  },
  issuer_mismatch: {
    title: "The reply came from an unexpected source",
    why: "Janus could not confirm who sent it, and stopped to protect you.",
    now: `Start again. ${AGAIN}`,
  },
  origin_refused: {
    title: "Your request was not accepted",
    why: "For your security, Janus accepts requests only from its own pages. Nothing has been changed.",
    now: `${FROM_START} If it happens again, try another browser.`,
  },
  prefetch_refused: {
    title: "Your browser opened this page ahead of time",
    why: "Browsers do this to save time, but Janus waits until you open the page yourself. Nothing has been changed.",
    now: "Reload this page to continue.",
  },
  grant_ended: {
    title: "Janus no longer has access to your Discord account",
    why: "You may have removed this app under Authorized Apps in Discord.",
    now: "Start again and approve the app in Discord.",
  },
  not_found: {
    title: "This page does not exist",
    why: "The address may be wrong or out of date.",
    now: "Go to the start page if you want to link your accounts.",
  },
  not_linked: {
    title: "Your accounts are not linked",
    why: "There is no link to update or remove. You may already have unlinked your accounts.",
    now: "Go to the start page if you want to link your accounts.",
  },
  session_unknown: {
    title: "This sign-in has already ended",
    why: "You may have signed out on that device, or the sign-in may have expired.",
    now: "Go to your account to see where you are signed in.",
  },
  sync_too_soon: {
    title: "You did this less than a minute ago",
    why: "Janus updates Discord at most once a minute for each member.",
    now: "Wait a minute, then try again from your account.",
  },
  method_not_allowed: {
    title: "This page cannot be opened directly",
    why: "You can only get here from another page of Janus.",
    now: FROM_START,
  },
  request_too_large: {
    title: "The request was too large",
    why: "Your browser sent more than Janus accepts.",
    now: FROM_START,
  },
  request_timeout: {
    title: "The request took too long",
    why: "Your browser did not send all of it in time. Your connection may be poor.",
    now: FROM_START,
  },
  too_many_requests: {
    title: "Too many requests",
    why: "Your network has sent many requests in a short time, so Janus is not accepting more right now.",
    now: "Wait a minute, then try again from the start page.",
  },
  internal: {
    title: "Something went wrong in Janus",
    why: "Your last step may not have been completed. This is not your fault, and the error has been logged.",
    now: `${LATER} ${AGAIN}`,
  },
  token_unreadable: {
    title: "Your saved sign-in can no longer be used",
    why: "This is not your fault: Janus cannot read it any more.",
    now: `Start again: a new sign-in replaces it. ${AGAIN}`,
  },
  id_token_refused: {
    title: "Your sign-in with {platform} could not be verified",
    why: "The reply from {platform} did not pass a security check, so nothing has been linked.",
    now: `Start again. ${AGAIN}`,
  },
  id_token_unsupported: PROVIDER_FAULT,
  userinfo_refused: {
    title: "{platform} sent conflicting information",
    why: "Two replies did not agree on who you are, so nothing has been linked.",
    now: `Sign out of {platform} and start again. ${AGAIN}`,
  },
  provider_misconfigured: PROVIDER_FAULT,
  provider_client_rejected: PROVIDER_FAULT,
  discord_client_rejected: {
    title: "Sign-in with Discord is misconfigured",
    why: PROVIDER_FAULT.why,
    now: PROVIDER_FAULT.now,
  },
  discord_refused: {
    title: "Discord refused the request",
    why: "Janus may not be set up correctly in Discord. Nothing has been changed.",
    now: `Start again. ${AGAIN}`,
  },
  provider_unavailable: {
    title: "{platform} is not responding right now",
    why: NO_USABLE_REPLY,
    now: LATER,
  },
  discord_unavailable: {
    title: "Discord is not responding right now",
    why: NO_USABLE_REPLY,
    now: LATER,
  },
  discord_rate_limited: {
    title: "Discord is asking Janus to wait",
    why: `Discord has received too many requests in a short time. ${NOTHING_LOST}`,
    now: "Wait a few minutes, then try again.",
  },
  grant_ending: {
    title: "Your earlier sign-in is still being removed",
    why: "If you signed in now, Discord would sign you out again.",
    now: "Wait a while, then start again. If it still fails after half an hour, contact {platform} and quote the request ID below.",
  },
  database_unavailable: {
    title: "Janus is not working right now",
    why: `It cannot reach its saved data. ${NOTHING_LOST}`,
    now: LATER,
  },
  too_busy: {
    title: "Janus is very busy right now",
    why: `Many people are using it at the same time. ${NOTHING_LOST}`,
    now: LATER,
  },
  database_not_migrated: {
    title: "Janus is being updated",
    why: `Its saved data is not ready for the new version yet. ${NOTHING_LOST}`,
    now: `${LATER} If you still see this page after a few minutes, contact {platform}.`,
  },
};

/**
 * What the pages say, in English; its shape is what every language must have. Called by `parts.tsx` alone.
 * `{platform}` stands for the organisation, `{link}` for Discord's *Link* button, `{other}` for an account's name.
 * Nothing here speaks of tokens, keys or other internals.
 */
import type { PublicErrorCode } from "../../errors.ts";

/** A page that tells what happened: the heading, why that may be, what to do now. */
export type ErrorText = { readonly title: string; readonly why: string; readonly now: string };

/** Everything that is said in one language. */
export type Texts = {
  /** The words on Discord's own button. */
  readonly link: string;
  readonly buttons: {
    readonly linkAccount: string;
    readonly backToDiscord: string;
    readonly tryAgain: string;
    readonly startAgain: string;
    readonly toStart: string;
    readonly move: string;
    readonly leave: string;
    /** Leads from the start page to the account page. */
    readonly seeLink: string;
    /** Leads to the account page once a member is signed in. */
    readonly toAccount: string;
    readonly signIn: string;
    /** Leads to the account page from an error page, where the link may well be made already. */
    readonly checkLink: string;
  };
  readonly home: { readonly title: string; readonly lead: string };
  readonly linked: {
    readonly title: string;
    readonly now: string;
    readonly later: string;
    /** After a move: Discord has not yet been told about the earlier Discord account. */
    readonly earlierRole: string;
  };
  readonly cancelled: {
    readonly discordTitle: string;
    readonly lead: string;
    readonly providerTitle: string;
    /** True of a member who cancelled and of one whom the organisation refused; what each can do. */
    readonly providerWhy: string;
    readonly providerNow: string;
  };
  readonly conflict: {
    readonly title: string;
    /** Stands above the two accounts. */
    readonly signedIn: string;
    readonly organisationTaken: string;
    readonly discordTaken: string;
    readonly discordTakenUnnamed: string;
  };
  /** Stands where an account at the organisation has no name to show. */
  readonly unnamedAccount: string;
  readonly requestId: string;
  readonly errors: Readonly<Record<PublicErrorCode, ErrorText>>;
};

const AGAIN = "If it happens once more, contact {platform}.";
const LATER = "Try again in a minute.";
const FROM_START = "Go to the start page and begin from there.";
const NOTHING_LOST = "Nothing has been lost or removed.";
const MAYBE_DONE = "Your accounts may already be linked: see your link to check.";

const PROVIDER_FAULT: ErrorText = {
  title: "The sign-in at {platform} is set up wrongly",
  why: "You have done nothing wrong, and nothing has been changed.",
  now: "Contact {platform} and quote the request id below. Until they have put it right, trying again does not help.",
};

/** The English texts. */
export const en: Texts = {
  link: "Link",
  buttons: {
    linkAccount: "Link my account",
    backToDiscord: "Back to Discord",
    tryAgain: "Try again",
    startAgain: "Start again",
    toStart: "Go to the start page",
    move: "Move the link",
    leave: "Leave it as it is",
    seeLink: "See or undo your link",
    toAccount: "Your account here",
    signIn: "Sign in with Discord",
    checkLink: "See your link",
  },
  home: {
    title: "Get your roles on Discord",
    lead: "Link your Discord account to your account at {platform}, and get the Discord roles that you are entitled to.",
  },
  linked: {
    title: "Your accounts are linked",
    now: "One step is left: go back to Discord and press {link} there. Only then does Discord give you the role.",
    later:
      "Discord did not take the update just now, but your link is saved and Janus tries again by itself. All you need to do is press {link} in Discord a little later.",
    earlierRole:
      "Your other Discord account will soon lose its role. If it still has the role tomorrow, sign in to Discord with that account, open User Settings, then Authorized Apps, and deauthorize this app.",
  },
  cancelled: {
    discordTitle: "You cancelled at Discord",
    lead: "That is fine: nothing has been linked or changed. Close this page, or try again whenever you like.",
    providerTitle: "You or {platform} said no",
    providerWhy:
      "Either you cancelled, or {platform} did not let you in. Nothing has been linked or changed.",
    providerNow:
      "If you cancelled, try again whenever you like. If you did not, ask {platform} why, and quote the request id below.",
  },
  conflict: {
    title: "Do you want to move the link?",
    signedIn: "You have just signed in with these accounts:",
    organisationTaken:
      "Your account at {platform} is already linked to another Discord account, {other}. If you move the link, that Discord account loses the roles it has through {platform}.",
    discordTaken:
      "Your Discord account is already linked to another account at {platform}, {other}. If you move the link, that account is no longer linked.",
    discordTakenUnnamed:
      "Your Discord account is already linked to another account at {platform}. If you move the link, that account is no longer linked.",
  },
  unnamedAccount: "The account you signed in with",
  requestId: "Request id",
  errors: {
    callback_malformed: {
      title: "The address of this page is incomplete",
      why: "A part that should have come from Discord or {platform} is missing or has been changed.",
      now: "Start again from the beginning.",
    },
    authorization_rejected: {
      title: "The sign-in was not accepted",
      why: "Discord or {platform} answered that it cannot sign you in here.",
      now: `Start again. ${AGAIN}`,
    },
    code_rejected: {
      title: "The sign-in could not be completed",
      why: "It had been used already or took too long. This can happen when a page is reloaded.",
      now: `${MAYBE_DONE} If they are not, start again.`,
    },
    scope_missing: {
      title: "A permission is missing",
      why: "Janus was not given every permission that it needs to link your accounts.",
      now: "Start again, and approve everything that you are asked for.",
    },
    unauthenticated: {
      title: "You are not signed in",
      why: "This page is for members who have signed in. A sign-in ends after a while, and when you log out or unlink.",
      now: "Sign in with Discord to go on.",
    },
    state_mismatch: {
      title: "Janus does not recognise this sign-in",
      why: "If you reloaded a finished page, your accounts may already be linked. If you began in another browser, the sign-in cannot go on here.",
      now: "See your link to check. If there is none, start again here, with cookies allowed.",
    },
    flow_expired: {
      title: "The sign-in took too long",
      why: "For your safety, a sign-in that has been started is valid for a short while only.",
      now: `${MAYBE_DONE} If they are not, start again.`,
    },
    flow_finished: {
      title: "This sign-in is already finished",
      why: "The page was reloaded or opened again, or a button was pressed twice. Your accounts may already be linked.",
      now: "See your link to check. If there is none, start again.",
    },
    issuer_mismatch: {
      title: "The answer came from the wrong place",
      why: "Janus could not be sure who had answered, and stopped for your safety.",
      now: `Start again. ${AGAIN}`,
    },
    origin_refused: {
      title: "The form was sent from somewhere else",
      why: "For your safety, Janus takes forms from its own pages only. Nothing has been changed.",
      now: FROM_START,
    },
    prefetch_refused: {
      title: "Your browser opened this page in advance",
      why: "It does so to save time, but Janus waits until you ask for the page yourself. Nothing has been changed.",
      now: "Reload this page to go on.",
    },
    grant_ended: {
      title: "Your approval at Discord has ended",
      why: "Discord no longer lets Janus act for you, perhaps because you removed it from your authorised apps.",
      now: "Start again to approve it once more.",
    },
    not_found: {
      title: "This page does not exist",
      why: "The address may be misspelt or out of date.",
      now: "Go to the start page to link your account.",
    },
    not_linked: {
      title: "Your accounts are not linked",
      why: "There is no link that this could be done to. Perhaps you have undone it already.",
      now: "Go to the start page if you want to link your accounts.",
    },
    session_unknown: {
      title: "That sign-in does not exist",
      why: "None of your sign-ins is the one you asked for. It has probably ended already.",
      now: "Go back to your account to see the ones that remain.",
    },
    sync_too_soon: {
      title: "You have only just asked for that",
      why: "To go easy on Discord, Janus does this at most once a minute for each member.",
      now: "Wait a minute, then try again from your account.",
    },
    method_not_allowed: {
      title: "This page cannot be opened directly",
      why: "It is a step on the way, and works only when you come from the step before.",
      now: FROM_START,
    },
    request_too_large: {
      title: "Too much was sent",
      why: "What your browser sent was larger than Janus accepts.",
      now: FROM_START,
    },
    request_timeout: {
      title: "Your browser did not finish sending",
      why: "What it began to send did not arrive. The connection may be poor.",
      now: FROM_START,
    },
    too_many_requests: {
      title: "Too many requests at once",
      why: "Very many requests have come from your network in a short time, and Janus takes a short break from it.",
      now: "Wait a minute, then begin again from the start page.",
    },
    internal: {
      title: "Something went wrong in Janus",
      why: "You have done nothing wrong. The fault has been written to the log.",
      now: `${LATER} ${AGAIN}`,
    },
    token_unreadable: {
      title: "Your saved sign-in cannot be opened",
      why: "Janus keeps sign-ins locked away, and the key no longer fits yours.",
      now: `Start again: a new sign-in takes its place. ${AGAIN}`,
    },
    id_token_refused: {
      title: "The sign-in at {platform} could not be verified",
      why: "Janus could not make sure that the answer was right, so nothing has been linked.",
      now: `Start again. ${AGAIN}`,
    },
    id_token_unsupported: PROVIDER_FAULT,
    userinfo_refused: {
      title: "{platform} gave two different answers",
      why: "They were about two different people, so nothing has been linked.",
      now: `Sign out at {platform} and start again. ${AGAIN}`,
    },
    provider_misconfigured: PROVIDER_FAULT,
    provider_client_rejected: PROVIDER_FAULT,
    discord_client_rejected: {
      title: "The sign-in at Discord is set up wrongly",
      why: PROVIDER_FAULT.why,
      now: PROVIDER_FAULT.now,
    },
    discord_refused: {
      title: "Discord said no",
      why: "Discord did not accept what Janus asked of it.",
      now: `Start again. ${AGAIN}`,
    },
    provider_unavailable: {
      title: "{platform} is not answering right now",
      why: NOTHING_LOST,
      now: LATER,
    },
    discord_unavailable: {
      title: "Discord is not answering right now",
      why: NOTHING_LOST,
      now: LATER,
    },
    discord_rate_limited: {
      title: "Discord asks us to wait",
      why: `Too much was asked of it in a short time. ${NOTHING_LOST}`,
      now: "Wait a few minutes, then try again.",
    },
    grant_ending: {
      title: "An earlier sign-in is still being ended",
      why: "Discord would end a new sign-in together with it.",
      now: "Wait a minute, then start again.",
    },
    database_unavailable: {
      title: "Janus is not ready right now",
      why: `It cannot reach what it has saved. ${NOTHING_LOST}`,
      now: LATER,
    },
    too_busy: {
      title: "Janus has very much to do right now",
      why: NOTHING_LOST,
      now: LATER,
    },
    database_not_migrated: {
      title: "Janus is being updated",
      why: NOTHING_LOST,
      now: `${LATER} If this page is still here then, contact {platform}.`,
    },
  },
};

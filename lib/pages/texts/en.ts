/**
 * The English of every page. Its type is the shape of every other language.
 *
 * Placeholders: `{platform}` is the organisation. `{contact}` is the same where a text tells the member to ask it: it leads
 * to where they can ask, if the operator has set that. It does not stand in titles. `{link}` is Discord's own *Link*
 * button, and `{other}` is a value that the page puts in, such as a time or an account. The texts never mention tokens,
 * keys or other internals.
 */
import type { PublicErrorCode } from "../../error_codes.ts";

/** An error in three parts: the heading, the reason, and what to do next. */
export type ErrorText = { readonly title: string; readonly why: string; readonly now: string };

/** The errors in one language. */
type ErrorTexts = Readonly<Record<PublicErrorCode, ErrorText>>;

const AGAIN = "If it happens again, contact {contact} and quote the request ID below.";
const LATER = "Try again in a minute.";
const FROM_START = "Go to the start page and try again from there.";
const NOTHING_LOST = "Nothing has been lost.";
const NO_USABLE_REPLY = `Janus tried to reach it, but did not get a usable reply. ${NOTHING_LOST}`;
const MAYBE_LINKED = "Your accounts may already be linked. Go to your account to check.";

const PROVIDER_FAULT: ErrorText = {
  title: "Sign-in with {platform} is misconfigured",
  why: "This is not your fault, and nothing has been changed.",
  now: "Contact {contact} and quote the request ID below. Trying again will not help until they have fixed it.",
};

/** The English texts. */
export const en = {
  /**
   * How the pages write times. It is also Discord's tag for the language, by which a metadata record has its name in it.
   * https://discord.com/developers/docs/reference#locales
   */
  locale: "en-GB",
  /** Discord's label for the button that gives the role. */
  discordLink: "Link",
  requestId: "Request ID",
  /** Replaces the name of an organisation account that has none. */
  unnamedAccount: "The account you signed in with",
  buttons: {
    linkAccount: "Link my accounts",
    backToDiscord: "Back to Discord",
    openDiscordApp: "Open the Discord app",
    tryAgain: "Try again",
    startAgain: "Start again",
    toStart: "Go to the start page",
    toAccount: "Go to my account",
    backToAccount: "Back to my account",
    signIn: "Sign in with Discord",
    signInAgain: "Sign in again",
    signOut: "Sign out",
    move: "Link these accounts",
    leave: "Do not change anything",
    sync: "Sync now",
    unlink: "Unlink",
    confirmUnlink: "Unlink my accounts",
    keepLink: "Keep them linked",
    useAnother: "Use another account",
    confirmAnother: "Continue",
    export: "Download my data",
    endOthers: "Sign out on all other devices",
    /** Leads from the start page to the member's own page. */
    seeLink: "Already linked? Sign in",
  },
  home: {
    title: "Get your roles on Discord",
    lead: "Link your Discord account to your {platform} account to get the Discord roles you are entitled to.",
    /** A link to the page about Janus follows. */
    stores: "Janus saves the name and ID of both accounts until you unlink them.",
    more: "What Janus saves",
  },
  /** The start page of a member who is signed in. */
  welcome: {
    title: "Welcome back",
    signedIn: "You are signed in as {other}.",
    linked: "Your Discord account is linked to your {platform} account.",
    notLinked: "Your Discord account is not linked to a {platform} account yet.",
  },
  linked: {
    title: "Your accounts are linked",
    now: "One step left: get your role in Discord.",
    /** The member has signed in again, and may have had the role all the time. */
    again: "Everything is in order. If you do not have your role yet, get it in Discord:",
    later:
      "Your link is saved, but Discord could not be updated just now. Janus will try again automatically. Wait a few minutes. Then get your role in Discord.",
    /** Replaces the steps below if Discord has no value that a role could need. */
    nothingKnown:
      "Your link is saved, but {platform} did not say what your roles depend on. Discord cannot give you a role yet. Try again later. If it happens again, contact {contact}.",
    /** Where Discord has its button. Its menu is named as Discord names it. */
    onComputer: "On a computer: open the server, click its name at the top left and choose Linked Roles.",
    onPhone: "On a phone: open the server, tap its name at the top and choose Linked Roles.",
    last: "Then choose your role and click {link}. Discord gives you the role only after that.",
    /** Shown after a move if Discord has not cleared the role of the earlier Discord account. */
    earlierRole:
      "Your other Discord account may keep its role for a while. If it still has the role tomorrow, sign in to Discord with that account. Open User Settings, then Authorized Apps, and choose Deauthorize next to this app.",
  },
  cancelled: {
    discordTitle: "You cancelled the Discord sign-in",
    lead: "No problem: nothing has been linked or changed. You can close this page, or try again whenever you like.",
    providerTitle: "You were not signed in to {platform}",
    /** The provider does not say whether the member cancelled or was refused. */
    providerWhy:
      "Either you cancelled, or {platform} did not let you in. Nothing has been linked or changed.",
    providerNow:
      "If you cancelled, you can try again whenever you like. If you did not, ask {contact} why and quote the request ID below.",
  },
  conflict: {
    title: "Change which accounts are linked?",
    signedIn: "You have just signed in with these accounts:",
    organisationTaken:
      "Your {platform} account is already linked to another Discord account, {other}. If you link these accounts instead, the other Discord account loses the roles it got through {platform}.",
    discordTaken:
      "Your Discord account is already linked to another {platform} account, {other}. If you link these accounts instead, that account will no longer be linked.",
    discordTakenUnnamed:
      "Your Discord account is already linked to another {platform} account. If you link these accounts instead, that account will no longer be linked.",
  },
  /** The rules do not admit the member, or the organisation did not say what the rules need. */
  notAdmitted: {
    refusedTitle: "This {platform} account cannot be linked",
    /** The operator's own message follows. */
    says: "{platform} decides who can link:",
    nothingLinked:
      "Nothing has been linked, and Discord has not been told anything. Janus does not keep the access that you have just given it.",
    refusedNow:
      "If you have another {platform} account, you can use that one. If you think this is wrong, contact {contact} and quote the request ID below.",
    unknownTitle: "{platform} did not say whether you can link",
    unknownWhy:
      "{platform} decides who can link, but its reply did not include what Janus needs to know. This is not your fault.",
    unknownNow: `Try again later. ${AGAIN}`,
  },
  /** The accounts are linked, and the rules no longer admit the member. */
  cleared: {
    title: "You no longer get roles through {platform}",
    told: "Your accounts are still linked, but Discord removes the roles you got through {platform}.",
    later:
      "Your accounts are still linked. Discord could not be updated just now. Janus will try again automatically. Discord then removes the roles you got through {platform}.",
  },
  /** The member did not want to change which accounts are linked. */
  kept: {
    title: "Nothing has been changed",
    lead: "The link is the same as before. You can see it on your account page.",
  },
  signedOut: {
    title: "You are signed out",
    lead: "Signing out does not affect your roles on Discord.",
  },
  account: {
    title: "Your account",
    discordSilent:
      "Discord is not responding right now. This page shows the last information that Janus received.",
    /** Replaces the organisation account if there is no link. */
    noAccount: "Not linked",
    linkedSince: "Linked since {other}.",
    linkTitle: "Your linked accounts",
  },
  notices: {
    synced: "Done. Discord has your latest information.",
    sync_changed: "Done. Your information has changed, and Discord has been updated.",
    sync_held:
      "You and many other members would lose roles. That may be a mistake, so your roles stay as they are for now. You do not need to do anything.",
    sync_provider_silent:
      "{platform} did not respond, so Janus could not check your account. Janus will try again automatically.",
    sync_not_readable:
      "Janus could not check your {platform} account. If something has changed there, sign in again.",
    sync_sign_in: "Janus no longer has access to your account. To keep your roles, sign in again.",
    sync_failed:
      "Discord could not be updated just now. Nothing has been lost, and Janus will try again automatically.",
    sync_too_soon: "You did this less than a minute ago. Wait a minute, then try again.",
    session_ended: "You are now signed out on that device.",
    sessions_ended: "You are now signed out on all other devices.",
  },
  role: {
    title: "Your role on Discord",
    yes: "yes",
    no: "no",
    /** Above several records. */
    knownThrough: "What Discord knows about you through {platform}:",
    /** Replaces the value of a record that Discord knows nothing of. */
    notKnown: "not known",
    notSent: "not sent yet",
    /** Below such a record, or below a value that Discord had before. */
    silent: "{platform} did not say.",
    silentKept: "{platform} did not say this last time, so Discord keeps what it had.",
    unclear: "{platform} gave an answer that Janus could not use.",
    unclearKept: "{platform} gave an answer that Janus could not use, so Discord keeps what it had.",
    change: "After the next update: {other}",
    changed: "Something has changed since the last update.",
    /** `{other}` is since when Discord has nothing. */
    lost: "You have had no roles through {platform} since {other}.",
    /** The same, and the rules no longer admit the member. */
    cleared:
      "You have had no roles through {platform} since {other}, because your account there no longer qualifies.",
    clearedNow:
      "If this has changed, sign in again. You can also use another {platform} account, or ask {contact}.",
    refused:
      "Your {platform} account no longer qualifies, so the next update removes the roles you got through it.",
    readmitted:
      "Your {platform} account qualifies again. You can get your roles again after the next update.",
    admissionUnknown:
      "{platform} did not say whether your accounts may stay linked. Nothing changes until it does.",
    lastTold: "Discord last updated: {other}",
    /** When Discord was told that the member loses something. */
    removed: "Roles removed: {other}",
    nextUpdate: "Next update: {other}",
    /** An earlier link has ended, but its role connection could not be cleared. */
    mayStay:
      "Your earlier link has been removed, but Janus could not update Discord. If you still have a role from that link, you can remove it yourself: open User Settings in Discord, then Authorized Apps, and choose Deauthorize next to this app. You can also link your accounts again: the new link replaces the earlier one.",
    notLinked: "Your accounts are not linked. Link them to get the Discord roles you are entitled to.",
    notTold: "Discord does not know about your link yet, so it cannot give you the role.",
    /** Shown after a failed update. The information above is what Discord accepted before. */
    outdated: "Discord has not received the latest update yet, so the information above may be out of date.",
    nextTry: "Janus will try again on {other}.",
    noTry: "Click {other} to update Discord.",
    knows: "Discord has received the latest update.",
    /** Shown if at least one answer is yes. */
    given:
      "Discord gives you the role when you click {link} under Linked Roles in the server menu. If you have already done that, there is nothing more to do.",
    /** Shown if at least one answer is no. `{other}` is the word yes. */
    withheld:
      "Where it says no above, you do not get the roles that need a {other} there. If you had such a role, Discord removes it.",
    /** Shown if the records hold numbers or dates, or if one is not known or has changed. */
    compares:
      "The admins of the server decide what each role needs. If the information above fits, Discord gives you the role when you click {link} under Linked Roles in the server menu. If something does not fit or is not known, you do not get the role. If you had it, Discord removes it.",
  },
  /** How Janus keeps the link up to date: it asks the organisation about the account again from time to time. */
  checks: {
    last: "Account last checked: {other}",
    next: "Next check: {other}",
    /** The check failed, and that will pass. */
    failing:
      "{platform} did not respond the last time Janus tried to check your account. Nothing changes for you, and Janus will try again automatically.",
    /** The check failed, and that may not pass. */
    failingHere:
      "Janus could not check your {platform} account the last time. It will try again automatically. If you still see this tomorrow, sign in again.",
    notReadable:
      "Janus cannot check your {platform} account automatically. If something has changed there, sign in again.",
    /** One of the next two follows. */
    noAccess: "Janus has had no access to your {platform} account since {other}.",
    graceUntil: "You keep your roles until {other}. To keep them after that, sign in again.",
    graceOver: "To keep your roles, sign in again. Otherwise Discord removes them soon.",
    /** `{other}` is since when Discord has nothing. */
    ended:
      "You have had no roles through {platform} since {other}, because Janus no longer has access to your account there.",
    endedNow: "Your accounts are still linked. Sign in again to get your roles back.",
    /** The organisation itself has said so. `{other}` is when. One of the next two follows. */
    gone: "On {other}, {platform} told Janus that your membership has ended.",
    goneSoon:
      "Discord removes your roles soon. If this is wrong, sign in again. If that does not help, contact {platform}.",
    goneNow:
      "You have no roles through {platform}. Your accounts are still linked. If your membership continues, sign in again to get your roles back. If that does not help, contact {platform}.",
    /** Many members would lose something, which is more likely a fault than the truth. */
    held: "On {other}, Janus found that you and many other members would lose roles. That may be a mistake, so your roles stay as they are for now. You do not need to do anything.",
    disconnected:
      "You have no roles through {platform}, because the connection to Janus was removed in your Discord settings. Janus noticed this on {other}.",
    /** Discord can be told nothing. `{other}` is since when. */
    discordEnded: "Discord has not let Janus update your roles since {other}.",
    discordEndedNow: "To keep your roles up to date, sign in again.",
    /** The member has removed Janus itself in Discord. `{other}` is when. */
    deauthorized:
      "You have no roles through {platform}, because you removed Janus from your authorized apps in Discord on {other}.",
    deauthorizedNow: "If you want your roles back, sign in again.",
    disconnectedNow: "If you want your roles back, click {other}.",
  },
  /** What other servers have told Janus of the member. `{other}` is when. */
  told: {
    title: "Recent events",
    deauthorized: "{other}: You removed Janus in Discord.",
    membership_ended: "{other}: {platform} told Janus that your membership has ended.",
    membership_restored: "{other}: {platform} told Janus that you are a member again.",
    provider_logout: "{other}: {platform} signed you out, so Janus signed you out too.",
    recheck_asked: "{other}: {platform} told Janus that your account has changed, so Janus checks it again.",
  },
  /** What operators and administrators did. `{other}` is when. */
  handled: {
    title: "What administrators did",
    looked_at: "{other}: An administrator looked at your link.",
    ban_looked_at: "{other}: An administrator looked at a ban of yours.",
    sync_asked: "{other}: An administrator had Janus check your account.",
    sessions_purged: "{other}: An administrator signed you out.",
    unlinked: "{other}: An administrator removed your link.",
    imported: "{other}: An administrator imported your link.",
    adopted: "{other}: An administrator took your link over from another program.",
    banned: "{other}: An administrator banned you from linking.",
    ban_lifted: "{other}: An administrator lifted a ban of yours.",
  },
  /** The page of administrators. */
  admin: {
    title: "Administration",
    signInTitle: "Sign in as an administrator",
    signInLead:
      "This page is for administrators of {platform}. Sign in at {platform} to use it. A sign-in lasts for one hour.",
    signInButton: "Sign in at {platform}",
    refusedTitle: "You cannot use this page",
    refusedWhy: "According to {platform}, you are not an administrator.",
    refusedNow:
      "If you think this is wrong, contact {contact}. If your rights have just been changed, sign in again.",
    signedInAs: "Signed in as {other}",
    /** `{other}` is when. */
    until: "until {other}",
    overview: "Overview",
    members: "Members",
    member: "Member",
    signOut: "Sign out",
    noLinkTitle: "This member has no link",
    noLink: "There is no link of this Discord account. The member, or somebody else, may have removed it.",
    search: "Part of a name or an ID",
    searchButton: "Search",
    state: "State",
    anyState: "Any state",
    onlyFailing: "Only links whose last check or update failed",
    /** `{other}` is the code of an error. */
    onlyCode: "Only links whose last check or update failed with {other}",
    /** The states of a link. */
    states: {
      told: "up to date",
      waiting: "waiting for Discord",
      losing: "about to lose something",
      disconnected: "removed in Discord by the member",
      cleared: "without roles",
    },
    linksTitle: "Links",
    all: "all",
    attentionTitle: "Needs attention",
    nothing: "Nothing needs attention.",
    attention: {
      check_overdue: "Checks that have been overdue for more than an hour",
      push_overdue: "Updates that Discord has not received for more than an hour",
      loss_overdue: "Removed roles of which Discord has not been told for more than an hour",
      losses_held: "Roles that are kept, because many members would lose something",
      key_missing: "Keys that are missing from TOKEN_KEYS",
      backup_old: "The last backup is more than 8 days old",
    },
    weekTitle: "The last 7 days",
    week: {
      begun: "Members who came back from Discord",
      finished: "Members who linked their accounts, or renewed their link",
      notAdmitted: "Members whom the rules did not let in",
      unlinked: "Links that ended",
      signedIn: "Sign-ins to the account page",
      pushed: "Updates that Discord received",
      cleared: "Role connections that were cleared",
      pushesFailed: "Updates that failed",
      discordGrantsEnded: "Links whose access to Discord ended",
      providerGrantsEnded: "Links whose access to {platform} ended",
    },
    syncTitle: "Updates",
    checksDue: "Checks that are due",
    pushesDue: "Updates that are due",
    /** `{other}` is when. */
    oldest: "the oldest since {other}",
    stopped: "Janus does not ask this server until {other}",
    brakeTitle: "Held changes",
    brakeFree: "No changes are held.",
    /** `{other}` is when. */
    brakeHeld:
      "Since {other}, Janus holds back changes by which members lose roles, because it found unusually many of them.",
    brakeWaiting: "Links that would lose something",
    brakeQuestion: "Release the held changes?",
    brakeLead:
      "Discord is told within a minute, and these members lose roles. First make sure that {platform} really says so: look at a few of the members.",
    brakeButton: "Release",
    failingTitle: "Failed checks and updates by code",
    failingNone: "No check or update has failed.",
    listTitle: "Members",
    listNone: "No links found.",
    listMore: "Next page",
    listFirst: "First page",
    /** Shown if the search ended before the last link. */
    listPart: "There may be more. The search goes on with the next page.",
    name: "Name at {platform}",
    subject: "ID at {platform}",
    discordId: "Discord ID",
    linkedAt: "Linked",
    checkedAt: "Last check",
    nextCheck: "Next check",
    pushedAt: "Last update at Discord",
    nextPush: "Next update",
    failures: "Failures in a row",
    never: "never",
    none: "none",
    sessions: "Sign-ins to the account page",
    roleLeft: "May have kept a role since",
    tokens: "Access",
    tokenUntil: "expires {other}",
    tokenEnded: "ended {other}",
    tokenRefresh: "renewed automatically",
    tokenNoRefresh: "not renewed automatically",
    whyTitle: "Roles, and why",
    admitted: "May link",
    username: "Name on Discord",
    discordHas: "Discord has: {other}",
    rulesSay: "The rules say: {other}",
    unknown: "unknown, because {other} is missing",
    error: "an error: {other}",
    noRule: "no rule any more",
    yes: "yes",
    no: "no",
    trailTitle: "Recent events",
    byOperator: "by {other}",
    changeTitle: "Change",
    sync: "Check and update now",
    endSessions: "Sign the member out",
    unlink: "Remove the link",
    ban: "Ban",
    back: "Back",
    sessionsQuestion: "Sign this member out everywhere?",
    sessionsLead: "Their link and their roles stay.",
    unlinkQuestion: "Remove this link?",
    unlinkLead: "The member loses the roles that depend on it, and is signed out. They can link again.",
    banQuestion: "Ban this member?",
    banLead:
      "Neither account can be linked until the ban ends. The link ends now, with the roles, and the member is signed out.",
    reason: "Reason, for administrators only (optional)",
    unlinkReason: "Reason, which the member can read in their data (optional)",
    banEnd: "How long",
    banEnds: { never: "until it is lifted", week: "for a week", month: "for 30 days", year: "for a year" },
    bansTitle: "Bans",
    bansNone: "Nobody is banned.",
    bansLead: "These accounts cannot be linked. Open one to lift its ban.",
    banAccount: "Account {other}",
    banSince: "since {other}",
    banUntil: "until {other}",
    banNoEnd: "until it is lifted",
    bannedAt: "Banned",
    bannedBy: "By",
    banReason: "Reason",
    lift: "Lift the ban",
    liftQuestion: "Lift this ban?",
    liftLead:
      "This account can then be linked again. Nothing is linked by that: the member follows the link once more. If the member's other account is banned too, that ban stays.",
    visible:
      "Every look at a member and every change is recorded with your name. The member sees that it happened, and when.",
    notices: {
      synced: "Done. Nothing had changed.",
      sync_changed: "Done. Something had changed, and Discord has been updated.",
      sync_held: "Many members would lose roles, so this one keeps them for now.",
      sync_provider_silent: "{platform} did not respond. Janus will try again automatically.",
      sync_not_readable:
        "The account at {platform} could not be checked. Only a new sign-in of the member helps.",
      sync_sign_in: "Janus no longer has access to the account. Only a new sign-in of the member helps.",
      sync_failed: "Discord could not be updated just now. Janus will try again automatically.",
      sync_too_soon: "This was done less than a minute ago. Wait a minute, then try again.",
      unlinked: "The link has been removed.",
      unlinked_later: "The link has been removed. Discord will be told as soon as it responds.",
      unlinked_role: "The link has been removed. Discord did not remove the role: remove it by hand.",
      banned: "The ban is in force.",
      banned_later: "The ban is in force. Discord will be told as soon as it responds.",
      banned_role: "The ban is in force. Discord did not remove the role: remove it by hand.",
      ban_lifted: "The ban has been lifted.",
      ban_over: "This ban is no longer in force.",
      sessions_ended: "The member is signed out.",
      released: "The held changes have been released. Discord is told within a minute.",
      reason_refused:
        "Nothing has been changed: the reason has over 500 characters, or some that cannot be seen.",
    },
  },
  sessions: {
    title: "Your data and devices",
    onlyThis: "You are signed in on this device only.",
    current: "this device",
    unknownDevice: "Unknown device",
    /** A browser and the system it runs on, such as Firefox on Linux. */
    browser: "{browser} on {system}",
    /** What a screen reader says for the button *Sign out* of another browser. It begins with the button's text. */
    end: "Sign out on {browser}",
    endUnknown: "Sign out on the unknown device",
    createdAt: "Signed in: {other}",
    lastUsedAt: "Last used: {other}",
  },
  signIn: {
    title: "Sign in to your account",
    lead: "Sign in with Discord to see your linked Discord and {platform} accounts, unlink them or download your data.",
  },
  unlink: {
    title: "Unlink these accounts?",
    lead: "This is what happens if you unlink these accounts:",
    ends: [
      "You lose the Discord roles you got through {platform}.",
      "Janus no longer has access to your Discord and {platform} accounts.",
      "Janus deletes the link and what it has saved about your {platform} account.",
      "You are signed out of Janus on all devices.",
    ],
    stays:
      "Your Discord and {platform} accounts themselves stay as they are. You can link them again whenever you like.",
  },
  unlinked: {
    title: "Your accounts are no longer linked",
    finished:
      "Discord will remove the roles you got through {platform}. Janus has deleted the link and what it had saved about your {platform} account. You are signed out on all devices.",
    roleMayStay:
      "Janus has deleted the link and what it had saved about your {platform} account. You are signed out on all devices. However, Janus could not remove your role on Discord. If you still have it, you can remove it yourself: open User Settings in Discord, then Authorized Apps, and choose Deauthorize next to this app. You can also ask {contact} to remove it.",
    pending:
      "Janus has removed your link and signed you out, but Discord could not be updated just now. You keep your roles until Janus has been able to update Discord. Janus will keep trying. If you still have a role tomorrow, open User Settings in Discord, then Authorized Apps, and choose Deauthorize next to this app.",
    again: "You can link your accounts again whenever you like.",
  },
  another: {
    title: "Use another account",
    lead: "You will sign in to Discord and {platform} again and choose which accounts to link.",
    atDiscord: "To use another Discord account, click {other} on Discord's page.",
    /** Discord's label for the button on its authorization page. */
    notYou: "Not you?",
    atProvider: "To use another {platform} account, sign in with it when {platform} asks you to sign in.",
    asksFirst:
      "If one of the accounts is already linked to a different account, Janus asks you before it changes anything.",
  },
  /** The explanation at the top of the file with the member's data. `present` and `absent` are words of the file. */
  export: {
    about: [
      "This file contains everything that Janus has saved about you.",
      "{platform} is responsible for this data. If you have questions about it, contact {platform}.",
      'Where the file says "present", Janus has saved a secret, such as access to your Discord account. The secret itself is left out for your security. "absent" means that Janus has no such secret.',
      "All times are in UTC.",
    ],
  },
  about: {
    title: "About Janus",
    lead: "Janus links your Discord account to your {platform} account and tells Discord what your roles depend on, such as whether you are a member. {platform} runs this service.",
    never: "Janus never sees your passwords, and it cannot read your messages on Discord.",
    storesTitle: "What Janus saves",
    stores: [
      "Your Discord account: its ID, username and display name.",
      "Your {platform} account: its ID, username and name, and what your roles depend on, such as groups.",
      "When you linked the accounts, and what Janus has told Discord about you.",
      "The access that you gave Janus to both accounts. It is encrypted.",
      "Where you are signed in: the kind of browser, and when you used it.",
      "A history: when your accounts were linked, updated and unlinked, or could not be linked, with the IDs of both and what changed on Discord. It also says when an administrator looked at your link or changed it.",
    ],
    log: "The server also keeps a log to find faults. It may contain your Discord ID, but not your name. It contains an IP address only if that address sends too many requests or passes on requests for others.",
    keepsTitle: "For how long",
    keeps: [
      "The link, and what is saved about both accounts: until you unlink.",
      "A sign-in: until you sign out, for at most 30 days. It ends after 7 days if you do not use it. If your accounts are not linked, what is saved about your Discord account is deleted with your last sign-in.",
      "A link that you began and did not finish: about an hour.",
      "A role that Janus could not remove when you unlinked: your Discord ID for up to 400 days, so that it can be removed later.",
      "The history: while your accounts are linked. After that, Janus deletes what is older than {other} days.",
      "The log and backups: {platform} decides how long to keep them.",
    ],
    deleteTitle: "How to have it deleted",
    unlink:
      "Unlink your accounts. Janus then deletes the link, what it has saved about your {platform} account, and your sign-ins. It deletes what it has saved about your Discord account as soon as Discord has been told.",
    ask: "If you cannot sign in, or if you have questions about the rest, ask {contact}.",
    /** Shown if the operator has set where the privacy policy is. `{other}` is a link to it. */
    policy: "{other} says more about how {platform} handles your data.",
    policyName: "The privacy policy",
  },
  /** The end of every page. */
  footer: {
    runBy: "Janus is run by {platform}.",
    about: "About Janus",
    privacy: "Privacy policy",
    support: "Contact {platform}",
  },
  /**
   * One text for each public error code. Programs read `title` and `why` as the `detail` of a problem document. `now` is for
   * the page alone, which has the buttons and the request ID that it mentions.
   */
  errors: {
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
    banned: {
      title: "You may not link your accounts",
      why: "{platform} has decided that your Discord account, or your account at {platform}, may not be linked.",
      now: "Trying again will not help. If you think this is a mistake, contact {contact} and quote the request ID below.",
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
      now: "Wait a while, then start again. If it still fails after half an hour, contact {contact} and quote the request ID below.",
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
      now: `${LATER} If you still see this page after a few minutes, contact {contact}.`,
    },
  } satisfies ErrorTexts,
};

/** Everything that is said in one language. */
export type Texts = typeof en;

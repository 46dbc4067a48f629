/**
 * The English of every page. Its type is the shape of every other language.
 *
 * The error pages are in `en_errors.ts`: they are as long as all other pages together, and only `error.tsx` shows them.
 *
 * Placeholders: `{platform}` is the organisation, `{contact}` is the same where a text tells the member to ask it: it leads
 * to where they can ask, if the operator has set that. It does not stand in titles. `{link}` is Discord's own *Link* button, and `{other}` is a value that
 * the page puts in, such as a time or an account. The texts never mention tokens, keys or other internals.
 */
import { errorsEn } from "./en_errors.ts";

/** A sentence for each metadata record, by its key. `{other}` is yes or no. */
const facts: Readonly<Record<string, string>> = { dsek_member: "Member of {platform}: {other}" };

/** The English texts. */
export const en = {
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
  linked: {
    title: "Your accounts are linked",
    now: "One step left: get your role in Discord.",
    later:
      "Your link is saved, but Discord could not be updated just now. Janus will try again automatically. Wait a few minutes. Then get your role in Discord.",
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
    synced: "Done. Discord has been updated.",
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
    facts,
    lastTold: "Last update: {other}",
    nextCheck: "Next update: {other}",
    noCheck: "No further update is needed",
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
      "You do not get roles that need a {other} where it says no above. If you had such a role, Discord removes it.",
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
    lead: "Janus links your Discord account to your {platform} account and tells Discord whether you are a member, so that you get the right roles. {platform} runs this service.",
    never: "Janus never sees your passwords, and it cannot read your messages on Discord.",
    storesTitle: "What Janus saves",
    stores: [
      "Your Discord account: its ID, username and display name.",
      "Your {platform} account: its ID, username, name and groups.",
      "When you linked the accounts, and what Janus has told Discord about you.",
      "The access that you gave Janus to both accounts. It is encrypted.",
      "Where you are signed in: the kind of browser, and when you used it.",
      "A history: when your accounts were linked, updated and unlinked, with the IDs of both.",
    ],
    log: "The server also keeps a log to find faults. It may contain your Discord ID, but not your name. It contains an IP address only if that address sends too many requests or passes on requests for others.",
    keepsTitle: "For how long",
    keeps: [
      "The link, and what is saved about both accounts: until you unlink.",
      "A sign-in: until you sign out, for at most 30 days. It ends after 7 days if you do not use it. If your accounts are not linked, what is saved about your Discord account is deleted with your last sign-in.",
      "A link that you began and did not finish: about an hour.",
      "A role that Janus could not remove when you unlinked: your Discord ID for up to 400 days, so that it can be removed later.",
      "The history: Janus does not delete it. {platform} decides how long to keep it, and how long to keep the log and backups.",
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
  errors: errorsEn,
};

/** Everything that is said in one language. */
export type Texts = typeof en;

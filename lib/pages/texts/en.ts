/**
 * The English of every page. Its type is the shape of every other language.
 *
 * The error pages are in `en_errors.ts`: they are as long as all other pages together, and only `error.tsx` shows them.
 *
 * Placeholders: `{platform}` is the organisation, `{link}` is Discord's own *Link* button, and `{other}` is a value that
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
    now: "One step left: go back to Discord, open Linked Roles in the server menu and click {link}. Discord gives you the role only after that.",
    later:
      "Your link is saved, but Discord could not be updated just now. Janus will try again automatically. Wait a few minutes. Then go back to Discord, open Linked Roles in the server menu and click {link}.",
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
      "If you cancelled, you can try again whenever you like. If you did not, ask {platform} why and quote the request ID below.",
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
  /** The member did not want to change which accounts are linked. */
  kept: {
    title: "Nothing has been changed",
    lead: "Your accounts are linked as before. Your account page shows which accounts are linked.",
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
    synced: "Done. Discord has been updated.",
    sync_failed:
      "Discord could not be updated just now. Nothing has been lost, and Janus will try again automatically.",
    sync_too_soon: "You did this less than a minute ago. Wait a minute, then try again.",
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
      "Janus has deleted the link and what it had saved about your {platform} account. You are signed out on all devices. However, Janus could not remove your role on Discord. If you still have it, you can remove it yourself: open User Settings in Discord, then Authorized Apps, and choose Deauthorize next to this app. You can also ask {platform} to remove it.",
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
  errors: errorsEn,
};

/** Everything that is said in one language. */
export type Texts = typeof en;

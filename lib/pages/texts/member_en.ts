/**
 * What the member's account pages say, in English; its shape is what every language must have. Called by
 * `account.tsx` alone. `{platform}` and `{link}` stand for what they stand for in `en.ts`, `{other}` for a time, an
 * answer or a button's name. Nothing here speaks of tokens, keys or other internals.
 */

/** Everything that the account pages say in one language, beyond what they share with the other pages. */
export type AccountTexts = {
  readonly buttons: {
    readonly sync: string;
    readonly unlink: string;
    readonly useAnother: string;
    readonly export: string;
    readonly logOut: string;
    readonly endOthers: string;
    readonly back: string;
    readonly confirmUnlink: string;
    readonly keepLink: string;
    readonly confirmAnother: string;
  };
  readonly account: {
    readonly title: string;
    readonly discordSilent: string;
    /** Stands where the organisation's account would, when there is no link. */
    readonly noAccount: string;
    readonly linkedSince: string;
  };
  readonly notices: Readonly<Record<"synced" | "sync_failed" | "sync_too_soon" | "sessions_ended", string>>;
  readonly role: {
    readonly title: string;
    readonly yes: string;
    readonly no: string;
    /** A sentence for each metadata record, by its key; `{other}` is yes or no. */
    readonly facts: Readonly<Record<string, string>>;
    readonly lastTold: string;
    readonly nextCheck: string;
    readonly noCheck: string;
    /** An earlier link has ended, and its role connection could not be cleared. */
    readonly mayStay: string;
    readonly notLinked: string;
    readonly notTold: string;
    /** Said after a failure: Discord holds an older answer, which stands above. */
    readonly outdated: string;
    readonly nextTry: string;
    readonly noTry: string;
    readonly knows: string;
    /** Said where a record holds. */
    readonly given: string;
    /** Said where a record does not hold. */
    readonly withheld: string;
  };
  readonly link: { readonly title: string };
  readonly sessions: {
    readonly title: string;
    readonly onlyThis: string;
    readonly current: string;
    readonly unknownDevice: string;
    readonly createdAt: string;
    readonly lastUsedAt: string;
  };
  readonly signIn: { readonly title: string; readonly lead: string };
  readonly unlink: {
    readonly title: string;
    readonly lead: string;
    readonly ends: readonly string[];
    readonly stays: string;
  };
  readonly unlinked: {
    readonly title: string;
    readonly finished: string;
    readonly roleMayStay: string;
    readonly pending: string;
    readonly again: string;
  };
  readonly another: {
    readonly title: string;
    readonly lead: string;
    readonly atDiscord: string;
    /** The words on Discord's own page. */
    readonly notYou: string;
    readonly atProvider: string;
    readonly asksFirst: string;
  };
};

/** The English texts. */
export const accountEn: AccountTexts = {
  buttons: {
    sync: "Sync now",
    unlink: "Unlink",
    useAnother: "Use another account",
    export: "Download my data",
    logOut: "Log out",
    endOthers: "End all other sign-ins",
    back: "Back to my account",
    confirmUnlink: "Unlink my accounts",
    keepLink: "Keep the link",
    confirmAnother: "Go on and choose",
  },
  account: {
    title: "Your account here",
    discordSilent: "Discord is not answering right now. What stands here is what it said last.",
    noAccount: "No account is linked",
    linkedSince: "Linked since {other}.",
  },
  notices: {
    synced: "Done: Discord has just been told how things are.",
    sync_failed:
      "Discord did not take the update just now. Nothing has been lost, and Janus tries again by itself.",
    sync_too_soon: "That was done less than a minute ago. Wait a minute, then try again.",
    sessions_ended: "All your other sign-ins have ended.",
  },
  role: {
    title: "Your role on Discord",
    yes: "yes",
    no: "no",
    facts: { dsek_member: "You are listed as a member at {platform}: {other}" },
    lastTold: "Discord was last told: {other}",
    nextCheck: "Next check: {other}",
    noCheck: "Next check: none is planned",
    mayStay:
      "An earlier link of yours has ended, but Janus could not tell Discord. If you still have a role from that link, you can remove it yourself: in Discord, open User Settings, then Authorized Apps, and deauthorize this app. Or link your accounts again: Janus can then clear the old role.",
    notLinked: "Your accounts are not linked, so Discord gives you no role through {platform}.",
    notTold: "Discord has not been told about you yet, so it gives you no role.",
    outdated: "Discord has not taken the latest update yet: what stands above is what it knew before.",
    nextTry: "Janus tries by itself: {other}.",
    noTry: "Press {other} to tell it now.",
    knows: "Discord knows this.",
    given:
      "It gives you the role when you press {link} under Linked Roles in Discord. If you have pressed it already, there is nothing left to do.",
    withheld: "A role that asks for what is answered with no is not given, or is taken away again.",
  },
  link: { title: "Your link" },
  sessions: {
    title: "Your data and sign-ins",
    onlyThis: "You are signed in on this device only.",
    current: "this one",
    unknownDevice: "Unknown device",
    createdAt: "Signed in: {other}",
    lastUsedAt: "Last used: {other}",
  },
  signIn: {
    title: "See what is linked to you",
    lead: "Sign in with Discord to see your link to {platform}, to download what Janus keeps about you, or to undo the link.",
  },
  unlink: {
    title: "Do you want to unlink your accounts?",
    lead: "If you unlink these accounts:",
    ends: [
      "you lose the roles that you have on Discord through {platform}",
      "Janus may no longer act for you at Discord or at {platform}",
      "what Janus has saved for the link, and what {platform} has told it about you, is deleted",
      "you are signed out here, on every device",
    ],
    stays:
      "Your accounts at Discord and {platform} stay as they are, and you can link them again whenever you like.",
  },
  unlinked: {
    title: "Your accounts are no longer linked",
    finished:
      "Discord has been told, and takes away the roles that you had through {platform}. Janus has deleted the link and what it knew of your account there, and you are signed out.",
    roleMayStay:
      "Janus has deleted the link and what it knew of your account at {platform}, and you are signed out. Janus could not take back your role in Discord. If you still have it, you can remove it yourself: in Discord, open User Settings, then Authorized Apps, and deauthorize this app. Or ask {platform} to remove it.",
    pending:
      "Janus has removed your link and signed you out. Discord did not answer just now, so you keep your roles for the moment. Janus tries again by itself, and Discord removes the roles when it answers. If you still have a role tomorrow, open User Settings in Discord, then Authorized Apps, and deauthorize this app.",
    again: "You can link your accounts again whenever you like.",
  },
  another: {
    title: "Use another account",
    lead: "You sign in on both sides once more, and choose the accounts that are to be linked.",
    atDiscord: "To use another Discord account, press {other} on Discord's page.",
    notYou: "Not you?",
    atProvider:
      "To use another account at {platform}, sign in with that one: {platform} asks you to sign in again.",
    asksFirst: "If one of them is linked already, Janus asks you before it moves a link.",
  },
};

/**
 * The English of the commands in Discord. Its type is the shape of every other language.
 *
 * Placeholders: `{platform}` is the organisation, `{member}` the one who was asked about, `{url}` an address of Janus,
 * `{other}` a value that the answer puts in, such as a time or a name. What is put in may be anybody's, and is escaped.
 */

/** The English texts. */
export const en = {
  /** Descriptions, at most 100 characters each. */
  commands: {
    janus: "Your link to your organisation",
    janusOfAdmins: "Links of members to your organisation",
    status: "Show your own link, to you alone",
    whois: "Show the link of a member, to you alone. The member can see that an admin has looked",
    member: "The member to look at",
  },
  linkedSelf: "Your Discord account has been linked to your {platform} account since {other}.",
  linked: "{member} has been linked to a {platform} account since {other}.",
  unlinkedSelf: "Your Discord account is not linked to a {platform} account. You can link it here: {url}",
  unlinked: "{member} is not linked to a {platform} account.",
  /** The name that Discord was told. */
  name: "Name at {platform}: {other}",
  records: "What Discord knows through {platform}:",
  yes: "yes",
  no: "no",
  notKnown: "not known",
  /** Below the records. */
  states: {
    told: "Discord has received the latest update.",
    waiting: "Discord has not received the latest update yet. Janus tries again automatically.",
    losing: "With one of the next updates, something above is taken back.",
    cleared: "Discord gives no roles through {platform} now.",
    disconnected: "Discord gives no roles through {platform} now.",
  },
  /** How the link is kept true, where something is to be said about it. `{other}` is since when, or until when. */
  sync: {
    check_failing: "The last check of the {platform} account failed. Janus tries again automatically.",
    not_readable:
      "Janus cannot check the {platform} account automatically. A new sign-in helps if something has changed.",
    grace:
      "Janus has no access to the {platform} account any more. The roles stay until {other}, and longer after a new sign-in.",
    ended:
      "Janus has had no access to the {platform} account since {other}. A new sign-in brings the roles back.",
    gone: "On {other}, {platform} told Janus that the membership has ended.",
    held: "Many members would lose something, which may be a mistake. So nothing is taken back for now.",
    disconnected:
      "The connection to Janus was removed in the Discord settings. Janus noticed this on {other}.",
    discord_ended: "Discord has not let Janus update the roles since {other}. A new sign-in helps.",
    deauthorized:
      "Janus was removed from the authorized apps in Discord on {other}. A new sign-in brings the roles back.",
  },
  /** Below one's own link. */
  ownPage: "Your page has more, and everything that you can do: {url}",
  /** Below the link of somebody else. */
  seen: "The member can see that an admin has looked.",
  noMember: "{member} is not a member of this server.",
  notHere:
    "Janus does not show links of members in this server. The operator of Janus chooses the servers in which it does.",
  notAllowed: "To look at the links of others, you need the permission Manage Server here.",
  slow: "Janus cannot answer right now. Try again in a minute.",
  repeated: "Janus has answered this command already. Send it again.",
  unknown: "Janus does not know this command. Discord may show an old one: reload Discord, and try again.",
};

/** The shape of the texts of a language. */
export type Texts = typeof en;

/**
 * Issuers at which anybody can have an account: everybody on earth is a member there, and gets the role. One table; an
 * issuer is found by its host, and by the first part of its path where the same host serves single organisations too.
 */

type Open = {
  readonly hosts: readonly string[];
  /** Of the path's first part, in lower case; without it, the whole host is open. */
  readonly tenants?: readonly string[];
  readonly account: string;
  /** What to do about it; for the others, a provider of one's own is all that there is. */
  readonly remedy?: string;
};

const OWN_PROVIDER = "Use a provider that your organisation's members alone have accounts at.";

const ENTRA_REMEDY = "Use the issuer of your own tenant: https://login.microsoftonline.com/<tenant id>/v2.0.";

const OPEN: readonly Open[] = [
  {
    hosts: ["accounts.google.com"],
    account: "a Google account",
    remedy:
      "Make the client's audience at Google Internal, which lets in your Workspace alone; Janus cannot see whether it is. " +
      "hd in OIDC_AUTHORIZE_PARAMS only suggests an account.",
  },
  {
    hosts: [
      ...["login.microsoftonline.com", "login.microsoftonline.us", "login.partner.microsoftonline.cn"],
      ...["login.windows.net", "login.microsoft.com", "sts.windows.net"],
    ],
    // The consumers' tenant has an id as well; the last is what the documents of the first two call their issuer.
    tenants: ["common", "organizations", "consumers", "9188040d-6c67-4c5b-b112-36a304b66dad", "{tenantid}"],
    account: "a Microsoft account",
    remedy: ENTRA_REMEDY,
  },
  { hosts: ["login.live.com"], account: "a Microsoft account", remedy: ENTRA_REMEDY },
  { hosts: ["gitlab.com"], account: "a GitLab.com account" },
  { hosts: ["github.com"], account: "a GitHub account" },
  { hosts: ["appleid.apple.com", "account.apple.com"], account: "an Apple account" },
  { hosts: ["www.facebook.com", "facebook.com", "limited.facebook.com"], account: "a Facebook account" },
  { hosts: ["discord.com"], account: "a Discord account" },
  { hosts: ["www.linkedin.com"], account: "a LinkedIn account" },
  { hosts: ["id.twitch.tv"], account: "a Twitch account" },
  { hosts: ["slack.com"], account: "a Slack account" },
  { hosts: ["api.login.yahoo.com", "auth.login.yahoo.co.jp"], account: "a Yahoo account" },
  { hosts: ["access.line.me"], account: "a LINE account" },
  { hosts: ["kauth.kakao.com"], account: "a Kakao account" },
  { hosts: ["www.paypal.com", "www.paypalobjects.com"], account: "a PayPal account" },
  { hosts: ["login.salesforce.com"], account: "a Salesforce account" },
  { hosts: ["orcid.org"], account: "an ORCID iD" },
  { hosts: ["huggingface.co"], account: "a Hugging Face account" },
  { hosts: ["codeberg.org"], account: "a Codeberg account" },
  { hosts: ["app.simplelogin.io"], account: "a SimpleLogin account" },
];

/** A sentence where the issuer is one of these. */
export function findOpenIssuer(issuer: string): readonly string[] {
  const { hostname, pathname } = new URL(issuer);
  // A name with a dot behind it is the same host, and servers pass over empty parts of a path.
  const host = hostname.replace(/\.$/, "");
  const [tenant = ""] = decodePath(pathname).split("/").filter(Boolean);
  const open = OPEN.find(
    ({ hosts, tenants }) =>
      hosts.includes(host) && (tenants === undefined || tenants.includes(tenant.toLowerCase())),
  );
  if (open === undefined) return [];
  const { account, remedy = OWN_PROVIDER } = open;
  return [
    `OIDC_ISSUER is open to everybody: anybody with ${account} can link it and counts as a member. ${remedy}`,
  ];
}

/** The path without percent-encoding; as it is where that is malformed, which no issuer of the table is. */
function decodePath(pathname: string): string {
  try {
    return decodeURIComponent(pathname);
  } catch {
    return pathname;
  }
}

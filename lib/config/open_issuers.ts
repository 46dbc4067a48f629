/**
 * A table of issuers at which anybody can have an account, so that everybody counts as a member and gets the role. An issuer
 * is found by its host. Where the same host also serves single organisations, the first part of the path counts as well.
 */

type Open = {
  readonly hosts: readonly string[];
  /** The first part of the path, in lower case. Without this list the whole host is open. */
  readonly tenants?: readonly string[];
  readonly account: string;
  /** What to do instead of using another provider. */
  readonly remedy?: string;
};

const OWN_PROVIDER = "Use a provider at which only your organisation's members have accounts.";
const ENTRA_REMEDY = "Use the issuer of your own tenant: https://login.microsoftonline.com/<tenant id>/v2.0.";

const OPEN: readonly Open[] = [
  {
    hosts: ["accounts.google.com"],
    account: "a Google account",
    remedy:
      "At Google set the client's audience to Internal, which lets in only your Workspace. Janus cannot see that setting. " +
      "hd in OIDC_AUTHORIZE_PARAMS only suggests an account.",
  },
  {
    hosts: [
      ...["login.microsoftonline.com", "login.microsoftonline.us", "login.partner.microsoftonline.cn"],
      ...["login.windows.net", "login.microsoft.com", "sts.windows.net"],
    ],
    // The consumers' tenant also has an id. The discovery documents of the first two name the last one as their issuer.
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

/** Warns of an issuer in the table. */
export function findOpenIssuer(issuer: string): readonly string[] {
  const { hostname, pathname } = new URL(issuer);
  // A name with a dot at its end is the same host, and servers ignore empty parts of a path.
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

/** The path without percent-encoding. A malformed path stays as it is, and is not in the table. */
function decodePath(pathname: string): string {
  try {
    return decodeURIComponent(pathname);
  } catch {
    return pathname;
  }
}

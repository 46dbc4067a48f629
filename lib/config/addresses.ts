/** The addresses of Janus that an operator enters at other servers. Each is compared there character by character. */

/** Where Discord and the provider send members. */
export type Addresses = {
  readonly discordCallback: string;
  readonly login: string;
  readonly linkedRole: string;
  readonly providerCallback: string;
  readonly backChannelLogout: string;
  readonly discordEvents: string;
  readonly discordInteractions: string;
  readonly recheckHook: string;
  readonly scim: string;
};

/** The addresses of a Janus at this public URL. */
export const addressesOf = (publicUrl: string): Addresses => ({
  discordCallback: `${publicUrl}/discord-oauth-callback`,
  login: `${publicUrl}/login`,
  linkedRole: `${publicUrl}/linked-role`,
  providerCallback: `${publicUrl}/dsek-oauth-callback`,
  backChannelLogout: `${publicUrl}/oidc/backchannel-logout`,
  discordEvents: `${publicUrl}/discord/events`,
  discordInteractions: `${publicUrl}/discord/interactions`,
  recheckHook: `${publicUrl}/hooks/recheck`,
  scim: `${publicUrl}/scim/v2`,
});

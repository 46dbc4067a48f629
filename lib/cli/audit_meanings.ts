/** The findings of `janus audit` in words. It prints nothing itself. */
import { STOP_REMEDIES } from "../sync/stops.ts";

/** What each kind means, and what to do about it. */
export const MEANINGS: Readonly<Record<string, string>> = {
  role_connection_left:
    "Discord may still give these members a role, and Janus has no token to clear it. Remove the role by hand, then run janus audit --resolved with the id. If a member links again, Janus clears it.",
  grant_end_failing: "Discord has not ended these grants. The log says why; Janus tries again.",
  refresh_unanswered:
    "The answer to a refresh of these tokens was lost. If the next refresh fails, the member must follow the link again.",
  discord_grant_ended:
    "Discord has ended what Janus may do for these members, for example because they removed Janus from their authorized apps; or their links were imported without tokens. Janus cannot tell Discord what changes for them. If they want their roles kept up to date, they sign in again; their page says so.",
  role_connection_clear_failing:
    "Discord has not cleared the role connection of an earlier link of these members. Janus tries again.",
  provider_grant_end_failing: "The provider has not ended these grants. The log says why; Janus tries again.",
  push_failing: "Pushes for these members keep failing. The log says why; Janus tries again.",
  push_overdue:
    "These pushes have been due for more than an hour. Is a Janus server running on this database?",
  link_without_tokens:
    "Janus has no refresh token of the provider for these members, so it cannot read their claims again, and they keep what they had. If these are nearly all members, see docs/providers.md for how to get refresh tokens. Otherwise ask these members to sign in again.",
  provider_grant_in_grace:
    "The provider has ended what Janus may do for these members, for example because an account was disabled, or because somebody signed out everywhere. They keep the role for GRACE_DAYS. If they still belong to you, ask them to sign in again; their page does.",
  provider_grant_ended:
    "The provider has ended what Janus may do for these members, and the grace is over: their role connection is cleared unless the brake holds that, and the link is kept. If they still belong to you, ask them to sign in again. Otherwise you need do nothing.",
  provider_grant_lost:
    "An answer of the provider was lost, and with it the refresh token of these members. They keep the role, and their claims are not read again. Ask them to sign in again.",
  check_overdue:
    "The claims of these members should have been read again more than an hour ago. Is a Janus server with SYNC=on running on this database, and does the provider answer it? janus sync reads them now, and says why it cannot.",
  claims_old:
    "The claims of these members are older than twice SYNC_EVERY_HOURS, so their role may be out of date. The other findings say why, or the log does: look for claims_not_read.",
  losses_held:
    "These members would lose something, and the brake holds it because they are many. Look at what has changed at the provider or in the rules. If the losses are right: janus sync --release shows how many, and asks.",
  loss_overdue:
    "Discord should have been told more than an hour ago what these members lose. Is a Janus server with SYNC=on running on this database?",
  drift:
    "For these members Discord had something else than Janus had told it, or Janus could not ask Discord for twice RECONCILE_DAYS. Janus tells Discord again, and asks again at the next check. If a member stays here, the log says why: look for role_connection_not_read and role_connection_not_pushed.",
  disconnected:
    "These members have removed the connection in Discord. Janus leaves it so. To have the role again, they follow the link once more, or press Sync now on their page.",
  events_refused:
    "Within a week Janus has refused events of these senders: their signature or token is wrong, or they are malformed. If they are yours, compare their secret with the one of Janus; docs/doorbells.md says which. Otherwise somebody tries, and you need do nothing.",
  key_missing:
    "TOKEN_KEYS does not open tokens that these keys have sealed, so Janus can do nothing for the members whose tokens they are. Add the keys that are missing to the end of TOKEN_KEYS, under the ids that they had.",
  stray_token_failing: "Janus could not revoke these tokens of failed sign-ins. It tries again.",
  address_blocked: `A page came in place of an answer, so this address seems to be blocked. Upkeep asks nothing until then; members sign in as always. ${STOP_REMEDIES.address_blocked}`,
  global_limit: `Discord asks all calls of the application to wait. Upkeep asks nothing until then; members sign in as always. ${STOP_REMEDIES.global_limit}`,
  too_many_refusals: `Discord has refused so many calls that upkeep asks nothing until then; members sign in as always. ${STOP_REMEDIES.too_many_refusals}`,
};

/** GET /oauth2/@me: whose access token it is, and whether it is ours and has the scopes that are needed. */
import * as v from "valibot";
import { discordRefused, discordUnavailable, scopeMissing } from "../errors.ts";
import { parseJson } from "../oauth/upstream.ts";
import { cleanName, readName } from "../text/shown_name.ts";
import type { DiscordOptions, DiscordUser } from "./client.ts";
import type { Caller } from "./retries.ts";

/** Pictures for members who have chosen none. https://discord.com/developers/docs/reference#image-formatting */
const DEFAULT_AVATARS = 6n;

const snowflake = v.pipe(v.string(), v.regex(/^[0-9]{1,20}$/));
/** Discord's own limits on names, with room. */
const displayName = v.pipe(v.string(), v.maxLength(200), v.transform(cleanName));

/** The part of the answer that Janus reads. */
const currentAuthorization = v.object({
  application: v.object({ id: snowflake }),
  scopes: v.array(v.string()),
  // Absent where the grant lacks the scope `identify`.
  user: v.optional(
    v.object({
      id: snowflake,
      username: displayName,
      global_name: v.nullish(displayName),
      avatar: v.nullish(v.pipe(v.string(), v.regex(/^[A-Za-z0-9_]{1,64}$/))),
    }),
  ),
});

/** Finds whose token it is. Throws scope_missing, grant_ended, discord_refused where it is another application's. */
export async function findUser(
  call: Caller,
  { clientId, cdnUrl }: Pick<DiscordOptions, "clientId" | "cdnUrl">,
  accessToken: string,
  scopesNeeded: readonly string[],
): Promise<DiscordUser> {
  const answer = await call({
    operation: "get_current_authorization",
    method: "GET",
    path: "/oauth2/@me",
    authorization: `Bearer ${accessToken}`,
    status: 200,
    isRight: (body) => v.is(currentAuthorization, body),
  });
  const { application, scopes, user } = v.parse(currentAuthorization, parseJson(answer.text));
  if (application.id !== clientId)
    throw discordRefused("the access token belongs to another application: check DISCORD_CLIENT_ID");
  const missing = scopesNeeded.filter((scope) => !scopes.includes(scope));
  if (missing.length > 0) throw scopeMissing(`the grant lacks ${missing.join(" ")}`);
  if (user === undefined) throw discordUnavailable('get_current_authorization: "user" is missing');
  return {
    discordUserId: user.id,
    username: user.username,
    globalName: readName(user.global_name) ?? null,
    avatarUrl: avatarUrl(cdnUrl, user.id, user.avatar ?? null),
  };
}

function avatarUrl(cdnUrl: string, discordUserId: string, hash: string | null): string {
  if (hash !== null) return `${cdnUrl}/avatars/${discordUserId}/${hash}.png?size=128`;
  return `${cdnUrl}/embed/avatars/${(BigInt(discordUserId) >> 22n) % DEFAULT_AVATARS}.png`;
}

/**
 * The application's metadata records at Discord, put with the bot's token. Which records they are, `rules/` says.
 * https://discord.com/developers/docs/resources/application-role-connection-metadata
 */
import type { MetadataRecord } from "../rules/records.ts";
import { hasRecords } from "./answers.ts";
import type { DiscordOptions, UpstreamOptions } from "./client.ts";
import { createUpstream } from "./client.ts";
import { createCaller } from "./retries.ts";

/** Replaces all metadata records. Throws grant_ended for a wrong bot token, discord_refused, discord_unavailable. */
export async function putMetadataRecords(
  options: UpstreamOptions & Pick<DiscordOptions, "clientId" | "apiUrl" | "sleep">,
  botToken: string,
  records: readonly MetadataRecord[],
): Promise<void> {
  const call = createCaller(createUpstream(options), options);
  await call({
    operation: "put_metadata",
    method: "PUT",
    path: `/applications/${options.clientId}/role-connections/metadata`,
    authorization: `Bot ${botToken}`,
    body: records,
    status: 200,
    isRight: (body) => hasRecords(body, records),
  });
}

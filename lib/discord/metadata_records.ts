/**
 * The application's metadata records at Discord, put and read with the bot's token. Which records they are, `rules/` says.
 * https://discord.com/developers/docs/resources/application-role-connection-metadata
 */
import { parseJson } from "../oauth/upstream.ts";
import type { MetadataRecord } from "../rules/records.ts";
import type { StoredRecord } from "./answers.ts";
import { hasRecords, isListOfRecords, readRecords } from "./answers.ts";
import type { DiscordOptions } from "./client.ts";
import type { Caller } from "./retries.ts";
import { createCaller } from "./retries.ts";
import type { UpstreamOptions } from "./upstream.ts";
import { createUpstream } from "./upstream.ts";

/** What a call is made of that only a bot token is needed for. */
export type RecordsOptions = UpstreamOptions & Pick<DiscordOptions, "clientId" | "apiUrl" | "sleep">;

/** Replaces all metadata records. Throws grant_ended for a wrong bot token, discord_refused, discord_unavailable. */
export async function putMetadataRecords(
  options: RecordsOptions,
  botToken: string,
  records: readonly MetadataRecord[],
): Promise<void> {
  const call = createCaller(createUpstream(options), options);
  await call({
    operation: "put_metadata",
    method: "PUT",
    path: pathOf(options.clientId),
    authorization: `Bot ${botToken}`,
    body: records,
    status: 200,
    isRight: (body) => hasRecords(body, records),
  });
}

/** The metadata records that Discord has. Throws as `putMetadataRecords`. */
export async function listMetadataRecords(
  options: RecordsOptions,
  botToken: string,
): Promise<readonly StoredRecord[]> {
  return readMetadataRecords(createCaller(createUpstream(options), options), options.clientId, botToken);
}

/** The same with a caller that is there already. */
export async function readMetadataRecords(
  call: Caller,
  clientId: string,
  botToken: string,
): Promise<readonly StoredRecord[]> {
  return readRecords(await getRecords(call, clientId, botToken));
}

async function getRecords(call: Caller, clientId: string, botToken: string): Promise<unknown> {
  const { text } = await call({
    operation: "get_metadata",
    method: "GET",
    path: pathOf(clientId),
    authorization: `Bot ${botToken}`,
    status: 200,
    isRight: isListOfRecords,
  });
  return parseJson(text);
}

const pathOf = (clientId: string): string => `/applications/${clientId}/role-connections/metadata`;

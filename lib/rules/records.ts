/**
 * The metadata records of the application: the questions about a member that admins on Discord build linked roles on.
 * `role_connection.ts` answers them for one member. What they are called in each language, `pages/metadata_records.ts` adds.
 * https://discord.com/developers/docs/resources/application-role-connection-metadata
 */
import type { APIApplicationRoleConnectionMetadata } from "discord-api-types/v10";

/** A metadata record as `register` puts it. */
export type MetadataRecord = Omit<APIApplicationRoleConnectionMetadata, "type"> & { readonly type: number };

/** ApplicationRoleConnectionMetadataType 7. The enum of discord-api-types is code, and Janus uses only its types. */
const BOOLEAN_EQUAL = 7;

/** All records, at most 5: `register` replaces every record that Discord has. */
export const RECORDS = [{ key: "dsek_member", type: BOOLEAN_EQUAL }] as const;

/** The key of a record. */
export type RecordKey = (typeof RECORDS)[number]["key"];

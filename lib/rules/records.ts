/**
 * The metadata records of the application: the questions about a member that admins on Discord build linked roles on.
 * `register` puts them, and `role_connection.ts` answers them for one member.
 * https://discord.com/developers/docs/resources/application-role-connection-metadata
 */
import type { APIApplicationRoleConnectionMetadata } from "discord-api-types/v10";

/** A metadata record as `register` puts it. */
export type MetadataRecord = Omit<APIApplicationRoleConnectionMetadata, "type"> & { readonly type: number };

/** ApplicationRoleConnectionMetadataType 7. The enum of discord-api-types is code, and Janus uses only its types. */
const BOOLEAN_EQUAL = 7;

/** All metadata records, at most 5: `register` replaces every record that Discord has. */
export const METADATA_RECORDS: readonly MetadataRecord[] = [
  {
    type: BOOLEAN_EQUAL,
    key: "dsek_member",
    name: "Member",
    name_localizations: { "sv-SE": "Medlem", de: "Mitglied" },
    description: "Has an account at the organisation",
    description_localizations: {
      "sv-SE": "Har ett konto hos organisationen",
      de: "Hat ein Konto bei der Organisation",
    },
  },
];

/**
 * The role connection of one member at Discord: put, read and cleared with the member's own access token.
 * https://discord.com/developers/docs/resources/user#update-current-user-application-role-connection
 */
import type { RESTPutAPICurrentUserApplicationRoleConnectionJSONBody } from "discord-api-types/v10";
import type { RoleConnection } from "../rules/role_connection.ts";
import { isRoleConnection, isRoleConnectionOf, readMetadata } from "./answers.ts";
import type { Caller } from "./retries.ts";

/** Replaces the role connection. Throws grant_ended, discord_refused, discord_rate_limited, discord_unavailable. */
export async function putRoleConnection(
  call: Caller,
  clientId: string,
  accessToken: string,
  roleConnection: RoleConnection,
): Promise<void> {
  const body: RESTPutAPICurrentUserApplicationRoleConnectionJSONBody = { ...roleConnection };
  await call({
    operation: "put_role_connection",
    method: "PUT",
    path: pathOf(clientId),
    authorization: `Bearer ${accessToken}`,
    body,
    status: 200,
    isRight: (answered) => isRoleConnectionOf(roleConnection, answered),
  });
}

/** Reads the values that Discord has of the member, by their keys; none if it has no role connection. Throws as `putRoleConnection`. */
export async function findRoleConnection(
  call: Caller,
  clientId: string,
  accessToken: string,
): Promise<Readonly<Record<string, string>>> {
  const answer = await call({
    operation: "get_role_connection",
    method: "GET",
    path: pathOf(clientId),
    authorization: `Bearer ${accessToken}`,
    status: 200,
    isRight: isRoleConnection,
  });
  return readMetadata(answer.text);
}

/** Clears the role connection; one that Discord does not have counts as cleared. Throws as `putRoleConnection`. */
export async function deleteRoleConnection(
  call: Caller,
  clientId: string,
  accessToken: string,
): Promise<void> {
  await call({
    operation: "delete_role_connection",
    method: "DELETE",
    path: pathOf(clientId),
    authorization: `Bearer ${accessToken}`,
    status: 204,
    isRight: () => true,
  });
}

const pathOf = (clientId: string): string => `/users/@me/applications/${clientId}/role-connection`;

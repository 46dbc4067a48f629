/** Discord as an upstream: its name, its deadline and its errors. */
import { discordClientRejected, discordUnavailable } from "../errors.ts";
import type { Upstream } from "../oauth/upstream.ts";
import type { DiscordOptions } from "./client.ts";

const DEADLINE_MS = 5_000;

/** What the upstream is made of. */
export type UpstreamOptions = Pick<
  DiscordOptions,
  "fetch" | "log" | "instruments" | "deadlineMs" | "publicUrl" | "version" | "meter"
>;

/** Discord as an upstream, for no work in particular. */
export function createUpstream({
  fetch,
  log,
  instruments,
  deadlineMs,
  publicUrl,
  version,
  meter,
}: UpstreamOptions): Upstream {
  return {
    name: "discord",
    fetch,
    log,
    instruments,
    deadlineMs: deadlineMs ?? DEADLINE_MS,
    userAgent: `DiscordBot (${publicUrl}, ${version})`,
    ...(meter === undefined ? {} : { meter }),
    unavailable: discordUnavailable,
    clientRejected: discordClientRejected,
  };
}

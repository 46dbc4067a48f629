/** Reads the requests that Janus sent to Discord, and the lines that it logged. */
import type { DiscordOperation, DiscordStandin } from "../standins/discord.ts";

type AtDiscord = { readonly discord: Pick<DiscordStandin, "calls"> };
type Line = Readonly<Record<string, unknown>>;

/** The requests to Discord, in turn. `from` skips the first ones. */
export const operationsOf = ({ discord }: AtDiscord, from = 0): readonly DiscordOperation[] =>
  discord.calls.slice(from).map(({ operation }) => operation);

/** The number of requests of one kind, for anybody or for one member. */
export const countOf = ({ discord }: AtDiscord, operation: DiscordOperation, user?: string): number =>
  discord.calls.filter((call) => call.operation === operation && (user === undefined || call.userId === user))
    .length;

/** The requests to Discord that a piece of work sends. */
export async function askedBy(
  janus: AtDiscord,
  work: () => Promise<unknown>,
): Promise<readonly DiscordOperation[]> {
  const before = janus.discord.calls.length;
  await work();
  return operationsOf(janus, before);
}

/** The lines of the log about one event. */
export const linesOf = (
  { logLines }: { readonly logLines: readonly string[] },
  event: string,
): readonly Line[] => logLines.map((line) => JSON.parse(line) as Line).filter((line) => line.event === event);

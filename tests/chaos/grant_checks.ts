/**
 * Grants that are alive against those that Janus holds: by the tokens that Discord and the provider take, and those that
 * the database's ciphertexts hold.
 */
import { openDiscordToken, openOrganisationToken } from "../../lib/grants/sealing.ts";
import { accountsOf } from "./accounts.ts";
import type { Evidence, Row } from "./checks.ts";
import type { Issue } from "./journal.ts";
import { LINK_SCOPE } from "./journal.ts";
import type { Stage } from "./stage.ts";

/** Tokens that are alive and that Janus does not hold. `what` is by whom they were given, `text` to whom. */
type Unknown = {
  readonly what: "Discord" | "provider";
  readonly text: string;
  readonly at: string;
  readonly excuse: string | undefined;
};

/** All of them, at both servers. */
export const checkGrants = (evidence: Evidence): readonly Unknown[] => [
  ...checkDiscordGrants(evidence),
  ...checkProviderGrants(evidence),
];

/** Those that nothing excuses, an account a line. */
export function unexcused(grants: readonly Unknown[]): readonly string[] {
  const left = grants.filter(({ excuse }) => excuse === undefined);
  const byAccount = Map.groupBy(left, ({ what, text }) => `${what} ${text}`);
  return [...byAccount].map(
    ([text, list]) =>
      `${list.length} alive and unknown, given at ${list.map(({ at }) => at).join(", ")}: ${text}`,
  );
}

/** Of each authorization that is alive and may push, Janus holds a token that is alive: with that it can end all. */
function checkDiscordGrants(evidence: Evidence): readonly Unknown[] {
  const { stage, deps, tokens } = evidence;
  const { journal, discord } = stage;
  return accountsOf(evidence.persons.length).users.flatMap(({ id }): readonly Unknown[] => {
    const live = discord.tokens(id).filter(({ scopes }) => scopes.includes(LINK_SCOPE));
    const row = tokens.find((one) => one.discordUserId === id);
    const held =
      row === undefined
        ? []
        : [
            openDiscordToken(deps, "access_token", String(row.accessTokenSealed), id),
            openDiscordToken(deps, "refresh_token", String(row.refreshTokenSealed), id),
          ];
    if (live.some(({ token }) => held.includes(token))) return [];
    const issues = journal.issues.filter((issue) =>
      live.some(({ token }) => token === issue.accessToken || token === issue.refreshToken),
    );
    const holds = row === undefined ? "Janus holds nothing" : "what Janus holds is dead";
    return issues.map((issue) => ({
      what: "Discord",
      text: `${id}, ${holds}${historyOf(stage, id)}`,
      at: timeOf(stage, issue.at),
      excuse: journal.excuseOf(issue) ?? excuseOfHandle(evidence, issue),
    }));
  });
}

/** With the answer to a later refresh the account's only handle was lost, and all that it could have ended with it. */
function excuseOfHandle({ stage }: Evidence, { userId, at }: Issue): string | undefined {
  const [lost] = stage.journal.lostRefreshes(userId ?? "", true, at);
  return lost === undefined ? undefined : "the only handle was lost with a later refresh";
}

/** Every refresh token that is alive at the provider is one that Janus holds for that account. */
function checkProviderGrants({ stage, deps, persons, organisationTokens }: Evidence): readonly Unknown[] {
  const { journal, provider } = stage;
  return accountsOf(persons.length).organisation.flatMap(({ login, sub }): readonly Unknown[] => {
    const row = organisationTokens.find(({ subject }) => subject === sub);
    const account = { issuer: String(row?.issuer), subject: sub };
    const held = sealedOf(row).map((sealed) => openOrganisationToken(deps, "refresh_token", account, sealed));
    const unknown = provider.liveRefreshTokens(login).filter((token) => !held.includes(token));
    return unknown.map((token) => {
      const issue = journal.issues.find(({ refreshToken }) => refreshToken === token);
      return {
        what: "provider",
        text: `${login}, ${row === undefined ? "Janus holds nothing" : "Janus holds another"}${issue === undefined ? "" : `, ${journal.fateOf(issue)}`}`,
        at: issue === undefined ? "no known time" : timeOf(stage, issue.at),
        excuse: issue === undefined ? undefined : journal.excuseOf(issue),
      };
    });
  });
}

/** The refresh tokens of an account's row: the last one, and those that it has replaced and that are to be revoked with it. */
function sealedOf(row: Row | undefined): readonly string[] {
  const replaced = (row?.replacedTokens ?? []) as readonly {
    readonly kind: string;
    readonly sealed: string;
  }[];
  const earlier = replaced.filter(({ kind }) => kind === "refresh_token").map(({ sealed }) => sealed);
  return typeof row?.refreshTokenSealed === "string" ? [row.refreshTokenSealed, ...earlier] : earlier;
}

/** Seconds since the start, by the machine's clock. */
const timeOf = ({ startedAt }: Pick<Stage, "startedAt">, at: number): string =>
  `${((at - startedAt) / 1_000).toFixed(1)} s`;

/** What Discord gave the account and what became of it, for a message. */
export function historyOf({ journal, startedAt }: Stage, userId: string): string {
  const issues = journal.issues.filter(
    (issue) => issue.userId === userId && issue.scopes.includes(LINK_SCOPE),
  );
  const last = issues
    .slice(-6)
    .map((issue) => `${issue.grant} ${timeOf({ startedAt }, issue.at)} ${journal.fateOf(issue)}`);
  const ends = journal
    .endsOf(userId)
    .slice(-2)
    .map((at) => `ended at ${timeOf({ startedAt }, at)}`);
  const said = journal.lines.filter((line) => line.includes(userId)).slice(-3);
  const short = said.map((line) => {
    const { time, event, code, reason } = JSON.parse(line) as Readonly<Record<string, string>>;
    return `${time} ${event}: ${code ?? ""} ${reason ?? ""}`;
  });
  return ["", `tokens that may push: ${last.join(", ") || "none"}`, ...ends, ...short].join("\n    ");
}

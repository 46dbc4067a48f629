/**
 * The marks of refresh tokens that are about to be sent to the provider: until the answer is stored, such a token may be
 * spent. Tokens wait for their turn at the provider, so each is marked when its turn has come. docs/decisions/0043
 */
import type { WorkDeps } from "../deps.ts";
import { providerUnavailable } from "../errors.ts";
import { createTogether } from "./together.ts";

type Needs = Pick<WorkDeps, "queries" | "now" | "config">;

/** A refresh token that is about to be sent. */
type Sent = { readonly subject: string; readonly refreshTokenSealed: string };

/**
 * Settles once the mark is stored. Throws what the database throws, and provider_unavailable if the row has other tokens by
 * now, or the same sealed again: then the token must not be sent.
 */
export async function markSent(deps: Needs, sent: Sent): Promise<void> {
  if (await storeMark(deps, sent)) return;
  throw providerUnavailable("token_refresh: not sent: the tokens were replaced or sealed again");
}

const storeMark = createTogether<Needs, Sent>({
  keyOf: ({ subject }) => subject,
  store: async ({ queries, config, now }, items) => {
    const marked = await queries.setProviderRefreshSent({
      issuer: config.oidc.issuer,
      tokens: items.map(({ subject, refreshTokenSealed }) => ({
        subject,
        refresh_token: refreshTokenSealed,
      })),
      now: now(),
    });
    return marked.map(({ subject }) => subject);
  },
});

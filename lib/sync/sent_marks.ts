/**
 * The marks of refresh tokens that are about to be sent to the provider: until the answer is stored, such a token may be
 * spent. Tokens wait for their turn at the provider, so each is marked when its turn has come. The marks that come while
 * one is being stored are stored together by the next statement. docs/decisions/0043
 */
import type { WorkDeps } from "../deps.ts";
import { providerUnavailable } from "../errors.ts";

type Needs = Pick<WorkDeps, "queries" | "now" | "config">;

/** A refresh token that is about to be sent. */
type Sent = { readonly subject: string; readonly refreshTokenSealed: string };

type Waiting = { readonly sent: Sent; readonly stored: PromiseWithResolvers<void> };
type Marks = { waiting: Waiting[]; isStoring: boolean };

const marksOf = new WeakMap<Needs["queries"], Marks>();

/**
 * Settles once the mark is stored. Throws what the database throws, and provider_unavailable if the row has other tokens by
 * now, or the same sealed again: then the token must not be sent.
 */
export function markSent(deps: Needs, sent: Sent): Promise<void> {
  const marks = marksOf.get(deps.queries) ?? { waiting: [], isStoring: false };
  marksOf.set(deps.queries, marks);
  const stored = Promise.withResolvers<void>();
  marks.waiting.push({ sent, stored });
  if (!marks.isStoring) void storeAll(deps, marks);
  return stored.promise;
}

async function storeAll(deps: Needs, marks: Marks): Promise<void> {
  marks.isStoring = true;
  while (marks.waiting.length > 0) {
    const batch = marks.waiting.splice(0);
    try {
      const marked = new Set((await store(deps, batch)).map(({ subject }) => subject));
      for (const { sent, stored } of batch) {
        if (marked.has(sent.subject)) stored.resolve();
        else
          stored.reject(
            providerUnavailable("token_refresh: not sent: the tokens were replaced or sealed again"),
          );
      }
    } catch (error) {
      // Carrying on is right: each of those who wait fails with this error.
      for (const { stored } of batch) stored.reject(error);
    }
  }
  marks.isStoring = false;
}

function store({ queries, config, now }: Needs, batch: readonly Waiting[]) {
  return queries.setProviderRefreshSent({
    issuer: config.oidc.issuer,
    refreshTokensSealed: Object.fromEntries(
      batch.map(({ sent: { subject, refreshTokenSealed } }) => [subject, refreshTokenSealed]),
    ),
    now: now(),
  });
}

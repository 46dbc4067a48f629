/**
 * What a result says: one shape for each way in which a flow or a form can end. A field that is not listed here is not kept,
 * so no token and no id of a member can be in a browser's cookie by mistake.
 */
import * as v from "valibot";

/** Where a member who cancelled can begin again. */
export const BEGINNINGS = ["/linked-role", "/linked-role/another", "/login", "/admin"] as const;

/** In UTF-8. A name of Discord's fits whole, even in letters of four bytes. */
const MAX_NAME_BYTES = 128;
const ELLIPSIS = "…";
const ELLIPSIS_BYTES = 3;
/** As long as the longest id that a proxy may give to a request. */
const MAX_REQUEST_ID_LENGTH = 64;
/** As long as a state. */
const MAX_STATE_LENGTH = 64;

const utf8 = new TextEncoder();

const name = v.pipe(v.string(), v.transform(shorten));
const discordName = v.object({ username: name, globalName: v.nullable(name) });
const accounts = { discord: discordName, organisationName: v.nullable(name) };

const linked = {
  ...accounts,
  pushed: v.boolean(),
  /** What Discord has been told, or will be. A cookie of the previous release does not say. */
  told: v.optional(v.picklist(["values", "nothing_known", "cleared"]), "values"),
  earlierRoleMayStay: v.boolean(),
  signedIn: v.boolean(),
};

const content = v.variant("outcome", [
  v.object({ outcome: v.literal("linked"), ...linked }),
  v.object({ outcome: v.literal("relinked"), ...linked }),
  v.object({ outcome: v.literal("moved"), ...linked }),
  v.object({
    outcome: v.literal("conflict"),
    ...accounts,
    heldByDiscord: v.nullable(discordName),
    heldByOrganisation: v.variant("kind", [
      v.object({ kind: v.literal("none") }),
      v.object({ kind: v.literal("unnamed") }),
      v.object({ kind: v.literal("named"), name }),
    ]),
    /** Of the form that confirms the move. */
    state: v.pipe(v.string(), v.maxLength(MAX_STATE_LENGTH)),
  }),
  v.object({ outcome: v.literal("kept") }),
  /** Nothing was linked: the rules say no, or the claims do not say. */
  v.object({ outcome: v.literal("not_admitted"), why: v.picklist(["refused", "unknown"]) }),
  v.object({
    outcome: v.literal("cancelled"),
    at: v.picklist(["discord", "provider"]),
    startAgain: v.picklist(BEGINNINGS),
  }),
  v.object({ outcome: v.literal("unlinked"), discordTold: v.boolean(), roleMayStay: v.boolean() }),
  v.object({ outcome: v.literal("signed_out") }),
]);

/** A result as a browser keeps it. The request is the one that it is the result of. */
export const result = v.object({
  content,
  requestId: v.pipe(v.string(), v.maxLength(MAX_REQUEST_ID_LENGTH)),
  madeAt: v.number(),
});

/** What a result says. */
export type Content = v.InferOutput<typeof content>;

/** The same with nothing that is not listed, and with names that are not too long. */
export const keepListed = (given: Content): Content => v.parse(content, given);

/** How something ended that a result can be about. */
export type Outcome = Content["outcome"];

const EVERY = content.options.map(({ entries }) => entries.outcome.literal);
const OF_LINKS: readonly Outcome[] = ["linked", "relinked", "moved"];
const OF_ABSENCE: readonly Outcome[] = ["unlinked", "signed_out"];

/** Which earlier results of a browser are no longer true when this has happened. */
export const MADE_UNTRUE: Readonly<Record<Outcome | "signed_in", readonly Outcome[]>> = {
  linked: OF_ABSENCE,
  relinked: OF_ABSENCE,
  // The link that ends may be one that an earlier result is about.
  moved: [...OF_LINKS, ...OF_ABSENCE],
  conflict: [],
  kept: [],
  not_admitted: [],
  cancelled: [],
  unlinked: EVERY,
  // The next person at this browser must not read the names of the last.
  signed_out: EVERY,
  // Another person may have signed in at this browser.
  signed_in: [...OF_LINKS, ...OF_ABSENCE],
};

/** A name of at most so many bytes. It is cut between letters. */
function shorten(whole: string): string {
  if (utf8.encode(whole).byteLength <= MAX_NAME_BYTES) return whole;
  const { read } = utf8.encodeInto(whole, new Uint8Array(MAX_NAME_BYTES - ELLIPSIS_BYTES));
  return `${whole.slice(0, read)}${ELLIPSIS}`;
}

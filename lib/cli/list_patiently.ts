/** Lists links for somebody who waits at a terminal: it shows how far it is, since few links may fit, and Ctrl+C ends it. */
import type { Database } from "../database/open.ts";
import { createQueries } from "../database/queries.ts";
import type { LinkList, Selection } from "../operator/select_links.ts";
import { listLinks } from "../operator/select_links.ts";
import { createProgress } from "./progress.ts";
import { untilInterrupted } from "./terminal.ts";

/** How many at most, and after which id. */
type Extent = { readonly limit: number; readonly after: string | undefined };

/** Undefined if it was interrupted. */
export async function listPatiently(
  db: Database,
  selection: Selection,
  extent: Extent,
  json: boolean,
): Promise<LinkList | undefined> {
  const queries = createQueries(db);
  const progress = createProgress((await queries.countLinks({}))?.count ?? 0, "links read", json);
  const onRead = progress.tell;
  return untilInterrupted((stop) => listLinks({ queries }, selection, { ...extent, onRead, stop })).finally(
    () => progress.end(),
  );
}

/** What a command says that was interrupted. */
export const INTERRUPTED = "stopped before the last link: there is no result";

/** A member's browser, which asks whichever process runs, and watches for what is not the member's. */
import { resultOf } from "../harness/janus.ts";
import { createJar, visit } from "../standins/member.ts";
import type { Chance } from "./chance.ts";
import type { Journal } from "./journal.ts";
import type { Replicas } from "./replicas.ts";

/** What came back. */
export type Answer = {
  readonly status: number;
  readonly location: string;
  readonly text: string;
  /** The path of the result that it leads to. */
  readonly result: string | undefined;
  /** Whether it brings a session. */
  readonly isSignedIn: boolean;
};

type Asking = {
  readonly method?: "GET" | "POST" | "DELETE";
  readonly form?: Readonly<Record<string, string>>;
  readonly accept?: string;
  /** In place of the browser's own. */
  readonly cookie?: string;
};

export type Browser = ReturnType<typeof createBrowser>;

/** What every account of the test is called: by its side, the number of its person, and its place there. */
export const nameOf = (side: "disc" | "org", person: number, place: number): string =>
  `${side}member${person}x${place}`;
const NAME = /(?:disc|org)member(\d+)x\d/g;

/** Nobody waits longer, whatever fails. */
const PATIENCE_MS = 20_000;
/** What a browser does not show: an answer that came late does something still. */
const AFTER_NO_ANSWER_MS = 500;

/** Opens one of a person's, which knows nothing. */
export function createBrowser(
  url: string,
  person: number,
  { replicas, journal }: { readonly replicas: Replicas; readonly journal: Journal },
) {
  const jar = createJar();

  /** The answer, or the page of the result that it leads to. Undefined where no answer came. */
  const ask = async (chance: Chance, address: string, asking: Asking = {}): Promise<Answer | undefined> => {
    const addresses = replicas.addresses();
    const drawn = chance.next();
    const own = addresses[Math.floor(drawn * addresses.length)];
    if (own === undefined) return void (await Bun.sleep(AFTER_NO_ANSWER_MS));
    const { pathname, search } = new URL(address, url);
    try {
      const answer = await send(new URL(pathname + search, own), asking);
      look(`${asking.method ?? "GET"} ${pathname}`, answer);
      journal.count(`answer ${answer.status}`);
      if (answer.result === undefined) return answer;
      const page = await send(new URL(answer.result, own), {});
      look("GET /result/", page);
      journal.count(`result ${page.status}`);
      return { ...page, isSignedIn: answer.isSignedIn };
    } catch {
      journal.count("no answer");
      return void (await Bun.sleep(AFTER_NO_ANSWER_MS));
    }
  };

  const send = async (target: URL, { method = "GET", form, accept, cookie }: Asking): Promise<Answer> => {
    const response = await fetch(target, {
      method,
      redirect: "manual",
      headers: {
        cookie: cookie ?? jar.header(target),
        accept: accept ?? "text/html",
        ...(method === "GET" ? {} : { origin: url }),
      },
      signal: AbortSignal.timeout(PATIENCE_MS),
      ...(form === undefined ? {} : { body: new URLSearchParams(form) }),
    });
    const text = await response.text();
    if (cookie === undefined) jar.keep(target, response);
    return {
      status: response.status,
      text,
      location: response.headers.get("location") ?? "",
      result: resultOf(response),
      isSignedIn: response.headers.getSetCookie().some((line) => /^(__Host-)?sessionId=[^;]/.test(line)),
    };
  };

  const look = (asked: string, { status, text }: Answer): void => {
    for (const [name, owner] of text.matchAll(NAME))
      if (Number(owner) !== person) journal.addViolation(`${asked} shows ${name} to person ${person}`);
    if (status === 500) journal.addViolation(`${asked} answers 500 to person ${person}`);
  };

  return { ask, cookie: (): string => jar.header(new URL(url)) };
}

/** From Discord's consent page as a user to the callback; undefined where Discord shows a page of its own. */
export async function consent(authorizationUrl: string, userId: string | null): Promise<string | undefined> {
  const form: Record<string, string> = userId === null ? { cancel: "1" } : { user_id: userId };
  const response = await visit(authorizationUrl, createJar(), form);
  return response.headers.get("location") ?? undefined;
}

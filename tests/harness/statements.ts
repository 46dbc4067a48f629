/** The same Janus once more, without a socket, with the names of the statements that it sends. */
import { createApp } from "../../index.ts";
import type { Shared } from "../../lib/deps.ts";
import { UNHEARD } from "./janus.ts";

/** Makes it. `ask` sends a request with these cookies. */
export function countStatements({ url, shared }: { readonly url: string; readonly shared: Shared }) {
  const statements: string[] = [];
  const queries = new Proxy(shared.queries, {
    get: (all, name) => {
      statements.push(String(name));
      return Reflect.get(all, name);
    },
  });
  const app = createApp({ ...shared, queries }, UNHEARD);
  return {
    statements,
    ask: (address: string, cookie: string, { headers, ...init }: RequestInit = {}) =>
      app.fetch(
        new Request(new URL(address, url), {
          ...init,
          headers: { ...Object.fromEntries(new Headers(headers)), cookie },
        }),
      ),
  };
}

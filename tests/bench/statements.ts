/**
 * Counts statements where they pass: a proxy before PostgreSQL that reads what the program sends. Nothing is taken
 * from the program's word, and background statements are seen as well.
 * PostgreSQL documentation, 55.7 Message Formats
 */
import { connect, createServer } from "node:net";

export type StatementCounter = {
  /** The database's address with the proxy in between. */
  readonly databaseUrl: string;
  /** The texts of the statements executed since the last call, in the order of their arrival. */
  readonly take: () => readonly string[];
  readonly stop: () => void;
};

/** Starts the proxy on 127.0.0.1. */
export async function startStatementCounter(databaseUrl: string): Promise<StatementCounter> {
  const target = new URL(databaseUrl);
  let executed: string[] = [];
  const server = createServer((client) => {
    const upstream = connect(Number(target.port || 5432), target.hostname);
    const read = createReader((text) => void executed.push(text));
    client.on("data", read);
    client.pipe(upstream).pipe(client);
    client.on("error", () => upstream.destroy());
    upstream.on("error", () => client.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the proxy has no port");
  const proxied = new URL(databaseUrl);
  proxied.host = `127.0.0.1:${address.port}`;
  return {
    databaseUrl: proxied.href,
    take: () => {
      const taken = executed;
      executed = [];
      return taken;
    },
    stop: () => void server.close(),
  };
}

/** Reads a connection's messages: a startup message without a type first, then a type, a length and a body each. */
function createReader(onExecute: (text: string) => void): (chunk: Buffer) => void {
  const texts = new Map<string, string>();
  const portals = new Map<string, string>();
  let pending = Buffer.alloc(0);
  let typeBytes = 0;

  const readMessage = (type: string, body: Buffer) => {
    const [first = "", second = ""] = body.toString("latin1").split("\0", 2);
    if (type === "P") texts.set(first, textAt(body, first.length + 1));
    if (type === "B") portals.set(first, second);
    if (type === "E") onExecute(texts.get(portals.get(first) ?? "") ?? "unknown");
    if (type === "Q") onExecute(textAt(body, 0));
  };

  return (chunk) => {
    pending = Buffer.concat([pending, chunk]);
    while (pending.length >= typeBytes + 4) {
      const end = typeBytes + pending.readInt32BE(typeBytes);
      if (pending.length < end) return;
      if (typeBytes === 1) readMessage(pending.toString("latin1", 0, 1), pending.subarray(5, end));
      typeBytes = 1;
      pending = pending.subarray(end);
    }
  };
}

function textAt(body: Buffer, start: number): string {
  return body.toString("utf8", start, body.indexOf(0, start));
}

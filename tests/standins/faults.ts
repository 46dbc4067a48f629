/**
 * Misbehaviour on order, shared by every stand-in: what a test asks for with `failNext()` and `gate()`.
 * A fault concerns one named operation and is used up by the calls that meet it; without one, a stand-in
 * keeps the promises of the server that it stands in for.
 */

/** An answer that replaces the right one. Without `status` the right answer comes, `delayMs` late. */
export type FaultAnswer = {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** A string goes out as it is, anything else as JSON. */
  readonly body?: unknown;
  readonly delayMs?: number;
};

/**
 * - `hang` accepts and never answers; `trickle` sends headers, then a byte now and then, for ever
 * - `drop` closes the socket; `lost` does what was asked, then closes the socket instead of answering. On a
 *   connection that was used before, Bun's fetch tries GET, PUT and DELETE again by itself: order these twice
 * - `silent` does what was asked, and never answers
 * - `huge` sends a body without end; `redirect` is a 307 to a path that is recorded as unexpected if followed
 */
export type Behaviour = FaultAnswer | "hang" | "trickle" | "drop" | "lost" | "silent" | "huge" | "redirect";

/** One held call. `arrived` resolves when a call has come; `release` lets it go on (also before it came). */
export type Gate = { readonly arrived: Promise<void>; readonly release: () => void };

/** Where a gate holds: before anything is done, or when it is done and only the answer is missing. */
type GatePlace = "request" | "answer";

/** A call as it arrives. `userId` is of whom it is, where the stand-in knows. */
export type Met<Operation extends string> = {
  readonly operation: Operation;
  readonly headers: Headers;
  readonly userId?: string | undefined;
};

/** Decides on every call that no order concerns. */
export type Director<Operation extends string> = {
  readonly choose: (met: Met<Operation>) => Behaviour | undefined;
  /** Told of each call that was done, ordered faults included, before its answer leaves or is lost. */
  readonly done: (
    met: Met<Operation>,
    behaviour: Behaviour | undefined,
    answer: Response,
  ) => void | Promise<void>;
};

/** The part of a stand-in's control surface that is the same everywhere. */
export type FaultControl<Operation extends string> = {
  /** The next `times` calls of the operation behave like this. Several orders are served in turn. */
  readonly failNext: (operation: Operation, behaviour: Behaviour, times?: number) => void;
  /** Holds the next call of the operation that no other gate holds. */
  readonly gate: (operation: Operation, place?: GatePlace) => Gate;
  /** From now on this one decides; nobody, if undefined. */
  readonly direct: (director: Director<Operation> | undefined) => void;
};

/** The stand-in's side: `meet` runs a call through gates and faults, `stop` lets go of all that is held. */
export type Faults<Operation extends string> = FaultControl<Operation> & {
  readonly meet: (
    operation: Operation,
    url: URL,
    answer: () => Response | Promise<Response>,
    about?: Omit<Met<Operation>, "operation">,
  ) => Promise<Response>;
  readonly stop: () => void;
};

type HeldGate = { readonly place: GatePlace; readonly arrive: () => void; readonly released: Promise<void> };

/** Where a `redirect` leads: a path that no stand-in has. */
const REDIRECTED_PATH = "/redirected";

const NOTHING_KNOWN = { headers: new Headers() };
const TRICKLE_EVERY_MS = 100;
const HUGE_CHUNK_BYTES = 65_536;

const silenceListeners = new Set<() => void>();

/** Tells of each call, at any stand-in of this process, that is left without an answer. Returns how to stop that. */
export function onSilence(listener: () => void): () => void {
  silenceListeners.add(listener);
  return () => void silenceListeners.delete(listener);
}

function tellSilence(): void {
  for (const listener of silenceListeners) listener();
}

/** Makes the faults of one stand-in. */
export function createFaults<Operation extends string>(): Faults<Operation> {
  const orders = new Map<Operation, Behaviour[]>();
  const gates = new Map<Operation, HeldGate[]>();
  const stopping = Promise.withResolvers<void>();
  let director: Director<Operation> | undefined;

  async function pass(operation: Operation, place: GatePlace): Promise<void> {
    const waiting = gates.get(operation) ?? [];
    const index = waiting.findIndex((held) => held.place === place);
    const [held] = index < 0 ? [] : waiting.splice(index, 1);
    held?.arrive();
    await Promise.race([held?.released, stopping.promise]);
  }

  return {
    failNext(operation, behaviour, times = 1) {
      const queue = orders.get(operation) ?? [];
      orders.set(operation, [...queue, ...Array<Behaviour>(times).fill(behaviour)]);
    },

    gate(operation, place = "request") {
      const arrived = Promise.withResolvers<void>();
      const released = Promise.withResolvers<void>();
      const held: HeldGate = { place, arrive: arrived.resolve, released: released.promise };
      gates.set(operation, [...(gates.get(operation) ?? []), held]);
      return { arrived: arrived.promise, release: released.resolve };
    },

    direct(next) {
      director = next;
    },

    async meet(operation, url, answer, about = NOTHING_KNOWN) {
      const met = { operation, ...about };
      const behaviour = orders.get(operation)?.shift() ?? director?.choose(met);
      if (gates.has(operation)) await pass(operation, "request");

      const misbehaved = await misbehave(behaviour, url, stopping.promise);
      if (misbehaved) return misbehaved;

      const response = await answer();
      await director?.done(met, behaviour, response);
      if (gates.has(operation)) await pass(operation, "answer");
      if (behaviour === "silent") {
        tellSilence();
        await stopping.promise;
      }
      return behaviour === "lost" || behaviour === "silent" ? dropped() : response;
    },

    stop: stopping.resolve,
  };
}

/** The answer that a behaviour puts in place of the right one; undefined where the right one is to come. */
async function misbehave(
  behaviour: Behaviour | undefined,
  url: URL,
  stopping: Promise<void>,
): Promise<Response | undefined> {
  switch (behaviour) {
    case undefined:
    case "lost":
    case "silent":
      return undefined;
    case "hang":
      tellSilence();
      await stopping;
      return dropped();
    case "trickle":
      return trickling(stopping);
    case "drop":
      return dropped();
    case "huge":
      return endless();
    case "redirect":
      return new Response(null, {
        status: 307,
        headers: { location: `${url.origin}${REDIRECTED_PATH}${url.pathname}${url.search}` },
      });
    default:
      return await replaced(behaviour, stopping);
  }
}

async function replaced(answer: FaultAnswer, stopping: Promise<void>): Promise<Response | undefined> {
  if (answer.delayMs !== undefined) await Promise.race([Bun.sleep(answer.delayMs), stopping]);
  if (answer.status === undefined) return undefined;

  const isText = typeof answer.body === "string";
  const headers = new Headers({ "content-type": isText ? "text/html; charset=utf-8" : "application/json" });
  for (const [name, value] of Object.entries(answer.headers ?? {})) headers.set(name, value);
  if (answer.body === undefined) return new Response(null, { status: answer.status, headers });
  const body = typeof answer.body === "string" ? answer.body : JSON.stringify(answer.body);
  return new Response(body, { status: answer.status, headers });
}

/** A body that fails before its first byte: Bun closes the socket. The missing reason keeps its log quiet. */
function dropped(): Response {
  return new Response(new ReadableStream({ start: (controller) => controller.error() }));
}

function trickling(stopping: Promise<void>): Response {
  let timer: ReturnType<typeof setInterval> | undefined;
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(Buffer.from("{"));
      let isTold = false;
      timer = setInterval(() => {
        controller.enqueue(Buffer.from(" "));
        if (!isTold) tellSilence();
        isTold = true;
      }, TRICKLE_EVERY_MS);
      stopping.then(() => clearInterval(timer));
    },
    cancel: () => clearInterval(timer),
  });
  return new Response(body, { headers: { "content-type": "application/json" } });
}

function endless(): Response {
  const chunk = new Uint8Array(HUGE_CHUNK_BYTES).fill(0x20);
  const body = new ReadableStream<Uint8Array>({ pull: (controller) => controller.enqueue(chunk) });
  return new Response(body, { headers: { "content-type": "application/json" } });
}

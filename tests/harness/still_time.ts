/**
 * Time that stands still for deadlines of upstream calls and for budgets, however busy the machine is. It goes on only
 * where a test says so, and where a stand-in leaves a call without an answer: then it jumps to the deadline of that call.
 * So an answer is never late, and nobody waits for a deadline.
 */
import { afterEach, beforeEach, spyOn } from "bun:test";
import { onSilence } from "../standins/faults.ts";

export type StillTime = {
  /** Lets time pass, for everything that is under way. */
  readonly pass: (ms: number) => void;
  /** Milliseconds that have passed in this test. */
  readonly passedMs: () => number;
};

/** For all tests of the file, or of the `describe` that it stands in. Call it after the fixtures. */
export function useStillTime(): StillTime {
  let [startMs, nowMs] = [0, 0];
  let underWay: { readonly lateAt: number; readonly late: AbortController }[] = [];
  let restore = (): void => undefined;

  const pass = (ms: number): void => {
    nowMs += ms;
    const late = underWay.filter(({ lateAt }) => lateAt <= nowMs);
    underWay = underWay.filter(({ lateAt }) => lateAt > nowMs);
    // As AbortSignal.timeout() says it.
    for (const one of late) one.late.abort(new DOMException("The operation timed out.", "TimeoutError"));
  };

  beforeEach(() => {
    // Whole, so that sums are exact.
    startMs = Math.round(performance.now());
    nowMs = startMs;
    underWay = [];
    const clock = spyOn(performance, "now").mockImplementation(() => nowMs);
    const deadline = spyOn(AbortSignal, "timeout").mockImplementation((ms) => {
      const late = new AbortController();
      underWay.push({ lateAt: nowMs + ms, late });
      return late.signal;
    });
    // The call that was begun last: no other is under way in these tests.
    const forget = onSilence(() => pass((underWay.at(-1)?.lateAt ?? nowMs) - nowMs));
    restore = () => {
      forget();
      deadline.mockRestore();
      clock.mockRestore();
    };
  });
  afterEach(() => restore());
  return { pass, passedMs: () => nowMs - startMs };
}

/** What rings when something is due at once, so that this process looks now and not at its next round. */

/** Whoever makes a link due rings; upkeep listens. */
export type Alarm = {
  readonly ring: () => void;
  /** Calls `listener` at each ring until the function that it returns is called. */
  readonly listen: (listener: () => void) => () => void;
};

/** Makes the alarm of one process. A ring that nobody hears is no loss: what is due is in the database. */
export function createAlarm(): Alarm {
  const listeners = new Set<() => void>();
  return {
    ring: () => {
      for (const listener of listeners) listener();
    },
    listen: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

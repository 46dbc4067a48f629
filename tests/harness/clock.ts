/** A clock that stands where a test puts it. */
export type Clock = { readonly now: () => Date; readonly advance: (seconds: number) => void };

/** Starts at the present, since the certified provider reads the real clock; goes on only by `advance`, and by itself. */
export function createClock(): Clock {
  let offsetMs = 0;
  return {
    now: () => new Date(Date.now() + offsetMs),
    advance: (seconds) => {
      offsetMs += seconds * 1_000;
    },
  };
}

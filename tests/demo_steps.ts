/** What the demo prints while it starts: a line for each step, ticked when it is done. */

/** Does the work of a step, and says how it ended. An error is passed on. */
export type RunStep = <Result>(name: string, work: () => Result | Promise<Result>) => Promise<Result>;

/** With `isLive` a step is named when it begins, and its line then written over: for a terminal that shows nothing else. */
export function createSteps(write: (text: string) => void, isLive: boolean): RunStep {
  const begin = (name: string): void => {
    if (isLive) write(`  … ${name}`);
  };
  const end = (mark: string, name: string): void => write(`${isLive ? "\r" : ""}  ${mark} ${name}\n`);
  return async (name, work) => {
    begin(name);
    try {
      const result = await work();
      end("✓", name);
      return result;
    } catch (error) {
      end("✗", name);
      throw error;
    }
  };
}

/**
 * A machine whose clock can be set, and which can be put to sleep.
 *
 * @param wall what its clock shows at first, in Unix milliseconds
 */
export function machine(wall = 1_900_000_000_000) {
  let up = 5000;
  let watchers: (() => void)[] = [];
  const pass = (ms: number) => {
    wall += ms;
    up += ms;
  };
  return {
    now: () => wall,
    uptime: () => {
      for (const seen of watchers) seen();
      watchers = [];
      return up;
    },
    /** Until somebody looks how long it has been up, or the next time. */
    looked: () => new Promise<void>((resolve) => void watchers.push(resolve)),
    /** Time goes by, awake or asleep. */
    pass,
    /** Somebody, or a time server, sets the clock. */
    setClock: (byMs: number) => {
      wall += byMs;
    },
  };
}

/**
 * A machine whose clock can be set, and which can be put to sleep.
 *
 * @param wall what its clock shows at first, in Unix milliseconds
 */
export function machine(wall = 1_900_000_000_000) {
  let up = 5000;
  const pass = (ms: number) => {
    wall += ms;
    up += ms;
  };
  return {
    now: () => wall,
    uptime: () => up,
    /** Time goes by, awake or asleep. */
    pass,
    /** Somebody, or a time server, sets the clock. */
    setClock: (byMs: number) => {
      wall += byMs;
    },
  };
}

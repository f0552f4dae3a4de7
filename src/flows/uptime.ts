/** By so many milliseconds clocks differ that are asked one after the other, and of which one counts in seconds. */
const INACCURACY_MS = 2000;

/** By how much (milliseconds) the machine's clock was ahead of the process's own at first, and has gained since. */
let [ahead, slept]: [number | undefined, number] = [undefined, 0];

/**
 * Milliseconds that go by, whatever is done to the clock on the wall. The process's own clock, which stands still while
 * the machine sleeps; how long it slept, the machine knows.
 */
export function uptime(): number {
  const awake = performance.now();
  const gap = secondsUp() * 1000 - awake;
  ahead ??= gap;
  const more = gap - ahead - slept;
  if (more > INACCURACY_MS) slept += more;
  return awake + slept;
}

function secondsUp(): number {
  try {
    // Not loaded with the library: a token that is reused waits for nothing.
    return process.getBuiltinModule("node:os").uptime();
  } catch {
    // Where we may not ask (a sandbox), nobody sleeps.
    return performance.now() / 1000;
  }
}

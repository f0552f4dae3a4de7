import type { Readable } from "node:stream";

/**
 * Reads one line of standard input, and lets go of it afterwards so that the process can end. Nothing is echoed beyond
 * what the terminal itself shows.
 *
 * @returns `undefined` at the end of the input, or when the signal is aborted
 */
export async function readLine(input: Readable, signal: AbortSignal): Promise<string | undefined> {
  const { createInterface } = await import("node:readline");
  if (signal.aborted || input.readableEnded) return undefined;
  // Not `terminal: true`: Ctrl-C stays a signal, and the terminal's mode is never changed.
  const lines = createInterface({ input, terminal: false });
  try {
    return await new Promise<string | undefined>((resolve) => {
      lines.once("line", resolve);
      lines.once("close", () => resolve(undefined));
      signal.addEventListener("abort", () => resolve(undefined), { once: true });
    });
  } finally {
    lines.close();
    input.pause();
    // A terminal that is only paused would still keep the process alive.
    (input as Readable & { unref?: () => void }).unref?.();
  }
}

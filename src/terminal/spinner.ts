/** The part of a stream that the terminal needs. */
export interface TerminalStream {
  readonly isTTY?: boolean | undefined;
  /** Width of the window in characters; 0 where it is not known. */
  readonly columns?: number | undefined;
  write(text: string): unknown;
}

const FRAMES = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];
const FRAME_MS = 100;
const HIDE_CURSOR = "\u001b[?25l";
const SHOW_CURSOR = "\u001b[?25h";
const CLEAR_LINE = "\r\u001b[2K";

/**
 * Shows that something is waited for, in one line that is gone afterwards: cut where the window is narrower, as of a line
 * that goes on in the next row only the last row could be taken back.
 *
 * @param text what to show, asked for at each frame
 * @returns ends it, and gives the cursor back
 */
export function startSpinner(stream: TerminalStream, text: () => string): () => void {
  let frame = 0;
  const draw = () => {
    const line = `${FRAMES[frame++ % FRAMES.length]} ${text()}`;
    return stream.write(CLEAR_LINE + (fits(line, stream) ? line : line.slice(0, (stream.columns ?? 1) - 1)));
  };
  // However this process ends, the person gets their cursor back.
  const restore = () => stream.write(CLEAR_LINE + SHOW_CURSOR);
  process.once("exit", restore);
  stream.write(HIDE_CURSOR);
  draw();
  const timer = setInterval(draw, FRAME_MS);
  timer.unref();
  let ended = false;
  return () => {
    if (ended) return;
    ended = true;
    clearInterval(timer);
    process.off("exit", restore);
    restore();
  };
}

/** Whether a line has room in the window, and the cursor behind it. */
export function fits(line: string, { columns }: TerminalStream): boolean {
  return !columns || line.length < columns;
}

/** "4:59" */
export function clock(ms: number): string {
  const seconds = Math.max(0, Math.ceil(ms / 1000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

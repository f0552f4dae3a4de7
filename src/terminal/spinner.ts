/** The part of a stream that the terminal needs. */
export interface TerminalStream {
  readonly isTTY?: boolean | undefined;
  write(text: string): unknown;
}

const FRAMES = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];
const FRAME_MS = 100;
const HIDE_CURSOR = "\u001b[?25l";
const SHOW_CURSOR = "\u001b[?25h";
const CLEAR_LINE = "\r\u001b[2K";

/**
 * Shows that something is waited for, in one line that is gone afterwards.
 *
 * @param text what to show, asked for at each frame
 * @returns ends it, and gives the cursor back
 */
export function startSpinner(stream: TerminalStream, text: () => string): () => void {
  let frame = 0;
  const draw = () => stream.write(`${CLEAR_LINE}${FRAMES[frame++ % FRAMES.length]} ${text()}`);
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

/** "4:59" */
export function clock(ms: number): string {
  const seconds = Math.max(0, Math.ceil(ms / 1000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

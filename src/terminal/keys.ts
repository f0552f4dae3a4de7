import type { Readable } from "node:stream";

/** A terminal's input whose keys can be read one by one. */
export type KeyInput = Readable & {
  readonly isTTY?: boolean;
  setRawMode?(raw: boolean): unknown;
  ref?(): unknown;
  unref?(): unknown;
};

const CTRL_C = "\u0003";

/** A text that was pasted is no longer than this. */
const MAX_PASTE = 16 * 1024;

/**
 * Tells each key as it is pressed, and a text that is pasted, as far as it has come. Ctrl-C stays what it is: a signal to this process.
 *
 * @returns ends it, and gives the terminal its mode back
 */
export function listenForKeys(
  input: KeyInput,
  pressed: (key: string) => void,
  pasted: (text: string) => void = () => {},
): () => void {
  if (input.isTTY !== true || !input.setRawMode) return () => {};
  let text = "";
  const onData = (chunk: Buffer | string) => {
    const keys = String(chunk);
    // Nobody presses so many keys at once; a long address may come in several pieces.
    if (keys.length > 4) {
      text = (text + keys).slice(-MAX_PASTE);
      pasted(text);
      return;
    }
    for (const key of keys) {
      // As the terminal itself would have it: to all that run in front, such as the script that called us.
      if (key === CTRL_C) process.kill(process.platform === "win32" ? process.pid : 0, "SIGINT");
      else pressed(key);
    }
  };
  // However this process ends, the person's terminal must echo again.
  const restore = () => void input.setRawMode?.(false);
  process.once("exit", restore);
  input.setRawMode(true);
  input.ref?.();
  input.on("data", onData);
  input.resume();
  let ended = false;
  return () => {
    if (ended) return;
    ended = true;
    input.off("data", onData);
    process.off("exit", restore);
    restore();
    input.pause();
    // A terminal that is only paused would still keep the process alive.
    input.unref?.();
  };
}

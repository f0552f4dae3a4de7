import type { LoginActions, LoginUi } from "../login-ui.js";
import type { CallbackAnswer } from "./callback-answer.js";

export interface Pasting {
  readonly ui: LoginUi;
  readonly redirectUri: string;
  readonly answer: CallbackAnswer;
  readonly actions: LoginActions;
}

/**
 * Lets the person paste the URL that their browser ended at, for a browser that cannot reach this machine. Asks again
 * after something else; ends with the signal or when there is nothing more to read. Never throws.
 */
export async function readPastedCallback(
  { ui, redirectUri, answer, actions }: Pasting,
  signal: AbortSignal,
): Promise<void> {
  try {
    while (!signal.aborted) {
      const line = await ui.readCallbackUrl?.(signal);
      if (line === undefined) return;
      if (line.trim() === "") {
        actions.openBrowser?.();
        continue;
      }
      if (line.trim().toLowerCase() === "q") return actions.giveUp();
      const callback = callbackFrom(line, redirectUri);
      if (callback && answer.take(callback)) return;
      await ui.show({
        type: "notice",
        message: callback
          ? "That address belongs to another login. Paste the one that this login's browser ended at."
          : "That is not an address. Paste what stands in the browser's address bar after the login.",
      });
    }
  } catch {
    // The listener and the time-out go on: pasting is only one of the ways.
  }
}

/** A whole URL, or only what follows its question mark. Where it points does not matter: its state decides. */
export function callbackFrom(line: string, redirectUri: string): URL | undefined {
  const text = line.trim().replace(/^["'<]|[>"']$/g, "");
  const query = /[?&]?\b(code|error|state)=/.test(text) ? text.slice(text.indexOf("?") + 1) : undefined;
  if (query === undefined) return undefined;
  const callback = new URL(redirectUri);
  callback.search = query.replace(/#.*$/, "");
  return callback;
}

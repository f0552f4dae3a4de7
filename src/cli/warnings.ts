import type { AuthEvent } from "../context.js";
import { cleanText } from "../text.js";
import type { CliIo } from "./io.js";

/** What a person should know of what happens, on standard error. */
export function warningOf(event: AuthEvent): string | undefined {
  if (event.type === "warning") return event.message;
  return event.type === "scope_reduced"
    ? `the server did not grant ${cleanText(event.missing.join(", "), 1000)}`
    : undefined;
}

/** After this long (milliseconds) a person wants to know what is being waited for. */
const PATIENCE_MS = 3000;

/** An option for `authenticate()` that reports warnings and long waits, and tells the events on. */
export function reporting(
  io: CliIo,
  more: (event: AuthEvent) => void = () => {},
): { onEvent(event: AuthEvent): void } {
  let patience: NodeJS.Timeout | undefined;
  let renewing: string | undefined;
  io.signal.addEventListener(
    "abort",
    () => {
      // What the server was asked to renew is heard out and stored: a new refresh token comes only once.
      if (renewing === undefined) return;
      io.stderr.write(
        `oidc-auth: the renewal at ${renewing} is finished and stored first; once more ends at once\n`,
      );
    },
    { once: true },
  );
  return {
    onEvent: (event) => {
      clearTimeout(patience);
      renewing = event.type === "refresh_started" ? event.server : undefined;
      if (event.type === "refresh_started") {
        const waiting = `oidc-auth: waiting for ${event.server} to renew the token; a second Ctrl-C gives it up\n`;
        patience = setTimeout(() => void io.stderr.write(waiting), PATIENCE_MS);
        patience.unref();
      }
      // While somebody logs in the display is theirs.
      if (event.type === "retrying" && event.what !== "polling") {
        const seconds = Math.ceil(event.delayMs / 1000);
        io.stderr.write(`oidc-auth: ${event.what} is tried again in ${seconds} s: ${event.reason}\n`);
      }
      const warning = warningOf(event);
      if (warning) io.stderr.write(`oidc-auth: warning: ${warning}\n`);
      more(event);
    },
  };
}

import type { AuthEvent } from "../context.js";
import type { CliIo } from "./io.js";

/** What a person should know of what happens, on standard error. */
export function warningOf(event: AuthEvent): string | undefined {
  if (event.type === "warning") return event.message;
  return event.type === "scope_reduced" ? `the server did not grant ${event.missing.join(", ")}` : undefined;
}

/** An option for `authenticate()` that reports warnings, and tells the events on. */
export function reporting(
  io: CliIo,
  more: (event: AuthEvent) => void = () => {},
): { onEvent(event: AuthEvent): void } {
  return {
    onEvent: (event) => {
      const warning = warningOf(event);
      if (warning) io.stderr.write(`oidc-auth: warning: ${warning}\n`);
      more(event);
    },
  };
}

import { detectEnvironment, type Environment } from "../environment.js";
import { AuthError, isAuthError } from "../errors.js";
import type { LoginActions, LoginStep, LoginUi } from "../login-ui.js";
import { LoggedInElsewhere } from "./login-elsewhere.js";
import { openBrowser } from "./open-browser.js";
import type { Session } from "./session.js";

/** What a login needs to reach the person. */
export interface LoginDisplay {
  readonly ui: LoginUi;
  readonly environment: Environment;
  /** Whether a browser can be opened in front of the person. */
  readonly hasBrowser: boolean;
  /** Tries to open a browser in front of the person, and shows whether that worked. Throws what the display does. */
  openBrowser(url: string, signal: AbortSignal): Promise<void>;
}

/** Judges the caller's surroundings, with what the options overrule. */
export async function environmentOf(session: Session): Promise<Environment> {
  const { isatty } = await import("node:tty");
  const { env = process.env, interactive, ui } = session.options;
  return detectEnvironment(
    {
      env,
      platform: process.platform,
      stdinIsTty: isatty(0),
      stderrIsTty: isatty(2),
      ownUi: ui !== undefined,
    },
    interactive,
  );
}

/** Runs a login with the caller's display or the terminal's, and shows how it ended. */
export async function withLoginUi<T>(
  session: Session,
  login: (display: LoginDisplay) => Promise<T>,
): Promise<T> {
  const environment = await environmentOf(session);
  const ui = session.options.ui ?? (await terminalUi(session));
  const opener = session.options.openBrowser ?? true;
  const hasBrowser = typeof opener === "function" || (opener && environment.browser);
  let over = false;
  // Who opens the browser may come back only when it is closed: what they tell then is of no more interest.
  const tell = async (step: LoginStep) => {
    if (!over) await ui.show(step);
  };
  const display: LoginDisplay = {
    ui,
    environment,
    hasBrowser,
    openBrowser: async (url, signal) => {
      if (!hasBrowser) return;
      try {
        await openBrowser(opener, url, signal);
        await tell({ type: "browser_opened" });
      } catch (error) {
        const reason = error instanceof Error ? error.message : "it could not be started";
        await tell({ type: "browser_failed", reason });
      }
    },
  };
  try {
    const result = await login(display).finally(() => {
      over = true;
    });
    await ui.show({ type: "done" });
    return result;
  } catch (error) {
    await showEnd(ui, error).catch(() => {});
    // The error itself is what counts; a display that fails now must not hide it.
    throw error;
  }
}

/** How a login ended that got no token itself. */
async function showEnd(ui: LoginUi, error: unknown): Promise<void> {
  const message = isAuthError(error) ? error.message : "The login failed.";
  if (!(error instanceof LoggedInElsewhere)) return ui.show({ type: "failed", message });
  await ui.show({ type: "notice", message });
  await ui.show({ type: "done" });
}

async function terminalUi(session: Session): Promise<LoginUi> {
  const { createTerminalUi } = await import("../terminal/terminal-ui.js");
  const { stderr, stdin } = process;
  const { env = process.env, terminal } = session.options;
  return createTerminalUi({ stderr, stdin, env, now: session.context.now, ...terminal });
}

/** What the person may do while a login waits, and the signal that it ends with. */
export function loginActions(
  { hasBrowser, openBrowser }: LoginDisplay,
  url: string,
  signal: AbortSignal,
): { actions: LoginActions; signal: AbortSignal } {
  const givenUp = new AbortController();
  const until = AbortSignal.any([signal, givenUp.signal]);
  return {
    actions: {
      ...(hasBrowser && {
        openBrowser: () => void openBrowser(url, until).catch((error: unknown) => givenUp.abort(error)),
      }),
      giveUp: () => givenUp.abort(new AuthError("login_cancelled", "The login was given up.")),
    },
    signal: until,
  };
}

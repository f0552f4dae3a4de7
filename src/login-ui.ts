import type { DeviceCode } from "./servers/auth-server.js";

/** What a login has to tell the person, step by step. All text in it is safe to print. */
export type LoginStep =
  | {
      type: "device";
      server: string;
      code: DeviceCode;
      expiresAt: number;
      /** A browser on this machine would do, too: where it goes, and where it comes back. */
      here?: { url: string; redirectUri: string };
    }
  | {
      type: "code";
      server: string;
      /** What the browser opens. */
      url: string;
      /** Where the browser will end, on this machine. */
      redirectUri: string;
      port: number;
      /** Whether the person sits behind SSH, so that the port must be forwarded to them. */
      ssh: boolean;
      /** Whether the URL that the browser ended at may be pasted ({@link LoginUi.readCallbackUrl}). */
      paste: boolean;
      expiresAt: number;
    }
  | { type: "browser_opened" }
  | { type: "browser_failed"; reason: string }
  | { type: "notice"; message: string }
  | { type: "done" }
  | { type: "failed"; message: string };

/** What a person may do while we wait. */
export interface LoginActions {
  /** Opens the address in a browser; absent where none can be expected in front of the person. */
  readonly openBrowser?: (() => void) | undefined;
  /** Takes the address that a browser ended at; what is none of this login's changes nothing. */
  readonly paste?: ((text: string) => void) | undefined;
  /** Ends the login with `login_cancelled`. */
  giveUp(): void;
}

/** How a login shows itself. The terminal has one; a desktop application brings its own. */
export interface LoginUi {
  /** Shows a step. An error thrown here ends the login. */
  show(step: LoginStep): void | Promise<void>;
  /** Shows that we are waiting, until Unix milliseconds `until`, and takes keys; returns what ends the display. */
  waiting?(until: number, actions: LoginActions): () => void;
  /** Whether {@link readCallbackUrl} can be answered at all. */
  readonly canPaste?: boolean;
  /** Reads one line: the URL that the browser ended at. `undefined`: there will be none. Ends when aborted. */
  readCallbackUrl?(signal: AbortSignal): Promise<string | undefined>;
}

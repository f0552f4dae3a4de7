import type { DeviceCode } from "./servers/auth-server.js";

/** What of a device code a person may see. */
export type ShownDeviceCode = Omit<DeviceCode, "deviceCode">;

/** What a login has to tell the person, step by step. All text in it is safe to print. */
export type LoginStep =
  | {
      /** The person enters a code on any device. */
      type: "device";
      /** Who is asked. */
      server: string;
      /** Where the person goes, and what they enter there; without what we poll with. */
      code: ShownDeviceCode;
      /** Unix milliseconds at which the time for it ends. */
      expiresAt: number;
      /** A browser on this machine would do, too. */
      here?: {
        /** What it opens. */
        url: string;
        /** Where it comes back. */
        redirectUri: string;
      };
    }
  | {
      /** The person logs in with a browser that reaches this machine. */
      type: "code";
      /** Who is asked. */
      server: string;
      /** What the browser opens. */
      url: string;
      /** Where the browser will end, on this machine. */
      redirectUri: string;
      /** The port of this machine that the browser comes back to. */
      port: number;
      /** Whether the person sits behind SSH, so that the port must be forwarded to them. */
      ssh: boolean;
      /** Whether the URL that the browser ended at may be pasted ({@link LoginUi.readCallbackUrl}). */
      paste: boolean;
      /** Unix milliseconds at which the time for it ends. */
      expiresAt: number;
    }
  | {
      /** A browser was opened. Whether the person sees it, nobody knows. */
      type: "browser_opened";
    }
  | {
      /** No browser could be opened: the person has to open the address. */
      type: "browser_failed";
      /** Why, in words. */
      reason: string;
    }
  | {
      /** Something that the person should know. */
      type: "notice";
      /** In a sentence. */
      message: string;
    }
  | {
      /** The login has ended well. */
      type: "done";
    }
  | {
      /** The login has failed. */
      type: "failed";
      /** Why, in a sentence. */
      message: string;
    };

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

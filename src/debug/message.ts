import type { AuthEvent } from "../context.js";
import type { AuthErrorCode } from "../errors.js";

/** One request and its answer, published when it is over. */
export interface RequestMessage {
  /** Tells it from the others. */
  readonly type: "request";
  /** What was asked, such as "token endpoint"; "API" for what `createAuthFetch()` carries the token to. */
  readonly what: string;
  /** `GET`, `POST`. */
  readonly method: string;
  /** Without credentials and fragment; of its parameters all names, and the values that are known to be open. */
  readonly url: string;
  /** All names of the form; the values that are known to be open, for the others `…`. */
  readonly form?: Readonly<Record<string, string>>;
  /** The scheme of the `Authorization` header, without what follows it. */
  readonly authorization?: string;
  /** Absent where no answer came. */
  readonly status?: number;
  /** Of the answer. */
  readonly contentType?: string;
  /** The error code of the answer (`invalid_grant`), or ours where no answer came (`network_error`). */
  readonly error?: string;
  /** Why no answer came. */
  readonly reason?: string;
  /** Milliseconds from sending it to the end of the answer; of an API to the answer's headers. */
  readonly durationMs: number;
}

/** What `onEvent` is told, too. */
export interface EventMessage {
  /** Tells it from the others. */
  readonly type: "event";
  /** It, as it was told. */
  readonly event: AuthEvent;
}

/** What `explain` is told, too: why a step is taken or skipped. */
export interface ExplainMessage {
  /** Tells it from the others. */
  readonly type: "explain";
  /** A sentence. */
  readonly text: string;
}

/** What was done with a token store. */
export interface StoreMessage {
  /** Tells it from the others. */
  readonly type: "store";
  /**
   * `lock_waiting`: somebody else has it, and we begin to wait. `lock_taken_over`: its holder had died.
   * `lock_skipped`: what we waited for was there before the lock was ours.
   */
  readonly action:
    | "read"
    | "written"
    | "removed"
    | "lock_waiting"
    | "lock_taken_over"
    | "lock_taken"
    | "lock_skipped"
    | "lock_released";
  /** Which store: "the file /home/me/.cache/…". */
  readonly store: string;
  /** Whose entry, where it is about one; masked as a request's URL. */
  readonly key?: string;
  /** Which of several logins to that server. */
  readonly account?: string;
  /** Of `read`: whether there was one. Of `written` and `removed`: whether it was done. */
  readonly done?: boolean;
  /** Of `lock_waiting`: who has it, where that can be told. */
  readonly holder?: string;
  /** Milliseconds: of `lock_taken` and `lock_skipped` how long we waited, of `lock_released` how long it was ours. */
  readonly durationMs?: number;
}

/** How far a person's login is. */
export type LoginMessage = {
  /** Tells it from the others. */
  readonly type: "login";
} & LoginProgress;

/** The steps of a person's login. */
export type LoginProgress =
  | {
      /** We listen for the browser. */
      readonly step: "listening";
      /** Where it comes back. */
      readonly redirectUri: string;
    }
  | {
      /** The browser is asked to open an address. */
      readonly step: "browser";
      /** Which; masked as a request's URL. */
      readonly url: string;
    }
  | {
      /** A code is shown, which the person enters on any device. */
      readonly step: "device_code";
      /** Where they enter it; masked as a request's URL. */
      readonly verificationUri: string;
      /** Seconds. */
      readonly expiresIn: number;
      /** Seconds between polls. */
      readonly interval: number;
    }
  | {
      /** The browser came back, or an address was pasted. */
      readonly step: "callback";
      /** What it came with; masked as a request's form. */
      readonly parameters: Readonly<Record<string, string>>;
      /** Whether it is the answer to this login; else it changed nothing. */
      readonly ours: boolean;
    };

/** The call ended without a token. */
export interface FailedMessage {
  /** Tells it from the others. */
  readonly type: "failed";
  /** `unexpected` for what is no AuthError: a mistake of ours, or of a function that was handed in. */
  readonly code: AuthErrorCode | "unexpected";
  /** What happened, and where. */
  readonly message: string;
}

/** What is told of what happens; it holds no secret. */
export type DebugFact =
  | RequestMessage
  | EventMessage
  | ExplainMessage
  | StoreMessage
  | LoginMessage
  | FailedMessage;

/**
 * What is published on the channel `oidc-auth-client` of `node:diagnostics_channel`. It holds no secret: of requests
 * and addresses it has names, and only those values that are known to be open.
 */
export type DebugMessage = DebugFact & {
  /** Unix milliseconds, by the real clock. */
  readonly time: number;
};

import type { AuthEvent } from "./context.js";
import type { LoginUi } from "./login-ui.js";
import type { RouteOptions } from "./settings/routes.js";
import type { TokenStore } from "./store/token-store.js";

/** How the browser is opened: by the system's default (`true`), not at all (`false`), or by a function. */
export type BrowserOpener = boolean | ((url: string, signal: AbortSignal) => Promise<void> | void);

/** What a product adds to the pages that the browser ends on. */
export interface LoopbackPagesOptions {
  /** Shown above the outcome. */
  productName?: string | undefined;
  /** A `data:` URL with a picture (PNG, JPEG, GIF, WebP or SVG in base64), of no more than 100 kB. */
  logo?: string | undefined;
}

/** How a login looks in a terminal. */
export interface TerminalOptions {
  /** Whether a QR code of the address is shown. Default: where the window is large enough. */
  qr?: boolean | undefined;
  /** Plain lines, for screen readers: nothing moves, and no key is listened for. Default false. */
  plain?: boolean | undefined;
}

/** Network as companies have it. */
export interface NetworkOptions {
  /**
   * Address of an HTTP proxy, with name and password where it wants them; `false`: none. Default: what `HTTPS_PROXY`,
   * `HTTP_PROXY` and `NO_PROXY` say.
   */
  proxy?: string | URL | false | undefined;
  /** PEM file of certificate authorities that are trusted beside Node's own. */
  caFile?: string | undefined;
  /** PEM file of the client's certificate (RFC 8705). */
  certFile?: string | undefined;
  /** PEM file of its key. */
  keyFile?: string | undefined;
  /** Opens the key's file where it is encrypted. */
  passphrase?: string | undefined;
}

/** What `authenticate()` and the flows have in common. */
export interface LoginOptions extends RouteOptions {
  /**
   * Where tokens are kept. Default: `new TokenStore({ appName })`, which is the file that `OIDC_TOKEN_FILE` names, else
   * the one that the Python client uses for `appName`.
   */
  store?: TokenStore | undefined;
  /** Names the folder of the default store. Default `py-oidc-auth`. Not together with `store`. */
  appName?: string | undefined;
  /** Keeps several logins to one server apart; any name. Default: the one without. */
  account?: string | undefined;
  /** Logs in anew even where a stored token would do. Default false. */
  force?: boolean | undefined;
  /**
   * Seconds that a person has for the login. Default: as long as the device code is valid, or five minutes in the
   * browser.
   */
  timeout?: number | undefined;
  /**
   * Seconds that one request to a server may take, from the first byte sent to the last one read. Default 30. A person's
   * time for the login is `timeout`.
   */
  requestTimeout?: number | undefined;
  /**
   * Whether a person can be reached. Default: judged from terminals, batch and CI variables, and
   * `INTERACTIVE_SESSION`.
   */
  interactive?: boolean | undefined;
  /** Ends the call with `login_cancelled`; with `login_timeout` where it is an `AbortSignal.timeout()`. */
  signal?: AbortSignal | undefined;
  /** Shows the login to the person. Default: the terminal, on standard error. */
  ui?: LoginUi | undefined;
  /** A product's name and logo on the pages that the browser ends on. */
  loopbackPages?: LoopbackPagesOptions | undefined;
  /** How the terminal's own display looks; without effect where `ui` is given. */
  terminal?: TerminalOptions | undefined;
  /** How the browser is opened. Default true: the system's, where one can be expected in front of the person. */
  openBrowser?: BrowserOpener | undefined;
  /** Sends the requests. Default: the global `fetch`, through the proxy that `HTTPS_PROXY` names where one is set. */
  fetch?: typeof globalThis.fetch | undefined;
  /** Proxy, extra certificate authority, client certificate; not together with `fetch`. */
  network?: NetworkOptions | undefined;
  /** Told of what happens: reuse, refresh, retries, warnings. Holds no secret. */
  onEvent?: ((event: AuthEvent) => void) | undefined;
  /** Told, in sentences, why each step was taken or skipped. Holds no secret. */
  explain?: ((step: string) => void) | undefined;
  /** The environment variables that count. Default `process.env`. */
  env?: Readonly<Record<string, string | undefined>> | undefined;
  /** What time it is, in Unix milliseconds. Default `Date.now`. */
  now?: (() => number) | undefined;
  /**
   * Milliseconds since any moment, on a clock that nobody sets: what time-outs and the lives of device codes are
   * measured by. Default: the machine's, which goes on while it sleeps; where `now` is given, that.
   */
  uptime?: (() => number) | undefined;
  /** Waits for so many milliseconds. Default: a timer that ends with the signal. */
  sleep?: ((ms: number, signal?: AbortSignal) => Promise<void>) | undefined;
}

/** Which login is used: by what the server offers and where the person sits (`auto`), by device code, or in the browser. */
export type FlowName = "auto" | "device" | "code";

/** Options of `authenticate()`. */
export interface AuthenticateOptions extends LoginOptions {
  /**
   * Which login is used. Default `auto`. At an issuer: in the browser where one can be expected in front of the person,
   * else by device code. At a server with the py-oidc-auth routes: by device code. Each where the server has it, else
   * the other.
   */
  flow?: FlowName | undefined;
  /**
   * The command of the program itself that logs in, as a person types it: `my-tool login`. The hint of
   * `interaction_required` names it. Default: the one of `oidc-auth` that logs in to the same server.
   */
  loginCommand?: string | undefined;
}

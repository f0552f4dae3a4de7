import { approveDevice, type PersonOptions } from "../person.js";
import { Broker } from "./broker.js";
import { Controls, type LoggedRequest } from "./controls.js";
import type { Fault, Grant, Route } from "./faults.js";
import { type Listening, listen } from "./http.js";
import type { ErrorShape } from "./oauth-error.js";
import { startProvider } from "./provider.js";
import { routes } from "./routes.js";
import { Upstream } from "./upstream.js";

/** Options of {@link startAuthServer}. */
export interface AuthServerOptions {
  /** Whether the provider's tokens are handed on by the routes, or these mint their own. Default `passthrough`. */
  mode?: "passthrough" | "broker";
  /** Whether there is a device flow. Default true. */
  deviceFlow?: boolean;
  /** Seconds that an access token is valid. Default 300. */
  accessTokenLifetime?: number;
  /** Seconds between polls; `undefined`: not stated. Default 5. */
  deviceInterval?: number | undefined;
  /** Whether polling quicker than that gets `slow_down`. Default true. */
  enforceInterval?: boolean;
  /** Seconds that a device code is valid. Default 600. */
  deviceCodeLifetime?: number;
  /** Whether each refresh gives a new refresh token, and reuse of the old one revokes the login. Default true. */
  rotateRefreshTokens?: boolean;
  /** Seconds for which a used refresh token gets the same answer again, as some servers have it. Default 0. */
  refreshGracePeriod?: number;
  /** Milliseconds that a token request takes. Default 0. */
  tokenLatency?: number;
  /** What GET /auth/v2/auth-ports lists. Default: there is no such route. */
  authPorts?: readonly number[];
  /** Ports registered at the provider for the routes. Default 53100 to 53105. */
  redirectPorts?: readonly number[];
  /** Port of the routes. Default: a free one. */
  port?: number;
  /** Path below which all routes lie, such as `/api/app`. Default: none. */
  basePath?: string;
  /**
   * The clock (milliseconds) by which polls are too quick: that of {@link fakeClock}, where your program has it. Default:
   * real time. All that ends, such as tokens and codes, ends in real time.
   */
  now?: () => number;
}

/** A running auth server, and the strings that tests pull. */
export interface AuthServer {
  /** Address of a server with the py-oidc-auth routes: `authenticate(server.host)`. */
  readonly host: string;
  /** The OpenID provider behind the routes: `authenticate({ issuer: server.issuer, clientId: server.clientId })`. */
  readonly issuer: string;
  /** A native program without a secret, registered at the provider: browser, device code and refresh. */
  readonly clientId: string;
  /** A protected API: tells who asks, as `{ username, email }`, and 401 where the token is not good (RFC 6750 §3). */
  readonly meUrl: string;
  /**
   * How often each route was asked (`login`, `device`, `token`, `userinfo`, `me`, …), what for (`token:code`,
   * `token:device`, `token:refresh`), and `refreshes` that succeeded. What was never asked has no entry.
   */
  readonly counts: Readonly<Record<string, number>>;
  /** Method, path and parameter names of each request: no values. */
  readonly requests: readonly LoggedRequest[];
  /** How the routes write errors: FastAPI's `detail`, or OAuth's own. Default `detail`. */
  errorShape: ErrorShape;
  /** Opens the provider's page for device codes, types the code that a program shows, and allows or denies it. */
  approveDevice(userCode: string, options?: PersonOptions): Promise<void>;
  /**
   * Lets the next requests of a route fail: `server.fail("token", failures.lostAnswer, 1, "refresh")`. Where a program
   * asks the provider itself, its endpoints fail in place of the routes.
   *
   * @param times how many requests; default 1
   * @param grant only token requests of this kind
   */
  fail(route: Route, fault: Fault, times?: number, grant?: Grant): void;
  /** The next polls are told to slow down. */
  slowDown(times: number): void;
  /** Revokes all logins: refreshing gets `invalid_grant`, in broker mode 401. */
  revokeAll(): Promise<void>;
  /** Forgets what was counted and logged. */
  resetCounts(): void;
  /** The provider is down; the routes in front of it still answer. */
  stopProvider(): Promise<void>;
  /** It is back, and knows what it had granted. */
  startProvider(): Promise<void>;
  /** Ends at once, also what is kept alive. */
  close(): Promise<void>;
  /** The same: `await using server = await startAuthServer()`. */
  [Symbol.asyncDispose](): Promise<void>;
}

const REDIRECT_PORTS = [53_100, 53_101, 53_102, 53_103, 53_104, 53_105];

/**
 * Starts a real OpenID provider with the py-oidc-auth routes in front, both on the loopback address. Any name gets in.
 * Works under any test runner; needs the package `oidc-provider`.
 *
 * @throws AuthError `not_supported` where that package is not installed
 */
export async function startAuthServer(options: AuthServerOptions = {}): Promise<AuthServer> {
  const deviceInterval = "deviceInterval" in options ? options.deviceInterval : 5;
  const { accessTokenLifetime = 300, deviceCodeLifetime = 600, basePath = "" } = options;
  const { authPorts, refreshGracePeriod = 0 } = options;
  const controls = new Controls({
    deviceInterval: deviceInterval ?? 5,
    enforceInterval: options.enforceInterval ?? true,
    tokenLatency: options.tokenLatency ?? 0,
    now: options.now ?? (() => performance.now()),
  });
  const redirectPorts = options.redirectPorts ?? REDIRECT_PORTS;
  const provider = await startProvider(
    {
      ...{ accessTokenLifetime, deviceCodeLifetime, deviceInterval },
      redirectUris: redirectPorts.map((port) => `http://localhost:${port}/callback`),
      deviceFlow: options.deviceFlow ?? true,
      rotateRefreshTokens: options.rotateRefreshTokens ?? true,
    },
    controls,
  );
  const broker = options.mode === "broker" ? await Broker.create(accessTokenLifetime) : undefined;
  const upstream = new Upstream(provider);
  const front = {
    ...{ basePath, upstream, broker, controls, authPorts },
    ...{ deviceInterval, deviceCodeLifetime, refreshGracePeriod },
  };
  let server: Listening;
  try {
    server = await listen(options.port ?? 0, routes(front));
  } catch (error) {
    await provider.stop();
    throw error;
  }
  const host = `http://127.0.0.1:${server.port}${basePath}`;
  const close = async () => {
    await Promise.all([server.close(), provider.stop()]);
  };
  return {
    host,
    issuer: provider.issuer,
    clientId: provider.nativeClientId,
    meUrl: `${host}/me`,
    counts: controls.counts,
    requests: controls.requests,
    get errorShape() {
      return controls.errorShape;
    },
    set errorShape(shape) {
      controls.errorShape = shape;
    },
    approveDevice: (userCode, person) => approveDevice(userCode, { ...person, server: provider }),
    fail: (route, fault, times = 1, grant) => controls.faults.plan(route, fault, times, grant),
    slowDown: (times) => {
      controls.slowDowns = times;
    },
    revokeAll: async () => {
      broker?.revokeAll();
      await provider.revokeAll();
    },
    resetCounts: () => controls.reset(),
    stopProvider: provider.stop,
    startProvider: provider.start,
    close,
    [Symbol.asyncDispose]: close,
  };
}

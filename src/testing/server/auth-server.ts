import { Broker } from "./broker.js";
import { type Fault, Faults, type Grant, type Route } from "./faults.js";
import { type Listening, listen } from "./http.js";
import { type ProviderOptions, type RunningProvider, startProvider } from "./provider.js";
import { type RoutesState, routes } from "./routes.js";
import { Upstream } from "./upstream.js";

export interface AuthServerOptions {
  /** Whether the provider's tokens are handed on, or the server mints its own. Default `passthrough`. */
  mode?: "passthrough" | "broker";
  /** Default true. */
  deviceFlow?: boolean;
  /** Seconds. Default 300. */
  accessTokenLifetime?: number;
  /** Seconds between polls; `undefined`: not stated. Default 5. */
  deviceInterval?: number | undefined;
  /** Whether polling quicker than that gets `slow_down`. Default true. */
  enforceInterval?: boolean;
  /** Seconds. Default 600. */
  deviceCodeLifetime?: number;
  /** Whether each refresh gives a new refresh token, and reuse of the old one revokes the login. Default true. */
  rotateRefreshTokens?: boolean;
  /** Milliseconds that the token route takes. Default 0. */
  tokenLatency?: number;
  /** What GET /auth/v2/auth-ports lists. Default: there is no such route. */
  authPorts?: readonly number[];
  /** Ports registered at the provider. Default 53100 to 53105. */
  redirectPorts?: readonly number[];
  /** Default: a free one. */
  port?: number;
  /** Path below which all routes lie, such as `/api/app`. */
  basePath?: string;
}

/** A running auth server, and the strings that tests pull. */
export interface AuthServer {
  /** Address of the routes. */
  readonly host: string;
  readonly issuer: string;
  /** A protected API. */
  readonly meUrl: string;
  /** How often each route was asked (`device`, `token:refresh`, …), and `refreshes` that succeeded. */
  readonly counts: Record<string, number>;
  /** Method, path and parameter names of each request. */
  readonly requests: { readonly method: string; readonly path: string; readonly names: readonly string[] }[];
  /** How errors are written: FastAPI's `detail`, or OAuth's own. */
  errorShape: "detail" | "plain";
  /** Lets the next requests of a route fail. */
  fail(route: Route, fault: Fault, times?: number, grant?: Grant): void;
  /** The next polls are told to slow down. */
  slowDown(times: number): void;
  /** Revokes all logins: refreshing gets `invalid_grant`, in broker mode 401. */
  revokeAll(): Promise<void>;
  /** Forgets what was counted and logged. */
  resetCounts(): void;
  /** The provider behind the routes is down; they still answer. */
  stopProvider(): Promise<void>;
  /** It is back, and knows what it had granted. */
  startProvider(): Promise<void>;
  /** Ends at once, also what is kept alive. */
  close(): Promise<void>;
}

const REDIRECT_PORTS = [53_100, 53_101, 53_102, 53_103, 53_104, 53_105];

/** Starts a real OpenID provider with the py-oidc-auth routes in front, all on the loopback address. */
export async function startAuthServer(options: AuthServerOptions = {}): Promise<AuthServer> {
  const providerOptions: ProviderOptions = {
    redirectUris: (options.redirectPorts ?? REDIRECT_PORTS).map(
      (port) => `http://localhost:${port}/callback`,
    ),
    deviceFlow: options.deviceFlow ?? true,
    accessTokenLifetime: options.accessTokenLifetime ?? 300,
    deviceCodeLifetime: options.deviceCodeLifetime ?? 600,
    rotateRefreshTokens: options.rotateRefreshTokens ?? true,
  };
  const provider: RunningProvider = await startProvider(providerOptions);
  const broker =
    options.mode === "broker" ? await Broker.create(providerOptions.accessTokenLifetime) : undefined;
  const faults = new Faults();
  const counts: AuthServer["counts"] = {};
  const requests: AuthServer["requests"] = [];
  const state: RoutesState = {
    basePath: options.basePath ?? "",
    upstream: new Upstream(() => provider),
    broker,
    faults,
    authPorts: options.authPorts,
    deviceInterval: "deviceInterval" in options ? options.deviceInterval : 5,
    enforceInterval: options.enforceInterval ?? true,
    deviceCodeLifetime: providerOptions.deviceCodeLifetime,
    tokenLatency: options.tokenLatency ?? 0,
    errorShape: "detail",
    slowDowns: 0,
    count: (name) => {
      counts[name] = (counts[name] ?? 0) + 1;
    },
    log: (method, path, names) => requests.push({ method, path, names }),
  };
  const server: Listening = await listen(options.port ?? 0, routes(state));
  const host = `http://127.0.0.1:${server.port}${state.basePath}`;
  return {
    host,
    issuer: provider.issuer,
    meUrl: `${host}/me`,
    counts,
    requests,
    get errorShape() {
      return state.errorShape;
    },
    set errorShape(shape) {
      state.errorShape = shape;
    },
    fail: (route, fault, times = 1, grant) => faults.plan(route, fault, times, grant),
    slowDown: (times) => {
      state.slowDowns = times;
    },
    revokeAll: async () => {
      broker?.revokeAll();
      await provider.revokeAll();
    },
    resetCounts: () => {
      for (const name of Object.keys(counts)) delete counts[name];
      requests.length = 0;
    },
    stopProvider: provider.stop,
    startProvider: provider.start,
    close: async () => {
      await Promise.all([server.close(), provider.stop()]);
    },
  };
}

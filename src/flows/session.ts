import { Config, type ConfigInit } from "../config.js";
import { type AuthEvent, type Context, DEFAULT_REQUEST_TIMEOUT_MS } from "../context.js";
import { printDebugLines, publish, wantsDebugLines } from "../debug/channel.js";
import { cancelled } from "../errors.js";
import type { LoginOptions } from "../options.js";
import type { AuthServer } from "../servers/auth-server.js";
import { durations, invalid, onlyKnown, text } from "../settings/checks.js";
import type { RouteOptions } from "../settings/routes.js";
import type { StoreTarget } from "../store/server-slot.js";
import { TokenStore } from "../store/token-store.js";
import { MAX_TIMER_MS } from "./deadline.js";
import { networkFetch } from "./network-fetch.js";
import type { OpenServer } from "./open-server.js";
import { share } from "./shared-work.js";
import { uptime } from "./uptime.js";

/** Whom a caller may name as a server. */
export type Target = string | URL | Config | ConfigInit;

/** A caller's target and options, checked, with the real world filled in where they leave it open. */
export interface Session {
  readonly config: Config;
  readonly store: TokenStore;
  readonly context: Context;
  readonly options: LoginOptions;
  /** Where its token is kept: the config's place, and with credentials their subject's own place there. */
  place(): Promise<StoreTarget>;
  /** Made when first needed: a token that is reused needs no server. */
  server(signal?: AbortSignal): Promise<AuthServer>;
  /** Forgets that this program registered itself with the server. @returns whether it had */
  forgetRegistration(): Promise<boolean>;
}

/** @throws AuthError `invalid_config`, `insecure_host` */
export function openSession(target: Target, options: LoginOptions): Session {
  const config = Config.from(target, routeOptions(options));
  durations(options, ["timeout", "requestTimeout"]);
  checkKinds(options);
  checkPages(options.loopbackPages);
  if (wantsDebugLines(options.env ?? process.env)) printDebugLines(process.stderr).catch(() => {});
  const [store, context] = [openStore(options), openContext(options)];
  const opening = {};
  let opened: OpenServer | undefined;
  let forgotten = false;
  const open = async (signal: AbortSignal): Promise<OpenServer> => {
    const { openServer } = await import("./open-server.js");
    opened = await openServer({ config, store, account: options.account, context, forgotten, signal });
    return opened;
  };
  return {
    config,
    store,
    context,
    options,
    place: async () => {
      const { credentials } = config.settings;
      if (!credentials) return config;
      return `${config.storeKey}&subject=${await credentials.identity(options.env ?? process.env)}`;
    },
    // Opened once for all callers, and ended with the last of them.
    server: async (signal) => (opened ?? (await share(opening, "server", signal, open))).server,
    forgetRegistration: async () => {
      const registration = opened?.registration;
      opened = undefined;
      if (!registration) return false;
      forgotten = true;
      // Another process may have registered anew meanwhile: that one stays.
      await store.backend.delete(registration.key, { ifUnchanged: registration.entry });
      return true;
    },
  };
}

const FUNCTIONS = ["fetch", "onEvent", "explain", "now", "uptime", "sleep"] as const;

/** What would be found out late otherwise, perhaps by a person who logs in. */
function checkKinds({ signal, ui, openBrowser, ...options }: LoginOptions): void {
  const wrong = FUNCTIONS.find((name) => !["undefined", "function"].includes(typeof options[name]));
  if (wrong) throw invalid(wrong, "must be a function", undefined);
  if (signal !== undefined && typeof signal?.addEventListener !== "function")
    throw invalid("signal", "must be an AbortSignal", undefined);
  if (ui !== undefined && typeof ui?.show !== "function")
    throw invalid("ui", "must have a function show", undefined);
  if (!["undefined", "boolean", "function"].includes(typeof openBrowser))
    throw invalid("openBrowser", "must be true, false or a function", undefined);
}

const LOGO = /^data:image\/(png|jpeg|gif|webp|svg\+xml);base64,[A-Za-z0-9+/]+=*$/;
const MAX_LOGO_LENGTH = 140_000;

function checkPages(pages: LoginOptions["loopbackPages"]): void {
  if (pages === undefined) return;
  if (pages === null) throw invalid("loopbackPages", "must be an object", pages);
  onlyKnown(pages, ["productName", "logo"], "loopbackPages");
  text("loopbackPages.productName", pages.productName);
  const { logo } = pages;
  if (logo === undefined || (typeof logo === "string" && logo.length <= MAX_LOGO_LENGTH && LOGO.test(logo)))
    return;
  throw invalid(
    "loopbackPages.logo",
    "must be a data: URL of a picture in base64, of no more than 100 kB",
    undefined,
  );
}

function routeOptions(options: LoginOptions): RouteOptions {
  const { loginRoute, tokenRoute, deviceRoute, portsRoute, userinfoRoute, logoutRoute } = options;
  const { redirectPorts, prompt, offlineAccess, scopes, allowInsecureHost, credentials } = options;
  return {
    loginRoute,
    tokenRoute,
    deviceRoute,
    portsRoute,
    userinfoRoute,
    logoutRoute,
    redirectPorts,
    prompt,
    offlineAccess,
    scopes,
    allowInsecureHost,
    credentials,
  };
}

/** Default stores by path, so that a long-lived process keeps one memory copy of each file. */
const defaultStores = new Map<string, TokenStore>();

function openStore({ store, appName, env, now }: LoginOptions): TokenStore {
  if (store !== undefined) {
    if (appName !== undefined) throw invalid("store and appName", "cannot be given together", undefined);
    if (!(store instanceof TokenStore)) throw invalid("store", "must be a TokenStore", undefined);
    return store;
  }
  const fresh = new TokenStore({ appName, env, now });
  if (now || fresh.path === undefined) return fresh;
  const known = defaultStores.get(fresh.path);
  if (!known) defaultStores.set(fresh.path, fresh);
  return known ?? fresh;
}

function openContext(options: LoginOptions): Context {
  const { fetch, network, env, requestTimeout, now, sleep, onEvent, explain } = options;
  return {
    fetch: fetch ?? networkFetch(network, env),
    requestTimeoutMs:
      requestTimeout === undefined
        ? DEFAULT_REQUEST_TIMEOUT_MS
        : Math.min(requestTimeout * 1000, MAX_TIMER_MS),
    now: now ?? Date.now,
    uptime: options.uptime ?? now ?? uptime,
    sleep: sleep ?? pause,
    random: Math.random,
    emit: (event: AuthEvent) => {
      publish(() => ({ type: "event", event }));
      tell("onEvent", onEvent, event);
    },
    explain: (step) => {
      publish(() => ({ type: "explain", text: step }));
      tell("explain", explain, step);
    },
  };
}

/** A listener that fails ends nothing: the answer to a refresh may just have come, and is not stored yet. */
function tell<T>(name: string, listener: ((told: T) => void) | undefined, told: T): void {
  try {
    listener?.(told);
  } catch (error) {
    const why = error instanceof Error ? `: ${error.message}` : "";
    process.emitWarning(`${name} failed${why}`, "OidcAuthWarning");
  }
}

async function pause(ms: number, signal?: AbortSignal): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    if (signal?.aborted) {
      reject(cancelled(signal));
      return;
    }
    const onAbort = () => {
      clearTimeout(timer);
      if (signal) reject(cancelled(signal));
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", onAbort);
      resolve();
    }, ms);
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}

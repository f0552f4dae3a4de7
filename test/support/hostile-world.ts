import { join } from "node:path";
import { createAuthenticator } from "../../src/authenticate.js";
import { Config } from "../../src/config.js";
import { CodeFlow } from "../../src/flows/code-flow.js";
import { DeviceFlow } from "../../src/flows/device-flow.js";
import type { Target } from "../../src/flows/session.js";
import { logout } from "../../src/logout.js";
import type { AuthenticateOptions } from "../../src/options.js";
import { TokenStore } from "../../src/store/token-store.js";
import { type PersonUi, scriptedPerson } from "../../src/testing/index.js";
import { Token } from "../../src/token.js";
import { introspect, userinfo } from "../../src/userinfo.js";
import { tempFolder } from "./temp-folder.js";

/** What is asked of a server, by where it listens. */
export const TARGETS = {
  "the routes": (host: string) => ({ host }),
  // Without `openid`, as a nonce is nothing that this server knows.
  "an issuer": (host: string) => ({ issuer: host, clientId: "cli", scopes: ["read"] }),
};
export const KINDS = Object.keys(TARGETS) as (keyof typeof TARGETS)[];

/** Where each way's own request goes, with the routes and at an issuer. */
export const PATHS: Readonly<Record<string, readonly [string, string]>> = {
  "a login by device code": ["/auth/v2/device", "/device"],
  "a login in the browser": ["/auth/v2/token", "/token"],
  "a refresh": ["/auth/v2/token", "/token"],
  userinfo: ["/auth/v2/userinfo", "/userinfo"],
  introspection: ["/auth/v2/token", "/introspect"],
  "a logout": ["/auth/v2/token", "/revoke"],
};

/** Of what comes back only errors are for people: claims and tokens are data for programs. */
export const shownOf = (result: unknown) => (result instanceof Error ? result : undefined);

/** Somebody who does with a server all that can be done, and keeps what they are shown and told. */
export interface HostileWorld {
  readonly ui: PersonUi;
  readonly store: TokenStore;
  readonly options: AuthenticateOptions;
  /** Steps of logins, events, explanations, warnings. */
  readonly told: unknown[];
  /** What a browser was asked to open. */
  readonly opened: string[];
  /** What can be done there, each on its own. */
  readonly ways: Readonly<Record<string, () => Promise<unknown>>>;
}

/** A clock that only sleeping moves: whoever would wait for ever comes to an end at once. */
export function hostileWorld(target: Target, more: AuthenticateOptions = {}): HostileWorld {
  const told: unknown[] = [];
  const opened: string[] = [];
  let offset = 0;
  const now = () => Date.now() + offset;
  const { ui } = scriptedPerson({ acts: (step) => told.push(step) });
  const onWarning = (message: string) => void told.push(message);
  const store = new TokenStore({ path: join(tempFolder(), "store.json"), now, onWarning });
  const options: AuthenticateOptions = {
    store,
    ui,
    now,
    env: {},
    interactive: true,
    openBrowser: (url) => void opened.push(url),
    onEvent: (event) => told.push(event),
    explain: (step) => told.push(step),
    sleep: async (ms) => {
      offset += ms;
      await new Promise((resolve) => setImmediate(resolve));
    },
    ...more,
  };
  const stored = async () => {
    const issued = Math.floor(now() / 1000);
    const old = { accessToken: "old", refreshToken: "r", expiresAt: issued + 3600, issuedAt: issued };
    await store.put(Config.from(target), new Token({ ...old, scope: "openid read" }));
  };
  const withLogin = (work: () => Promise<unknown>) => async () => {
    await stored();
    return work();
  };
  const ways = {
    "a login by device code": () => new DeviceFlow(target, options).authenticate({ force: true }),
    "a login in the browser": async () => {
      const token = new CodeFlow(target, options).authenticate({ force: true });
      let visit: Promise<void> | undefined;
      void ui.seen("code").then(({ url, redirectUri }) => {
        const callback = new URL(redirectUri);
        callback.searchParams.set("code", "the-code");
        callback.searchParams.set("state", new URL(url).searchParams.get("state") ?? "");
        visit = fetch(callback).then(
          async (answer) => void told.push({ page: await answer.text() }),
          // The login has ended before: that is told by the token.
          () => {},
        );
      });
      return token.finally(() => visit);
    },
    "a refresh": withLogin(() =>
      createAuthenticator(target, { ...options, interactive: false })({ rejected: "old" }),
    ),
    userinfo: withLogin(() => userinfo(target, { ...options, interactive: false })),
    introspection: withLogin(() => introspect(target, { ...options, interactive: false })),
    "a logout": withLogin(() => logout(target, { ...options, endSession: true })),
  };
  return { ui, store, options, told, opened, ways };
}

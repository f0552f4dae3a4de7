import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { exportJWK, exportPKCS8, generateKeyPair } from "jose";
import { authenticate, createAuthenticator } from "../../src/authenticate.js";
import { Config, type ConfigInit } from "../../src/config.js";
import { clientCredentials, jwtBearer, signedJwt, tokenExchange } from "../../src/credentials/grants.js";
import {
  fromEnvironment,
  fromFile,
  fromGitHubActions,
  fromGitLab,
  fromKubernetes,
} from "../../src/credentials/workload.js";
import { createAuthFetch } from "../../src/fetch/auth-fetch.js";
import { eitherLogin } from "../../src/flows/either-login.js";
import type { LoginUi } from "../../src/login-ui.js";
import { logout, revoke } from "../../src/logout.js";
import { mcpAuthProvider } from "../../src/mcp/index.js";
import type { AuthenticateOptions } from "../../src/options.js";
import { TokenStore } from "../../src/store/token-store.js";
import { Token } from "../../src/token.js";
import { introspect, userinfo } from "../../src/userinfo.js";
import type { Ears } from "./sinks.js";
import type { Taint } from "./taint.js";
import type { TaintedServer } from "./tainted-server.js";

/** Where a flow runs. */
export interface TaintedWorld {
  readonly taint: Taint;
  readonly server: TaintedServer;
  readonly folder: string;
  readonly ears: Ears;
  readonly store: TokenStore;
  readonly options: AuthenticateOptions;
}

export interface TaintedFlow {
  /** The requests that meet the faults. */
  readonly paths: RegExp;
  run(world: TaintedWorld): Promise<unknown>;
}

export function taintedWorld(
  place: Pick<TaintedWorld, "taint" | "server" | "folder" | "ears"> & { readonly signal: AbortSignal },
): TaintedWorld {
  const { ears, folder, signal } = place;
  const store = new TokenStore({ path: join(folder, "store.json") });
  const options: AuthenticateOptions = {
    store,
    interactive: true,
    openBrowser: () => {},
    ui: browser(ears),
    onEvent: ears.onEvent,
    explain: ears.explain,
    env: { OIDC_AUTH_DEBUG: "1" },
    sleep: () => new Promise((resolve) => setImmediate(resolve)),
    signal,
  };
  return { ...place, store, options };
}

/** A person whose browser comes back once with another login's answer, and then with the right one. */
function browser(ears: Ears): LoginUi {
  const visit = async (address: string) => {
    const answer = await fetch(address);
    ears.keep("pages", [await answer.text(), ...answer.headers]);
    ears.keep("referrer", answer.headers.get("referrer-policy"));
  };
  return {
    show(step) {
      // The address of the login itself is the person's: it must be opened.
      const { url: _url, here: _here, ...rest } = step as typeof step & { url?: string; here?: unknown };
      ears.keep("ui", rest);
      const url = step.type === "code" ? step.url : step.type === "device" ? step.here?.url : undefined;
      const back =
        step.type === "code" ? step.redirectUri : step.type === "device" ? step.here?.redirectUri : undefined;
      if (url === undefined || back === undefined) return;
      void visit(`${back}?code=another&state=another`)
        .then(() => visit(url))
        .catch(() => {});
    },
  };
}

const issuer = ({ server }: TaintedWorld, more: object = {}): ConfigInit =>
  ({ issuer: server.url, clientId: "cli", ...more }) as ConfigInit;

const login =
  (target: (world: TaintedWorld) => Promise<ConfigInit> | ConfigInit, more: AuthenticateOptions = {}) =>
  async (world: TaintedWorld) =>
    authenticate(await target(world), { ...world.options, ...more });

/** Keeps a login that has to be renewed, or one that is good. */
async function keep({ store, taint, server }: TaintedWorld, target: ConfigInit, good = false): Promise<void> {
  const config = new Config(target);
  const at = config.settings.kind === "issuer" ? { issuer: server.url, clientId: "cli" } : {};
  const token = new Token({
    accessToken: taint.token("access token"),
    refreshToken: taint.token("refresh token"),
    idToken: taint.token("id token"),
    expiresAt: good ? 9e9 : 1,
    ...at,
  });
  await store.put(config, token);
}

const kept =
  (
    target: (world: TaintedWorld) => ConfigInit,
    use: (world: TaintedWorld, target: ConfigInit) => Promise<unknown>,
    good = true,
  ) =>
  async (world: TaintedWorld) => {
    await keep(world, target(world), good);
    return use(world, target(world));
  };

const routes = ({ server }: TaintedWorld): ConfigInit => ({ host: server.url });

async function privateKey({ taint }: TaintedWorld) {
  const { privateKey: key } = await generateKeyPair("ES256", { extractable: true });
  const jwk = await exportJWK(key);
  taint.add("private key", String(jwk.d));
  taint.bytes("private key", Buffer.from(String(jwk.d), "base64url"));
  return { pem: await exportPKCS8(key), jwk: jwk as Record<string, unknown> };
}

const secret = (method: "client_secret_basic" | "client_secret_post") =>
  login((world) =>
    issuer(world, {
      clientSecret: world.taint.make("client secret", '/+"%~\\=ä €&'),
      clientAuthMethod: method,
      credentials: clientCredentials(),
    }),
  );

const file = ({ taint, folder }: TaintedWorld) => {
  const path = join(folder, "job-token");
  writeFileSync(path, taint.token("subject token"));
  return path;
};

const workload =
  (inJob: (world: TaintedWorld) => { target: ConfigInit; env: Record<string, string> }) =>
  async (world: TaintedWorld) => {
    const { target, env } = inJob(world);
    return authenticate(target, { ...world.options, env: { ...world.options.env, ...env } });
  };

const TOKEN = /^\/(auth\/v2\/)?token$/;

/** Every way to a token, and all that is done with one. */
export const FLOWS: Readonly<Record<string, TaintedFlow>> = {
  "routes: browser": { paths: TOKEN, run: login(routes, { flow: "code" }) },
  "routes: the login route": { paths: /login$/, run: login(routes, { flow: "code" }) },
  "routes: device code": { paths: TOKEN, run: login(routes, { flow: "device" }) },
  "routes: the device route": { paths: /device$/, run: login(routes, { flow: "device" }) },
  "routes: refresh": {
    paths: TOKEN,
    run: kept(
      routes,
      (world, target) => authenticate(target, { ...world.options, interactive: false }),
      false,
    ),
  },
  "routes: token exchange": {
    paths: TOKEN,
    run: login((world) => ({
      host: world.server.url,
      credentials: tokenExchange({ subjectToken: world.taint.token("subject token") }),
    })),
  },
  "routes: userinfo": {
    paths: /userinfo$/,
    run: kept(routes, (world, target) => userinfo(target, world.options)),
  },
  "issuer: browser": { paths: TOKEN, run: login(issuer, { flow: "code" }) },
  "issuer: device code": { paths: TOKEN, run: login(issuer, { flow: "device" }) },
  "issuer: the device endpoint": { paths: /device-/, run: login(issuer, { flow: "device" }) },
  "issuer: both at once": {
    paths: TOKEN,
    run: async (world) => {
      const { session } = createAuthenticator(issuer(world), world.options);
      return eitherLogin(session, world.options.signal ?? new AbortController().signal);
    },
  },
  "issuer: refresh": {
    paths: TOKEN,
    run: kept(
      issuer,
      (world, target) => authenticate(target, { ...world.options, interactive: false }),
      false,
    ),
  },
  "issuer: pushed parameters": {
    paths: /par$/,
    run: login((world) => issuer(world, { pushedAuthorizationRequests: true }), { flow: "code" }),
  },
  "issuer: a signed answer (JARM)": {
    paths: TOKEN,
    run: login((world) => issuer(world, { responseMode: "jwt" }), { flow: "code" }),
  },
  "issuer: a key (DPoP), and an API": {
    paths: /token$|api$/,
    run: async (world) => {
      const target = issuer(world, { dpop: true, resource: `${world.server.url}/api` });
      const call = createAuthFetch(target, { ...world.options, flow: "code" });
      const answer = await call(`${world.server.url}/api`, signalOf(world));
      for (const entry of Object.values(JSON.parse(await storeText(world))))
        world.taint.add("DPoP key", dpopKeyOf(entry));
      return answer.status;
    },
  },
  "the client's secret by Basic": { paths: TOKEN, run: secret("client_secret_basic") },
  "the client's secret in the body": { paths: TOKEN, run: secret("client_secret_post") },
  "the client's key (PEM)": {
    paths: TOKEN,
    run: login(async (world) => {
      const { pem } = await privateKey(world);
      return issuer(world, { privateKey: pem, credentials: clientCredentials() });
    }),
  },
  "the client's key (JWK)": {
    paths: TOKEN,
    run: login(async (world) => {
      const { jwk } = await privateKey(world);
      return issuer(world, { privateKey: jwk, credentials: clientCredentials() });
    }),
  },
  "token exchange for another": {
    paths: TOKEN,
    run: login((world) =>
      issuer(world, {
        credentials: tokenExchange({
          subjectToken: world.taint.token("subject token"),
          actorToken: world.taint.token("actor token"),
        }),
      }),
    ),
  },
  "an assertion of our own": {
    paths: TOKEN,
    run: login(async (world) => {
      const { pem } = await privateKey(world);
      return issuer(world, {
        credentials: jwtBearer({ assertion: signedJwt({ issuer: "me", privateKey: pem }) }),
      });
    }),
  },
  "a job's token in a file": {
    paths: TOKEN,
    run: login((world) => issuer(world, { credentials: fromFile(file(world)) })),
  },
  "a pod's token, as the client's proof": {
    paths: TOKEN,
    run: login((world) =>
      issuer(world, { credentials: fromKubernetes({ path: file(world), use: "client-assertion" }) }),
    ),
  },
  "a job's token in a variable": {
    paths: TOKEN,
    run: workload((world) => ({
      target: issuer(world, { credentials: fromEnvironment("JOB", { use: "jwt-bearer" }) }),
      env: { JOB: world.taint.token("subject token") },
    })),
  },
  "a job's token of GitLab": {
    paths: TOKEN,
    run: workload((world) => ({
      target: issuer(world, { credentials: fromGitLab() }),
      env: { OIDC_TOKEN: world.taint.token("subject token") },
    })),
  },
  "a job's token of GitHub": {
    paths: /github$/,
    run: workload((world) => ({
      target: issuer(world, { credentials: fromGitHubActions({ audience: "x" }) }),
      env: {
        ACTIONS_ID_TOKEN_REQUEST_URL: `${world.server.url}/github`,
        ACTIONS_ID_TOKEN_REQUEST_TOKEN: world.taint.token("request token"),
      },
    })),
  },
  registration: {
    paths: /register$/,
    run: login(
      ({ server, taint }) => ({
        issuer: server.url,
        initialAccessToken: taint.token("initial access token"),
      }),
      { flow: "code" },
    ),
  },
  "an API that names its issuer": {
    paths: TOKEN,
    run: login(({ server }) => ({ resource: `${server.url}/api` }), { flow: "code" }),
  },
  userinfo: { paths: /userinfo$/, run: kept(issuer, (world, target) => userinfo(target, world.options)) },
  introspection: {
    paths: /introspect$/,
    run: kept(issuer, (world, target) => introspect(target, world.options)),
  },
  revocation: { paths: /revoke$/, run: kept(issuer, (world, target) => revoke(target, world.options)) },
  logout: { paths: /revoke$/, run: kept(issuer, (world, target) => logout(target, world.options)) },
  "a fetch that carries the token": {
    paths: /api$/,
    run: kept(
      (world) => issuer(world, { resource: `${world.server.url}/api` }),
      async (world, target) => {
        const call = createAuthFetch(target, world.options);
        // What the API itself says is the caller's: only its status is looked at.
        return (await call(`${world.server.url}/api?key=value`, signalOf(world))).status;
      },
    ),
  },
  "an MCP client": {
    paths: /token$|register$/,
    run: async ({ server, options }) => {
      const provider = mcpAuthProvider(`${server.url}/api`, { ...options, flow: "code" });
      await provider.tokens();
      return provider;
    },
  },
};

function signalOf({ options }: TaintedWorld): { signal: AbortSignal | null } {
  return { signal: options.signal ?? null };
}

async function storeText({ folder }: TaintedWorld): Promise<string> {
  const { readFile } = await import("node:fs/promises");
  return readFile(join(folder, "store.json"), "utf8");
}

function dpopKeyOf(entry: unknown): string {
  return (entry as { token: { dpop_jwk: { d: string } } }).token.dpop_jwk.d;
}

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Context } from "../../src/context.js";
import { AuthError } from "../../src/errors.js";
import type { AuthServer } from "../../src/servers/auth-server.js";
import { forgetAllDocuments } from "../../src/servers/document-cache.js";
import { IssuerServer } from "../../src/servers/issuer-server.js";
import { register } from "../../src/servers/registration.js";
import { resourceMetadata } from "../../src/servers/resource-metadata.js";
import { RoutesServer } from "../../src/servers/routes-server.js";
import { issuerSettings } from "../../src/settings/issuer.js";
import { routesSettings } from "../../src/settings/routes.js";
import { FAR_FUTURE, Token } from "../../src/token.js";
import { type Answer, answer, ENDPOINTS, HOST, REDIRECT } from "../support/arbitrary-answers.js";
import { troubles, troublesIn } from "../support/screen.js";

/** Whatever a server answers: there is a result that can be used, or an AuthError that can be shown. */

const RUNS = { numRuns: 200, seed: 42 };

const TOLD: unknown[] = [];
function contextOf(reply: (url: string) => Answer): Context {
  return {
    fetch: async (input) => {
      const { status, body: content, headers: more } = reply(String(input));
      return new Response([204, 304].includes(status) ? null : content, {
        status,
        headers: more as Record<string, string>,
      });
    },
    requestTimeoutMs: 1000,
    uptime: () => 0,
    now: Date.now,
    sleep: async () => {},
    random: () => 0,
    emit: (event) => void TOLD.push(event),
    explain: (step) => void TOLD.push(step),
  };
}

const TOKEN = new Token({ accessToken: "a", refreshToken: "r", expiresAt: 1, scope: "s" });

/** All that is asked of a server, one request each. */
const asked = (server: AuthServer, context: Context): Readonly<Record<string, () => Promise<unknown>>> => ({
  beginDevice: () => server.beginDevice(context),
  redeemDevice: () => server.redeemDevice("d", context),
  redirects: () => server.redirects(context),
  beginCode: async () => (await server.beginCode(REDIRECT, context)).url.href,
  refresh: () => server.refresh(TOKEN, context),
  userinfo: () => server.userinfo(TOKEN, context),
  introspect: () => server.introspect(TOKEN, context),
  revoke: () => server.revoke(TOKEN, context),
  endSessionUrl: () => server.endSessionUrl(TOKEN, undefined, context),
  audience: () => server.audience(context),
  grant: () =>
    server.grant({ grantType: "urn:ietf:params:oauth:grant-type:token-exchange", parameters: {} }, context),
});

/** What is for programs or servers alone; all else may be shown. */
const DATA = ["userinfo", "introspect", "register", "audience"];

let [results, refusals] = [0, 0];
async function judge(name: string, work: () => Promise<unknown>): Promise<void> {
  const result = await work().catch((error: unknown) => error);
  if (result instanceof Error) {
    expect(result, name).toBeInstanceOf(AuthError);
    expect(troublesIn(result), name).toEqual([]);
    refusals++;
    return;
  }
  results++;
  const token = result instanceof Token ? result : (result as { token?: unknown } | undefined)?.token;
  if (token instanceof Token) {
    expect(token.headers.Authorization).toMatch(/^(Bearer|DPoP) [\x21-\x7e]+$/);
    expect(troubles(token.scope)).toEqual([]);
    expect(token.expiresAt).toBeGreaterThanOrEqual(0);
    expect(token.expiresAt).toBeLessThanOrEqual(FAR_FUTURE);
    expect(String(Reflect.get(token, Symbol.for("nodejs.util.inspect.custom")).call(token))).toMatch(
      /^Token/,
    );
  } else if (!DATA.includes(name)) {
    expect(troublesIn(result), name).toEqual([]);
  }
  expect(() => JSON.stringify(result)).not.toThrow();
}

const SETTINGS = { ...issuerSettings({ issuer: HOST, clientId: "cli", scopes: ["read"] }), issuer: HOST };
const issuerServer = () =>
  new IssuerServer(
    SETTINGS,
    { issuer: HOST, clientId: "cli", clientSecret: undefined, registered: false },
    undefined,
  );

/** Runs a property, and proves that it saw both ends. */
async function assertAnswers(check: (one: Answer) => Promise<void>): Promise<void> {
  [results, refusals] = [0, 0];
  TOLD.length = 0;
  await fc.assert(
    fc.asyncProperty(answer, async (one) => {
      forgetAllDocuments();
      await check(one);
    }),
    RUNS,
  );
  expect(troublesIn(TOLD)).toEqual([]);
  expect(results).toBeGreaterThan(50);
  expect(refusals).toBeGreaterThan(50);
}

describe("whatever is answered", { timeout: 120_000 }, () => {
  it("by the routes", async () => {
    await assertAnswers(async (one) => {
      const server = new RoutesServer(routesSettings({ host: HOST }));
      for (const [name, work] of Object.entries(
        asked(
          server,
          contextOf(() => one),
        ),
      ))
        await judge(name, work);
    });
  });

  it("by an issuer's endpoints", async () => {
    const document = {
      status: 200,
      body: JSON.stringify({ issuer: HOST, ...ENDPOINTS }),
      headers: {},
    } as Answer;
    await assertAnswers(async (one) => {
      const context = contextOf((url) => (url.includes("/.well-known/") ? document : one));
      for (const [name, work] of Object.entries(asked(issuerServer(), context))) await judge(name, work);
      await judge("register", () =>
        register({ settings: SETTINGS, scopes: undefined, folder: undefined, context }),
      );
    });
  });

  it("by an issuer's discovery document", async () => {
    await assertAnswers(async (one) => {
      const members: unknown = parsed(one.body);
      const document =
        typeof members === "object" && members !== null && !Array.isArray(members) ? members : {};
      const body = JSON.stringify({ ...ENDPOINTS, ...document, issuer: HOST });
      const discovery = {
        ...one,
        status: 200,
        body,
        headers: { ...one.headers, "content-type": "application/json" },
      };
      const context = contextOf((url) => (url.includes("/.well-known/") ? (discovery as Answer) : one));
      for (const [name, work] of Object.entries(asked(issuerServer(), context))) await judge(name, work);
    });
  });

  it("by an API that is asked who gives tokens for it", async () => {
    const resource = "https://api.example.org/mcp";
    await assertAnswers(async (one) => {
      const document = { resource, authorization_servers: [HOST], ...(parsed(one.body) as object) };
      const answers = [
        one,
        {
          ...one,
          status: 200,
          body: JSON.stringify(document),
          headers: { "content-type": "application/json" },
        },
      ];
      for (const each of answers) {
        forgetAllDocuments();
        const context = contextOf(() => each as Answer);
        await judge("resource", () =>
          resourceMetadata({ resource, allowInsecure: false, folder: undefined, context }),
        );
      }
    });
  });
});

function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return {};
  }
}

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
import { HOSTILE_TEXTS } from "../support/hostile-text.js";
import { troubles, troublesIn } from "../support/screen.js";

/** Whatever a server answers: there is a result that can be used, or an AuthError that can be shown. */

const HOST = "https://auth.example.org";
const REDIRECT = "http://localhost:53100/callback";
const RUNS = { numRuns: 400, seed: 42 };

const ENDPOINTS = {
  authorization_endpoint: `${HOST}/auth`,
  token_endpoint: `${HOST}/token`,
  device_authorization_endpoint: `${HOST}/device`,
  userinfo_endpoint: `${HOST}/userinfo`,
  introspection_endpoint: `${HOST}/introspect`,
  revocation_endpoint: `${HOST}/revoke`,
  end_session_endpoint: `${HOST}/logout`,
  registration_endpoint: `${HOST}/register`,
  jwks_uri: `${HOST}/jwks`,
};

/** All members that are ever read of an answer. */
const NAMES = [
  ...[
    "access_token",
    "token_type",
    "expires",
    "exp",
    "expires_in",
    "expires_at",
    "refresh_token",
    "scope",
    "id_token",
  ],
  ...[
    "refresh_expires",
    "refresh_expires_in",
    "error",
    "error_description",
    "detail",
    "message",
    "msg",
    "loc",
  ],
  ...[
    "device_code",
    "user_code",
    "verification_uri",
    "verification_url",
    "verification_uri_complete",
    "interval",
  ],
  ...[
    "valid_ports",
    "sub",
    "iss",
    "active",
    "issuer",
    "resource",
    "authorization_servers",
    "scopes_supported",
  ],
  ...["client_id", "client_secret", "client_secret_expires_at", "token_endpoint_auth_methods_supported"],
  ...["__proto__", "constructor", "toString", ...Object.keys(ENDPOINTS)],
];

const text = fc.oneof(
  fc.string({ unit: "binary", maxLength: 30 }),
  fc.constantFrom(
    ...Object.values(HOSTILE_TEXTS),
    "invalid_grant",
    "authorization_pending",
    "Bearer",
    "a.b.c",
  ),
  fc.constantFrom(
    "https://good.example/x",
    HOST,
    "javascript:alert(1)",
    "5",
    "1e999",
    "Upstream OIDC error: {}",
  ),
);
const value = fc.letrec<{ value: unknown; record: unknown }>((tie) => ({
  record: fc.dictionary(fc.oneof(fc.constantFrom(...NAMES), text), tie("value"), { maxKeys: 4 }),
  value: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    text,
    fc.oneof(fc.double(), fc.integer(), fc.constantFrom(0, -1, 1e15, 253_402_300_799, 1e300)),
    fc.constantFrom(null, true, false),
    fc.array(tie("value"), { maxLength: 3 }),
    tie("record"),
  ),
})).value;

const body = fc.oneof(
  {
    weight: 6,
    arbitrary: fc
      .dictionary(fc.constantFrom(...NAMES), value, { maxKeys: 12 })
      .map((one) => JSON.stringify(one)),
  },
  { weight: 1, arbitrary: value.map((one) => JSON.stringify(one)) },
  { weight: 1, arbitrary: text },
);
const headerText = fc.oneof(text, fc.string()).map((one) => one.replace(/[^\x20-\x7e\x80-\xff]/g, ""));
const headers = fc.record(
  {
    "content-type": fc.constantFrom("application/json", "text/html", "application/jwt", "application/x"),
    "retry-after": fc.oneof(
      headerText,
      fc.constantFrom("1", "9".repeat(400), "Sat, 13 Sep 275760 00:00:00 GMT"),
    ),
    date: fc.oneof(
      headerText,
      fc.constantFrom("Sat, 13 Sep 275760 00:00:00 GMT", "Thu, 01 Jan 1970 00:00:00 GMT"),
    ),
    age: headerText,
    location: fc.oneof(
      headerText,
      fc.webUrl(),
      fc.constantFrom("javascript:alert(1)", `/x?state=a|${REDIRECT}|v`),
    ),
    "www-authenticate": headerText.map(
      (one) => `Bearer error="${one.replace(/["\\]/g, "")}", scope="${one.replace(/["\\]/g, "")}"`,
    ),
  },
  { requiredKeys: [] },
);
const answer = fc.record({
  status: fc.oneof(
    { weight: 3, arbitrary: fc.constant(200) },
    {
      weight: 2,
      arbitrary: fc.constantFrom(201, 204, 302, 307, 400, 401, 403, 404, 405, 422, 429, 500, 502, 503),
    },
  ),
  body,
  headers,
});
type Answer = typeof answer extends fc.Arbitrary<infer T> ? T : never;

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

import { Readable } from "node:stream";
import { describe, expect, it } from "vitest";
import { createAuthFetch } from "../../src/fetch/auth-fetch.js";
import { tokenProvider } from "../../src/fetch/token-provider.js";
import { unverifiedClaims } from "../../src/jwt.js";
import { type Answer, type Asked, startApi } from "../support/api.js";
import { NATIVE, startIssuer } from "../support/issuer.js";
import { issuerWorld } from "../support/issuer-world.js";

/** A person who is logged in, and an API. */
async function world(answer: (asked: Asked) => Answer | undefined = () => [200, {}, "fine"]) {
  const { issuer, provider, count } = await startIssuer();
  const person = issuerWorld({ issuer, clientId: "cli" });
  const token = await person.login();
  const api = await startApi(answer);
  const authFetch = createAuthFetch({ issuer, clientId: "cli" }, { ...person.options, origins: [api.url] });
  return { issuer, provider, count, person, token, api, authFetch };
}

function catchIt(work: () => unknown): Error {
  try {
    work();
  } catch (error) {
    return error as Error;
  }
  throw new Error("nothing was thrown");
}

const bearer = (asked: Asked | undefined) => asked?.headers.authorization?.replace("Bearer ", "");

describe("the token", () => {
  it("goes to the allowed origins, and to no other", async () => {
    const { authFetch, api, token } = await world();
    const other = await startApi(() => [200]);
    await authFetch(`${api.url}/me?x=1`, { headers: { accept: "text/plain" } });
    await authFetch(new URL(`${other.url}/me`));
    expect(bearer(api.asked[0])).toBe(token.accessToken);
    expect(api.asked[0]).toMatchObject({ method: "GET", path: "/me?x=1", headers: { accept: "text/plain" } });
    expect(other.asked[0]?.headers.authorization).toBeUndefined();
  });

  it("is told to be missing where the origin is not named, once for each, and a request without an origin is not", async () => {
    const { issuer, person } = await world();
    const [api, other] = [await startApi(() => [401]), await startApi(() => [200])];
    const steps: string[] = [];
    const authFetch = createAuthFetch(
      { issuer, clientId: "cli" },
      { ...person.options, explain: (step) => steps.push(step) },
    );
    // The default is the issuer's own origin, which is hardly ever the API's.
    for (const path of ["/me", "/items"]) expect((await authFetch(`${api.url}${path}`)).status).toBe(401);
    await authFetch(new Request(other.url));
    expect(await (await authFetch("data:,text")).text()).toBe("text");
    const { origin } = new URL(issuer);
    expect(steps).toEqual([
      `No token is sent to ${api.url}: it is not among the origins (${origin}).`,
      `No token is sent to ${other.url}: it is not among the origins (${origin}).`,
    ]);
    expect(person.events.filter(({ type }) => type === "token_withheld")).toEqual([
      { type: "token_withheld", server: issuer, origin: api.url },
      { type: "token_withheld", server: issuer, origin: other.url },
    ]);
    expect([...api.asked, ...other.asked].map(bearer)).toEqual([undefined, undefined, undefined]);
    await authFetch(`${issuer}/me`);
    expect(person.events.filter(({ type }) => type === "token_withheld")).toHaveLength(2);
  });

  it("goes to the target's own origin where no origins are named", async () => {
    const { issuer, person, token } = await world();
    const authFetch = createAuthFetch({ issuer, clientId: "cli" }, person.options);
    const claims = await (await authFetch(`${issuer}/me`)).json();
    expect(claims).toMatchObject({ sub: "alice" });
    const forApi = createAuthFetch(
      { issuer, clientId: "cli", resource: "https://api.example.org/v1" },
      { ...person.options, interactive: false },
    );
    // Nothing is stored for that API: it would have to log in, so the token is wanted for its origin.
    await expect(forApi("https://api.example.org/other")).rejects.toMatchObject({
      code: "interaction_required",
    });
    expect(token.accessToken).toBeTruthy();
  });

  it("is never carried over a redirect to another origin, not even an allowed one", async () => {
    const other = await startApi(() => [200, {}, "elsewhere"]);
    const { issuer, person, api } = await world(({ path }) =>
      path === "/away"
        ? [302, { location: `${other.url}/landed` }]
        : path === "/here"
          ? [302, { location: "/me" }]
          : [200],
    );
    const authFetch = createAuthFetch(
      { issuer, clientId: "cli" },
      { ...person.options, origins: [api.url, other.url] },
    );
    const answer = await authFetch(`${api.url}/away`, { headers: { cookie: "a=b", "x-mine": "1" } });
    expect(await answer.text()).toBe("elsewhere");
    expect(other.asked[0]).toMatchObject({ path: "/landed", headers: { "x-mine": "1" } });
    expect(other.asked[0]?.headers.authorization).toBeUndefined();
    expect(other.asked[0]?.headers.cookie).toBeUndefined();
    await authFetch(`${api.url}/here`);
    expect(api.asked.at(-1)).toMatchObject({
      path: "/me",
      headers: { authorization: expect.stringMatching(/^Bearer /) },
    });
  });

  it("is not given to an API that refuses after it sent us elsewhere", async () => {
    const other = await startApi(() => [401, { "www-authenticate": "Bearer" }]);
    const { authFetch, api, count } = await world(() => [307, { location: `${other.url}/` }]);
    expect((await authFetch(`${api.url}/`)).status).toBe(401);
    expect(other.asked).toHaveLength(1);
    expect(count("/token")).toBe(1);
  });

  it("is renewed before it ends", async () => {
    const { authFetch, api, token, person } = await world();
    person.later(280);
    await authFetch(api.url);
    expect(bearer(api.asked[0])).toBeTruthy();
    expect(bearer(api.asked[0])).not.toBe(token.accessToken);
  });
});

describe("a 401", () => {
  const refusesOnce = (challenge: Record<string, string>, refused: string[] = []) => {
    return (asked: Asked): Answer => {
      const token = bearer(asked) ?? "";
      if (refused.length === 0) refused.push(token);
      return refused.includes(token) ? [401, challenge, "refused"] : [200, {}, asked.body || "fine"];
    };
  };

  it.each([
    [
      "that says invalid_token",
      { "www-authenticate": 'Bearer realm="x", error="invalid_token", error_description="gone"' },
    ],
    ["that says nothing", {}],
  ])("%s renews the token once, and the request is sent again", async (_name, challenge) => {
    const { authFetch, api, count } = await world(refusesOnce(challenge));
    const answer = await authFetch(`${api.url}/save`, { method: "POST", body: "to be kept" });
    expect(answer.status).toBe(200);
    expect(await answer.text()).toBe("to be kept");
    expect(api.asked).toHaveLength(2);
    expect(count("/token")).toBe(2);
  });

  it("of twenty requests at once renews once", async () => {
    const { authFetch, api, count } = await world(refusesOnce({}));
    const answers = await Promise.all(Array.from({ length: 20 }, () => authFetch(api.url)));
    expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(200));
    expect(count("/token")).toBe(2);
  });

  it("that stays is the answer: there is no second time", async () => {
    const { authFetch, api } = await world(() => [401, {}, "no"]);
    const answer = await authFetch(api.url);
    expect([answer.status, await answer.text()]).toEqual([401, "no"]);
    expect(api.asked).toHaveLength(2);
  });

  it("for another reason renews nothing", async () => {
    const { authFetch, api, count } = await world(() => [
      401,
      { "www-authenticate": 'Bearer error="invalid_request"' },
    ]);
    expect((await authFetch(api.url)).status).toBe(401);
    expect(count("/token")).toBe(1);
  });

  it.each([
    ["a form", () => new URLSearchParams({ a: "1 2" }), "a=1+2", "application/x-www-form-urlencoded"],
    ["bytes", () => new TextEncoder().encode("bytes"), "bytes", undefined],
    ["a blob", () => new Blob(["blob"], { type: "text/x-blob" }), "blob", "text/x-blob"],
    [
      "a multipart form",
      () => {
        const form = new FormData();
        form.set("field", "value");
        return form;
      },
      "value",
      "multipart/form-data; boundary=",
    ],
  ])("sends %s again as it was", async (_name, body, text, type) => {
    const { authFetch, api } = await world(refusesOnce({}));
    expect((await authFetch(api.url, { method: "PUT", body: body() })).status).toBe(200);
    const bodies = api.asked.map((asked) => asked.body);
    expect(bodies[0]).toContain(text);
    expect(bodies[1]).toContain(text);
    if (type) for (const { headers } of api.asked) expect(headers["content-type"]).toContain(type);
    expect(api.asked[1]?.method).toBe("PUT");
  });

  it("sends a Request again, with its body", async () => {
    const { authFetch, api } = await world(refusesOnce({}));
    const request = new Request(`${api.url}/x`, {
      method: "POST",
      body: '{"a":1}',
      headers: { "content-type": "application/json" },
    });
    expect(await (await authFetch(request)).text()).toBe('{"a":1}');
    expect(api.asked.map(({ body, headers }) => [body, headers["content-type"]])).toEqual([
      ['{"a":1}', "application/json"],
      ['{"a":1}', "application/json"],
    ]);
  });

  it("is the answer to a stream, which cannot be sent again; the next request has the new token", async () => {
    const { authFetch, api, token } = await world(refusesOnce({}));
    const body = Readable.toWeb(Readable.from(["once"])) as ReadableStream;
    const answer = await authFetch(api.url, { method: "POST", body, duplex: "half" } as RequestInit);
    expect([answer.status, await answer.text()]).toEqual([401, "refused"]);
    expect((await authFetch(api.url)).status).toBe(200);
    expect(bearer(api.asked[1])).not.toBe(token.accessToken);
  });

  it("where no person can be reached and nothing can be renewed says so", async () => {
    const { issuer, api, person } = await world(() => [401, {}]);
    const { store, options } = person;
    const only = issuerWorld({ issuer, clientId: "cli", scopes: ["openid"] });
    await only.login();
    const authFetch = createAuthFetch(
      { issuer, clientId: "cli", scopes: ["openid"] },
      { ...options, store: only.store, interactive: false, origins: [api.url] },
    );
    await expect(authFetch(api.url)).rejects.toMatchObject({
      code: "interaction_required",
      message: expect.stringContaining("the stored token was refused"),
    });
    expect(await store.hosts()).toHaveLength(1);
  });
});

it("an API that wants more scopes says which", async () => {
  const { authFetch, api, count } = await world(() => [
    403,
    { "www-authenticate": 'Bearer error="insufficient_scope", scope="openid read write"' },
  ]);
  await expect(authFetch(`${api.url}/admin?q=secret`)).rejects.toMatchObject({
    code: "insufficient_scope",
    status: 403,
    message: `${api.url}/admin wants more than the token allows: read, write.`,
    hint: 'Log in with the scopes that are missing: scopes: ["read", "write"].',
  });
  expect(count("/token")).toBe(1);
});

describe("redirects are followed as fetch does", () => {
  it.each([
    [301, "POST", "GET", ""],
    [302, "POST", "GET", ""],
    [303, "PUT", "GET", ""],
    [303, "HEAD", "HEAD", ""],
    [307, "POST", "POST", "body"],
    [308, "PUT", "PUT", "body"],
  ])("%i of a %s becomes a %s", async (status, method, expected, body) => {
    const { authFetch, api } = await world(({ path }) =>
      path === "/a" ? [status, { location: "/b" }] : [200],
    );
    await authFetch(`${api.url}/a`, { method, ...(method !== "HEAD" && { body: "body" }) });
    expect(api.asked[1]).toMatchObject({ path: "/b", method: expected, body });
    expect(api.asked[1]?.headers["content-type"]).toBe(body ? "text/plain;charset=UTF-8" : undefined);
  });

  it("not at all where the caller says so, and not for ever", async () => {
    const { authFetch, api } = await world(() => [302, { location: "/again" }]);
    expect((await authFetch(api.url, { redirect: "manual" })).status).toBe(302);
    await expect(authFetch(api.url, { redirect: "error" })).rejects.toThrow(TypeError);
    await expect(authFetch(api.url)).rejects.toThrow(/more than 20 redirects/);
  });

  it("never to something else than http(s)", async () => {
    const { authFetch, api } = await world(() => [302, { location: "file:///etc/passwd" }]);
    await expect(authFetch(api.url)).rejects.toThrow(/not http/);
  });
});

describe("a redirect to elsewhere and back", () => {
  it("does not get the token again: who sends us must not choose what is asked in the person's name", async () => {
    const { authFetch, api } = await world(({ path }) =>
      path === "/start" ? [302, { location: `${other.url}/` }] : [200, {}, "done"],
    );
    const other = await startApi(() => [302, { location: `${api.url}/delete-all` }]);
    expect(await (await authFetch(`${api.url}/start`)).text()).toBe("done");
    expect(api.asked[1]).toMatchObject({ path: "/delete-all" });
    expect(api.asked[1]?.headers.authorization).toBeUndefined();
  });

  it("says nothing of missing scopes: it is not the API that was asked", async () => {
    const other = await startApi(() => [
      403,
      { "www-authenticate": 'Bearer error="insufficient_scope", scope="all"' },
    ]);
    const { authFetch, api } = await world(() => [302, { location: other.url }]);
    expect((await authFetch(api.url)).status).toBe(403);
  });
});

it("headers of the caller are left as they are", async () => {
  const { authFetch, api } = await world();
  await authFetch(api.url, {
    headers: { "content-type": "application/vnd.api+json", authorization: "Basic x" },
  });
  expect(api.asked[0]?.headers["content-type"]).toBe("application/vnd.api+json");
  expect(api.asked[0]?.headers.authorization).toMatch(/^Bearer /);
});

it("an API over plain http is allowed where the target says so", () => {
  const target = { issuer: "http://login.example.org", clientId: "cli", allowInsecureHost: true };
  expect(() => createAuthFetch(target, { origins: ["http://api.example.org"] })).not.toThrow();
});

it("a login that is forced is done once, not at each request", async () => {
  const { issuer, person, api, count } = await world();
  const authFetch = createAuthFetch(
    { issuer, clientId: "cli" },
    { ...person.options, force: true, origins: [api.url] },
  );
  for (let request = 0; request < 3; request++) await authFetch(api.url);
  expect(count("/token")).toBe(2);
});

it("an abort while the token is fetched is told as fetch tells it", async () => {
  const { issuer, person, api } = await world();
  const stop = new AbortController();
  const reason = new Error("no longer needed");
  person.later(280);
  const authFetch = createAuthFetch(
    { issuer, clientId: "cli" },
    {
      ...person.options,
      origins: [api.url],
      fetch: async (input, init) => {
        stop.abort(reason);
        return fetch(input, init);
      },
    },
  );
  await expect(authFetch(api.url, { signal: stop.signal })).rejects.toBe(reason);
});

describe("a DPoP token", () => {
  it("is proven also where the caller has a header of its own, and a Request is sent again with its body", async () => {
    const { issuer } = await startIssuer({ clients: [{ ...NATIVE, dpop_bound_access_tokens: true }] });
    const target = { issuer, clientId: "cli", dpop: true };
    const person = issuerWorld(target);
    await person.login();
    let nonce = 0;
    const api = await startApi(({ headers }) => {
      const proof = unverifiedClaims(String(headers["dpop"]));
      return proof?.["nonce"] === `n${nonce}`
        ? [200]
        : [401, { "www-authenticate": 'DPoP error="use_dpop_nonce"', "dpop-nonce": `n${nonce}` }];
    });
    const authFetch = createAuthFetch(target, { ...person.options, origins: [api.url] });
    const init = { method: "POST", body: "kept", headers: { authorization: "Bearer stale" } };
    expect((await authFetch(api.url, init)).status).toBe(200);
    nonce++;
    expect((await authFetch(new Request(api.url, { method: "POST", body: "kept, too" }))).status).toBe(200);
    expect(api.asked.map(({ body }) => body)).toEqual(["kept", "kept", "kept, too", "kept, too"]);
    expect(new Set(api.asked.map(({ headers }) => headers.authorization?.split(" ")[0]))).toEqual(
      new Set(["DPoP"]),
    );
    // A body that is gone once it was read is not sent a second time as nothing.
    nonce++;
    const once = (async function* () {
      yield new TextEncoder().encode("once");
    })();
    const answer = await authFetch(api.url, {
      method: "POST",
      body: once as never,
      duplex: "half",
    } as RequestInit);
    expect(answer.status).toBe(401);
    expect(api.asked.slice(4).map(({ body }) => body)).toEqual(["once"]);
  });

  it("has a proof for each request, with the API's nonce where it wants one", async () => {
    const { issuer } = await startIssuer({
      clients: [{ ...NATIVE, dpop_bound_access_tokens: true }],
      features: { dPoP: { enabled: true, nonceSecret: Buffer.alloc(32, 2), requireNonce: () => true } },
    });
    const target = { issuer, clientId: "cli", dpop: true };
    const person = issuerWorld(target);
    await person.login();
    // The provider's own userinfo is an API that wants proofs and nonces.
    const authFetch = createAuthFetch(target, person.options);
    expect(await (await authFetch(`${issuer}/me`)).json()).toMatchObject({ sub: "alice" });
    expect(await (await authFetch(`${issuer}/me`, { method: "POST" })).json()).toMatchObject({
      sub: "alice",
    });
  });

  it("proves method, address and token, anew at a redirect, and not elsewhere", async () => {
    const { issuer } = await startIssuer({ clients: [{ ...NATIVE, dpop_bound_access_tokens: true }] });
    const target = { issuer, clientId: "cli", dpop: true };
    const person = issuerWorld(target);
    await person.login();
    const other = await startApi(() => [200]);
    let nonced = false;
    const api = await startApi(({ path, headers }) => {
      const proof = JSON.parse(
        Buffer.from(String(headers["dpop"]).split(".")[1] ?? "", "base64url").toString(),
      );
      if (proof.nonce !== "n1") {
        nonced = true;
        return [401, { "www-authenticate": 'DPoP error="use_dpop_nonce"', "dpop-nonce": "n1" }];
      }
      return path.startsWith("/a")
        ? [307, { location: "/b" }]
        : path === "/b"
          ? [307, { location: other.url }]
          : [200];
    });
    const authFetch = createAuthFetch(target, { ...person.options, origins: [api.url] });
    await authFetch(`${api.url}/a?q=1`, { method: "POST", body: "x" });
    expect(nonced).toBe(true);
    const proofs = api.asked.map(({ headers }) =>
      JSON.parse(Buffer.from(String(headers["dpop"]).split(".")[1] ?? "", "base64url").toString()),
    );
    expect(proofs.map(({ htm, htu }) => `${htm} ${htu}`)).toEqual([
      `POST ${api.url}/a`,
      `POST ${api.url}/a`,
      `POST ${api.url}/b`,
    ]);
    expect(new Set(proofs.map(({ jti }) => jti)).size).toBe(3);
    expect(api.asked.map(({ body }) => body)).toEqual(["x", "x", "x"]);
    expect(other.asked[0]?.headers["dpop"]).toBeUndefined();
    expect(other.asked[0]?.headers.authorization).toBeUndefined();
  });
});

it("a token provider gives the bare token, renewed when it has to be", async () => {
  const { issuer, person, token } = await world();
  const provide = tokenProvider({ issuer, clientId: "cli" }, person.options);
  expect(await provide()).toBe(token.accessToken);
  person.later(280);
  const renewed = await provide();
  expect(renewed).not.toBe(token.accessToken);
  expect(await provide()).toBe(renewed);
  // What the API refuses is renewed, and what somebody else has renewed meanwhile is not.
  const third = await provide({ rejected: renewed });
  expect(third).not.toBe(renewed);
  expect(await provide({ rejected: renewed })).toBe(third);
});

it("wrong origins and options are told at once", () => {
  const target = { issuer: "https://login.example.org", clientId: "cli" };
  expect(() => createAuthFetch(target, { origins: ["http://api.example.org"] })).toThrow(
    expect.objectContaining({ code: "insecure_host" }),
  );
  expect(() => createAuthFetch(target, { origins: "x" as never })).toThrow(
    expect.objectContaining({ code: "invalid_config" }),
  );
});

describe("an origin is written in full, or it is wrong at once", () => {
  const target = { issuer: "https://login.example.org", clientId: "cli" };

  it.each([
    ["*", "*"],
    ["https://*", "https://*"],
    ["https://*.example.org", "https://*.example.org"],
    ["127.0.0.1:8080", "127.0.0.1:8080"],
    ["localhost:8080", "localhost:8080"],
    ["api.example.org", "api.example.org"],
    ["file:///etc", "file:///etc"],
    ["https://me:a-secret@api.example.org", "https://api.example.org"],
    [new URL("https://me:a-secret@api.example.org"), "https://api.example.org/"],
    ["", ""],
    [7, 7],
    [null, null],
  ])("%s", (entry, shown) => {
    const origins = ["https://other.example.org", entry] as string[];
    const error = catchIt(() => createAuthFetch(target, { origins }));
    expect(error).toMatchObject({ code: "invalid_config" });
    expect(error.message).toMatch(/^origins must hold http\(s\) origins in full/);
    expect(error.message).toContain(`(it is ${JSON.stringify(shown)})`);
    expect(error.message).not.toContain("a-secret");
  });

  it.each(["https://api.example.org", " https://API.example.org:443/v1?x=1 ", "http://127.0.0.1:8080"])(
    "and %s is",
    (entry) => {
      expect(() =>
        createAuthFetch(target, { origins: [entry, new URL("https://x.example.org")] }),
      ).not.toThrow();
    },
  );
});

it("the caller's signal ends it", async () => {
  const stop = new AbortController();
  const { authFetch, api } = await world(() => {
    stop.abort();
    return undefined;
  });
  await expect(authFetch(api.url, { signal: stop.signal })).rejects.toMatchObject({ name: "AbortError" });
});

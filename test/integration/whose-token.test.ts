import {
  chmodSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { authenticate } from "../../src/authenticate.js";
import { clientCredentials, jwtBearer, tokenExchange } from "../../src/credentials/grants.js";
import { fromEnvironment, fromFile, fromGitHubActions } from "../../src/credentials/workload.js";
import { forgetAllDocuments } from "../../src/servers/document-cache.js";
import type { IssuerInit } from "../../src/settings/issuer.js";
import { TokenStore } from "../../src/store/token-store.js";
import { userinfo } from "../../src/userinfo.js";
import { type Answer, type Asked, startApi } from "../support/api.js";
import { issuerWorld } from "../support/issuer-world.js";
import { tempFolder } from "../support/temp-folder.js";

/** That no token, and no refresh token, goes to whom it does not belong. */

const json = (body: object, status = 200): Answer => [
  status,
  { "content-type": "application/json" },
  JSON.stringify(body),
];

/** A provider of a few lines, which answers token requests as the test says and keeps what it was asked. */
async function odd(answer: (form: URLSearchParams, asked: Asked) => Answer | undefined, more: object = {}) {
  const forms: URLSearchParams[] = [];
  const api = await startApi((asked) => {
    if (asked.path === "/.well-known/openid-configuration") {
      return json({
        issuer: api.url,
        token_endpoint: `${api.url}/token`,
        device_authorization_endpoint: `${api.url}/device`,
        ...endpoints(api.url, more),
      });
    }
    if (asked.path === "/device")
      return json({
        device_code: "dc",
        user_code: "AB",
        verification_uri: `${api.url}/go`,
        expires_in: 60,
        interval: 1,
      });
    if (asked.path === "/go") return [200, { "content-type": "text/html" }, "<p>You are signed in.</p>"];
    const form = new URLSearchParams(asked.body);
    forms.push(form);
    return answer(form, asked);
  });
  return { issuer: api.url, forms, asked: api.asked };
}

const endpoints = (url: string, more: object) =>
  Object.fromEntries(Object.entries(more).map(([name, path]) => [name, `${url}${path}`]));

const granted = (accessToken: string, more: object = {}) =>
  json({ access_token: accessToken, token_type: "Bearer", expires_in: 300, ...more });

const jwt = (claims: object) =>
  `${btoa("{}")}.${Buffer.from(JSON.stringify(claims)).toString("base64url")}.x`;

describe("credentials of several subjects in one store", () => {
  async function world() {
    let number = 0;
    const { issuer, forms } = await odd((form) =>
      granted(
        `${++number}-${form.get("subject_token") ?? form.get("assertion") ?? form.get("resource") ?? ""}`,
      ),
    );
    const { options } = issuerWorld({ issuer, clientId: "c" });
    const login = (credentials: IssuerInit["credentials"], env = {}) =>
      authenticate({ issuer, clientId: "c", credentials }, { ...options, env: { ...env } });
    return { login, forms };
  }

  it("have tokens of their own: exchanged, asserted, with other parameters", async () => {
    const { login, forms } = await world();
    let current = "carol-token";
    const callback = () => current;
    const ways = [
      () => login(tokenExchange({ subjectToken: "alice-token" })),
      () => login(tokenExchange({ subjectToken: "bob-token" })),
      () => login(tokenExchange({ subjectToken: "bob-token", actorToken: "robot-token" })),
      () => login(tokenExchange({ subjectToken: "bob-token", requestedTokenType: "jwt" })),
      () => login(tokenExchange({ subjectToken: callback })),
      () => login(jwtBearer({ assertion: "alice-token" })),
      () => login(clientCredentials()),
      () => login(clientCredentials({ parameters: { resource: "https://api1.example" } })),
      () => login(clientCredentials({ parameters: { resource: "https://api2.example" } })),
    ];
    const tokens = [];
    for (const way of ways) tokens.push((await way()).accessToken);
    expect(new Set(tokens).size).toBe(ways.length);
    // Each is found again, and asked for no second time.
    for (const [index, way] of ways.entries()) expect((await way()).accessToken).toBe(tokens[index]);
    expect(forms).toHaveLength(ways.length);
    current = "dave-token";
    expect((await login(tokenExchange({ subjectToken: callback }))).accessToken).toContain("dave-token");
  });

  it("a job's token that is rotated is still the same subject's; another subject's is not", async () => {
    const { login, forms } = await world();
    const path = join(tempFolder(), "token");
    const put = (claims: object) => writeFileSync(path, jwt(claims));
    put({ iss: "k8s", sub: "a", iat: 1 });
    const first = await login(fromFile(path));
    put({ iss: "k8s", sub: "a", iat: 2 });
    expect(await login(fromFile(path))).toEqual(first);
    put({ iss: "k8s", sub: "b", iat: 2 });
    expect((await login(fromFile(path))).accessToken).not.toBe(first.accessToken);
    await login(fromEnvironment("T"), { T: jwt({ iss: "ci", sub: "x", iat: 1 }) });
    await login(fromEnvironment("T"), { T: jwt({ iss: "ci", sub: "x", iat: 2 }) });
    expect(forms).toHaveLength(3);
  });

  it("that come to name another subject while a call is under way: the next one shares nothing with it", async () => {
    let arrived = () => {};
    const asked = new Promise<void>((resolve) => {
      arrived = resolve;
    });
    let answerAlice = () => {};
    const api = await startApi(({ path, body }, { response }) => {
      if (path !== "/token") return json({ issuer: api.url, token_endpoint: `${api.url}/token` });
      const subject = new URLSearchParams(body).get("subject_token") ?? "";
      const answer = granted(`for-${subject}`);
      if (subject === "alice-token") {
        const [status, headers, text] = answer;
        answerAlice = () => response.writeHead(status, headers).end(text);
        arrived();
        return undefined;
      }
      answerAlice();
      return answer;
    });
    let current = "alice-token";
    const credentials = tokenExchange({ subjectToken: () => current });
    const target = { issuer: api.url, clientId: "c", credentials };
    const { options } = issuerWorld(target);
    const first = authenticate(target, options);
    await asked;
    current = "bob-token";
    // The first is answered only when the second has asked for itself.
    expect((await authenticate(target, options)).accessToken).toBe("for-bob-token");
    expect((await first).accessToken).toBe("for-alice-token");
  });

  it("jobs of two repositories on one runner are two", async () => {
    const token = await startApi(() => json({ value: "job-token" }));
    const { login, forms } = await world();
    const env = { ACTIONS_ID_TOKEN_REQUEST_URL: `${token.url}/?a`, ACTIONS_ID_TOKEN_REQUEST_TOKEN: "t" };
    await login(fromGitHubActions(), { ...env, GITHUB_REPOSITORY: "us/one" });
    await login(fromGitHubActions(), { ...env, GITHUB_REPOSITORY: "us/one" });
    await login(fromGitHubActions(), { ...env, GITHUB_REPOSITORY: "us/two" });
    expect(forms).toHaveLength(2);
  });
});

describe("an API that changes whom it names", () => {
  it("does not get a login's refresh token sent there", async () => {
    const right = await odd(() => granted("token-of-right", { refresh_token: "refresh-of-right" }));
    const evil = await odd(() => json({ error: "invalid_grant" }, 400));
    let issuers = [right.issuer];
    const api = await startApi(({ path }) =>
      path.startsWith("/.well-known/oauth-protected-resource")
        ? json({ resource: `${api.url}/mcp`, authorization_servers: issuers })
        : [404],
    );
    const target = { resource: `${api.url}/mcp`, clientId: "c" };
    const { login, later, store } = issuerWorld(target);
    await login({ flow: "device" });
    // The list is read anew after a day; its order says nothing.
    issuers = [evil.issuer, right.issuer];
    forgetAllDocuments();
    for (const name of readdirSync(join(store.path ?? "", "..")))
      if (name.startsWith("oidc-discovery-")) rmSync(join(store.path ?? "", "..", name));
    later(280);
    expect((await login({ interactive: false })).accessToken).toBe("token-of-right");
    // Where the right one is gone, nothing goes to the other but a new login.
    issuers = [evil.issuer];
    forgetAllDocuments();
    for (const name of readdirSync(join(store.path ?? "", "..")))
      if (name.startsWith("oidc-discovery-")) rmSync(join(store.path ?? "", "..", name));
    later(280);
    await expect(login({ interactive: false })).rejects.toMatchObject({ code: "interaction_required" });
    expect(evil.forms).toEqual([]);
  });

  it("never gets a secret sent there: that needs an issuer by name", async () => {
    for (const more of [
      { clientId: "c", clientSecret: "secret-text" },
      { credentials: clientCredentials() },
    ]) {
      await expect(authenticate({ resource: "https://api.example.org", ...more })).rejects.toMatchObject({
        code: "invalid_config",
        message: expect.stringContaining("issuer is missing"),
      });
    }
  });

  it("is another place in the store than an issuer of the same address", async () => {
    const { options, store } = issuerWorld({ issuer: "https://x.example", clientId: "c" });
    const place = async (target: IssuerInit | { resource: string; clientId: string }) => {
      await authenticate(target, { ...options, interactive: false }).catch(() => {});
      const { Config } = await import("../../src/config.js");
      return new Config(target).storeKey;
    };
    expect(await place({ issuer: "https://x.example", clientId: "c" })).not.toBe(
      await place({ resource: "https://x.example", clientId: "c" }),
    );
    expect(await store.hosts()).toEqual([]);
  });
});

describe("a discovery document that somebody else may have written", () => {
  it.runIf(process.platform !== "win32").each(["writable by all", "a link"])(
    "is not believed: %s",
    async (way) => {
      const right = await odd(() => granted("right", { refresh_token: "the-refresh-token" }));
      const evil = await odd(() => granted("evil"));
      const { login, later, folder } = issuerWorld({ issuer: right.issuer, clientId: "c" });
      await login({ flow: "device" });
      const name = readdirSync(folder).find((one) => one.startsWith("oidc-discovery-")) ?? "";
      const path = join(folder, name);
      const planted = JSON.parse(readFileSync(path, "utf8"));
      planted.content.document.token_endpoint = `${evil.issuer}/token`;
      rmSync(path);
      if (way === "a link") {
        const elsewhere = join(tempFolder(), "planted.json");
        writeFileSync(elsewhere, JSON.stringify(planted), { mode: 0o600 });
        symlinkSync(elsewhere, path);
      } else {
        writeFileSync(path, JSON.stringify(planted));
        chmodSync(path, 0o666);
      }
      forgetAllDocuments();
      later(280);
      expect((await login({ interactive: false })).accessToken).toBe("right");
      expect(evil.forms).toEqual([]);
    },
  );

  it("that cannot be kept costs nothing but a request", async () => {
    const { issuer } = await odd(() => granted("fine"));
    const folder = tempFolder();
    const { options } = issuerWorld({ issuer, clientId: "c" });
    const store = new TokenStore({ path: join(folder, "store.json") });
    const target = { issuer, clientId: "c", credentials: clientCredentials() };
    await authenticate(target, { ...options, store });
    const name = readdirSync(folder).find((one) => one.startsWith("oidc-discovery-")) ?? "";
    rmSync(join(folder, name));
    mkdirSync(join(folder, name));
    forgetAllDocuments();
    expect((await authenticate(target, { ...options, store, force: true })).accessToken).toBe("fine");
    expect(readdirSync(folder).filter((one) => one.endsWith(".tmp"))).toEqual([]);
    expect(typeof linkSync).toBe("function");
  });
});

describe("a program that registered itself", () => {
  async function world() {
    let clients = 0;
    const provider = await odd(
      (form, { path }) => {
        if (path === "/reg")
          return json({ client_id: `client-${++clients}`, token_endpoint_auth_method: "none" }, 201);
        if (form.get("grant_type") !== "refresh_token")
          return granted(`token-of-${form.get("client_id")}`, {
            refresh_token: `refresh-of-${form.get("client_id")}`,
          });
        return form.get("refresh_token") === `refresh-of-${form.get("client_id")}`
          ? granted(`renewed-of-${form.get("client_id")}`)
          : json({ error: "invalid_grant" }, 400);
      },
      { registration_endpoint: "/reg", authorization_endpoint: "/auth" },
    );
    return { ...provider, ...issuerWorld({ issuer: provider.issuer }), registered: () => clients };
  }

  it("keeps its registration when a person does not come in time", async () => {
    const { issuer, login, later, options, registered } = await world();
    await login({ flow: "device" });
    const { ui: _ui, ...rest } = options;
    await expect(
      authenticate(
        { issuer },
        { ...rest, ui: { show() {} }, account: "second", flow: "code", timeout: 0.05 },
      ),
    ).rejects.toMatchObject({ code: "login_timeout" });
    later(280);
    expect((await login({ interactive: false })).accessToken).toBe("renewed-of-client-1");
    expect(registered()).toBe(1);
  });

  it("renews a login that stands alone in a file, and never writes over it", async () => {
    const { issuer, login, options, store, registered, later } = await world();
    await login({ flow: "device" });
    const [entry] = Object.values<{ token: { access_token: string } }>(
      JSON.parse(readFileSync(store.path ?? "", "utf8")),
    ).filter(({ token }) => token.access_token);
    const path = join(tempFolder(), "token.json");
    writeFileSync(path, JSON.stringify(entry?.token), { mode: 0o600 });
    const bare = new TokenStore({ path, now: options.now });
    later(280);
    expect(
      (await authenticate({ issuer }, { ...options, store: bare, interactive: false })).accessToken,
    ).toBe("renewed-of-client-1");
    expect(JSON.parse(readFileSync(path, "utf8"))).toMatchObject({
      access_token: "renewed-of-client-1",
      client_id: "client-1",
    });
    expect(registered()).toBe(1);
    const foreign = {
      access_token: "opaque-token",
      token_type: "Bearer",
      expires: 9e9,
      refresh_token: "",
      refresh_expires: 9e9,
      scope: "",
    };
    writeFileSync(path, JSON.stringify(foreign), { mode: 0o600 });
    await expect(userinfo({ issuer }, { ...options, store: bare, interactive: false })).rejects.toMatchObject(
      {
        code: "invalid_config",
        message: expect.stringContaining("one bare token"),
      },
    );
    expect(JSON.parse(readFileSync(path, "utf8"))).toMatchObject({ access_token: "opaque-token" });
    expect(registered()).toBe(1);
  });
});

describe("a refresh", () => {
  const refreshing =
    (more: object, status = 200) =>
    (form: URLSearchParams) =>
      form.get("grant_type") === "refresh_token"
        ? json({ access_token: "second", ...more }, status)
        : granted("first", { refresh_token: "r1", scope: "a b" });

  it.each<[string, object]>([
    ["no scope", { token_type: "Bearer", expires_in: 300, refresh_token: "r2", scope: null }],
    ["an empty id token", { token_type: "Bearer", expires_in: 300, refresh_token: "r2", id_token: "" }],
    ["no type", { expires_in: 300, refresh_token: "r2" }],
    ["an end that is no number", { token_type: "Bearer", refresh_token: "r2", expires_in: "soon" }],
    ["an end in the past", { token_type: "Bearer", refresh_token: "r2", expires_in: -1 }],
  ])("whose answer has %s keeps the new refresh token", async (_name, answer) => {
    const { issuer } = await odd(refreshing(answer));
    const { login, later } = issuerWorld({ issuer, clientId: "c" });
    await login({ flow: "device" });
    later(280);
    expect(await login({ interactive: false })).toMatchObject({
      accessToken: "second",
      refreshToken: "r2",
      scope: "a b",
    });
  });

  it.each([null, ""])("whose answer has %j as refresh token keeps the old one", async (refresh_token) => {
    const { issuer } = await odd(refreshing({ token_type: "Bearer", expires_in: 300, refresh_token }));
    const { login, later } = issuerWorld({ issuer, clientId: "c" });
    await login({ flow: "device" });
    later(280);
    expect(await login({ interactive: false })).toMatchObject({ accessToken: "second", refreshToken: "r1" });
  });

  it("that some gateway answers with a 401 page keeps the login", async () => {
    let gateway = false;
    const { issuer } = await odd((form) =>
      gateway
        ? [401, { "content-type": "text/html" }, "<h1>Sign in</h1>"]
        : refreshing({ token_type: "Bearer" })(form),
    );
    const { login, later, store } = issuerWorld({ issuer, clientId: "c" });
    await login({ flow: "device" });
    gateway = true;
    later(280);
    await expect(login({ interactive: false })).rejects.toMatchObject({
      code: "request_failed",
      status: 401,
    });
    expect(await store.hosts()).toHaveLength(1);
  });
});

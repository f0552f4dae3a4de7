import { describe, expect, it } from "vitest";
import { authenticate } from "../../src/authenticate.js";
import { createAuthFetch } from "../../src/fetch/auth-fetch.js";
import { forgetAllDocuments } from "../../src/servers/document-cache.js";
import { type Answer, startApi } from "../support/api.js";
import { type IssuerTestOptions, REGISTRATION, startIssuer } from "../support/issuer.js";
import { issuerWorld } from "../support/issuer-world.js";

const json = (body: object): Answer => [200, { "content-type": "application/json" }, JSON.stringify(body)];

/** An API that says who gives tokens for it, and a provider that lets programs register. */
async function world(
  more: Partial<IssuerTestOptions> = {},
  where: "well-known" | "origin" | "challenge" = "well-known",
) {
  const provider = await startIssuer({ ...REGISTRATION, ...more });
  const metadata = (resource: string) =>
    json({
      resource,
      authorization_servers: [provider.issuer],
      scopes_supported: ["read"],
      bearer_methods_supported: ["header"],
    });
  const api = await startApi(({ path, headers }) => {
    if (path === "/.well-known/oauth-protected-resource/mcp" && where === "well-known")
      return metadata(`${api.url}/mcp`);
    if (path === "/.well-known/oauth-protected-resource" && where === "origin")
      return metadata(`${api.url}/`);
    if (path === "/about" && where === "challenge") return metadata(`${api.url}/mcp`);
    if (path === "/mcp" && headers.authorization) return [200, {}, "welcome"];
    const pointer = where === "challenge" ? `Bearer resource_metadata="${api.url}/about"` : "Bearer";
    return path === "/mcp" ? [401, { "www-authenticate": pointer }] : [404];
  });
  return { ...provider, api, resource: `${api.url}/mcp` };
}

/** The provider forgets a client that registered itself. */
async function destroyClient(provider: object, id: string): Promise<void> {
  const { Client } = provider as { Client: { adapter: { destroy(id: string): Promise<void> } } };
  await Client.adapter.destroy(id);
}

describe("from a 401 to a login", () => {
  it.each(["well-known", "origin", "challenge"] as const)(
    "by the API's metadata (%s): issuer, registration, login",
    async (where) => {
      const { api, resource, issuer, count } = await world({}, where);
      const { login, ui, store } = issuerWorld({ resource });
      const token = await login();
      expect(count("/reg")).toBe(1);
      const { url } = await ui.seen("code");
      const asked = new URL(url).searchParams;
      expect(url.startsWith(`${issuer}/auth?`)).toBe(true);
      expect(asked.get("resource")).toBe(where === "origin" ? `${api.url}/` : resource);
      expect(asked.get("scope")).toBe("openid offline_access read");
      expect(await (await createAuthFetch({ resource }, { store })(resource)).text()).toBe("welcome");
      expect(api.asked.at(-1)?.headers.authorization).toBe(token.headers.Authorization);
    },
  );

  it("once: the registration is kept in the store, also for another login, and a fleet makes one", async () => {
    const { resource, count, requests } = await world();
    const { login, options, later, store } = issuerWorld({ resource });
    await login();
    forgetAllDocuments();
    later(280);
    requests.length = 0;
    await login({ interactive: false });
    expect(requests).toEqual(["POST /token"]);
    await authenticate({ resource }, { ...options, account: "second" });
    expect(count("/reg")).toBe(0);
    expect(await store.hosts()).toHaveLength(2);
    const fresh = issuerWorld({ resource });
    await Promise.all(
      ["a", "b", "c", "d"].map((account) => authenticate({ resource }, { ...fresh.options, account })),
    );
    expect(count("/reg")).toBe(1);
  });

  it("with a client id nothing is registered, and with an issuer of the list that one is asked", async () => {
    const native = (await import("../support/issuer.js")).NATIVE;
    const { resource, issuer, count } = await world({ clients: [native] });
    await issuerWorld({ resource, clientId: "cli" }).login();
    await issuerWorld({ resource, issuer, clientId: "cli" }).login();
    expect(count("/reg")).toBe(0);
  });

  it("a provider that has forgotten the program is told of it again", async () => {
    const { resource, provider, count, requests } = await world();
    const { login, ui } = issuerWorld({ resource });
    await login();
    const client = new URL((await ui.seen("code")).url).searchParams.get("client_id") ?? "";
    await destroyClient(provider, client);
    requests.length = 0;
    const token = await login({ force: true, flow: "device" });
    expect(token.refreshToken).toBeDefined();
    expect(count("/reg")).toBe(1);
  });

  it("so is one that forgot it before a refresh: the person logs in once more, and no run after that asks again", async () => {
    const { resource, provider, count } = await world();
    const { login, later, ui, store } = issuerWorld({ resource });
    await login();
    const client = new URL((await ui.seen("code")).url).searchParams.get("client_id") ?? "";
    await destroyClient(provider, client);
    later(280);
    await expect(login({ interactive: false })).rejects.toMatchObject({
      code: "interaction_required",
      message: expect.stringContaining("invalid_client"),
    });
    const token = await login();
    expect(count("/reg")).toBe(2);
    expect(await login({ interactive: false })).toEqual(token);
    expect(await store.clear()).toBe(1);
    expect(await store.backend.keys()).toEqual([]);
  });
});

describe("what cannot be is an error that helps", () => {
  it("an API that says nothing of itself", async () => {
    const api = await startApi(() => [404]);
    await expect(issuerWorld({ resource: `${api.url}/mcp` }).login()).rejects.toMatchObject({
      code: "resource_metadata_missing",
      hint: expect.stringContaining("issuer"),
    });
  });

  it("metadata of another API is not believed (RFC 9728 §3.3)", async () => {
    const { issuer } = await startIssuer(REGISTRATION);
    const api = await startApi(({ path }) =>
      path.startsWith("/.well-known")
        ? json({ resource: "https://other.example/mcp", authorization_servers: [issuer] })
        : [404],
    );
    await expect(issuerWorld({ resource: `${api.url}/mcp` }).login()).rejects.toMatchObject({
      code: "resource_metadata_missing",
    });
  });

  it("a refusal that points to another origin is not followed", async () => {
    const { issuer } = await startIssuer(REGISTRATION);
    const evil = await startApi(() => json({ resource: "x", authorization_servers: [issuer] }));
    const api = await startApi(({ path }) =>
      path === "/mcp" ? [401, { "www-authenticate": `Bearer resource_metadata="${evil.url}/x"` }] : [404],
    );
    await expect(issuerWorld({ resource: `${api.url}/mcp` }).login()).rejects.toMatchObject({
      code: "resource_metadata_missing",
    });
    expect(evil.asked).toEqual([]);
  });

  it("a provider that registers nobody", async () => {
    const { resource } = await world({ clients: [], features: {} });
    await expect(issuerWorld({ resource }).login()).rejects.toMatchObject({
      code: "invalid_config",
      message: expect.stringMatching(/clientId is missing/),
    });
  });

  it("an issuer that lets programs register with a token only", async () => {
    const { issuer, provider } = await startIssuer({
      clients: [],
      features: { registration: { enabled: true, initialAccessToken: "the-initial-token" } },
    });
    expect(provider).toBeTruthy();
    await expect(issuerWorld({ issuer }).login()).rejects.toMatchObject({
      code: "invalid_token",
      hint: expect.stringContaining("initialAccessToken"),
      message: expect.stringContaining("registration endpoint"),
    });
    const { login } = issuerWorld({ issuer, initialAccessToken: "the-initial-token", clientName: "a tool" });
    expect((await login()).refreshToken).toBeDefined();
  });
});

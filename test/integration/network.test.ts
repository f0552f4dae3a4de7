import { writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { type AddressInfo, createServer as createTcpServer } from "node:net";
import { join } from "node:path";
import { createProxy } from "proxy";
import { describe, expect, it, onTestFinished } from "vitest";
import { clientCredentials } from "../../src/credentials/grants.js";
import { createAuthFetch } from "../../src/fetch/auth-fetch.js";
import type { NetworkOptions } from "../../src/options.js";
import { startApi } from "../support/api.js";
import { localCertificate } from "../support/certificates.js";
import { startIssuer } from "../support/issuer.js";
import { issuerWorld } from "../support/issuer-world.js";
import { tempFolder } from "../support/temp-folder.js";

const SECRET = "a-secret-of-a-test";
const CLIENT = {
  client_id: "service",
  client_secret: SECRET,
  id_token_signed_response_alg: "ES256" as const,
  redirect_uris: [],
  response_types: [],
  grant_types: ["client_credentials"],
};

/** A real proxy that wants a name and a password. */
async function startProxy(): Promise<{ url: (credentials?: string) => string; used: string[] }> {
  const used: string[] = [];
  const proxy = createProxy(createServer());
  proxy.authenticate = (request) => {
    const given = String(request.headers["proxy-authorization"] ?? "");
    const right = given === `Basic ${Buffer.from("us:p@ss").toString("base64")}`;
    if (right) used.push(`${request.method} ${request.url}`);
    return right;
  };
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    proxy.closeAllConnections();
    proxy.close();
  });
  const { port } = proxy.address() as AddressInfo;
  return { url: (credentials = "us:p%40ss@") => `http://${credentials}127.0.0.1:${port}`, used };
}

async function world() {
  const { issuer } = await startIssuer({ clients: [CLIENT] });
  const target = { issuer, clientId: "service", clientSecret: SECRET, credentials: clientCredentials() };
  return { issuer, ...issuerWorld(target), target };
}

describe("a proxy that drops the connection", () => {
  it.each(["option", "variable"])("named by %s, is told, and asked no more", async (place) => {
    let connections = 0;
    const proxy = createTcpServer((socket) => {
      connections++;
      socket.on("error", () => {}).once("data", () => socket.destroy());
    });
    await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void proxy.close());
    const url = `http://us:p%40ss@127.0.0.1:${(proxy.address() as AddressInfo).port}`;
    const { login } = await world();
    const options = place === "option" ? { network: { proxy: url } } : { env: { HTTP_PROXY: url } };
    await expect(login(options)).rejects.toMatchObject({
      code: "network_error",
      message: "The proxy drops the connection.",
      unprocessed: true,
    });
    // At most once for each of the tries.
    const tries = connections;
    expect(tries).toBeLessThanOrEqual(3);
    await new Promise((resolve) => setImmediate(resolve));
    expect(connections).toBe(tries);
  });
});

describe("a proxy that asks for a password", () => {
  it.each(["HTTP_PROXY", "http_proxy"])("is gone through where %s names it", async (name) => {
    const proxy = await startProxy();
    const { login } = await world();
    expect((await login({ env: { [name]: proxy.url() } })).accessToken).toBeTruthy();
    expect(proxy.used.length).toBeGreaterThanOrEqual(2);
  });

  it("is gone through where the option names it, for https by a tunnel, with an authority of one's own", async () => {
    const proxy = await startProxy();
    const { ca, cert, key } = await localCertificate();
    const caFile = join(tempFolder(), "ca.pem");
    writeFileSync(caFile, ca);
    const { issuer } = await startIssuer({ clients: [CLIENT], tls: { cert, key } });
    const target = { issuer, clientId: "service", clientSecret: SECRET, credentials: clientCredentials() };
    const { login } = issuerWorld(target);
    expect((await login({ network: { proxy: proxy.url(), caFile } })).accessToken).toBeTruthy();
    expect(proxy.used[0]).toBe(`CONNECT ${new URL(issuer).host}`);
    await login({ force: true, network: { caFile }, env: { HTTPS_PROXY: proxy.url() } });
    expect(proxy.used.length).toBeGreaterThan(1);
  });

  it("is left alone for what NO_PROXY names, and where the option says so", async () => {
    const proxy = await startProxy();
    const { login } = await world();
    await login({ env: { HTTP_PROXY: proxy.url(), NO_PROXY: "example.org,127.0.0.1" } });
    await login({ env: { HTTP_PROXY: proxy.url() }, force: true, network: { proxy: false } });
    expect(proxy.used).toEqual([]);
  });

  it.each([
    ["for http", "http"],
    ["for https", "https"],
  ])("that does not know us (%s) is an error that says so, and shows no password", async (_name, scheme) => {
    const proxy = await startProxy();
    const wrong = proxy.url("us:wrong-password@");
    const { login, target } = await world();
    const other = { ...target, issuer: "https://login.example.org" };
    const error: Error = await (scheme === "http" ? login : issuerWorld(other).login)({
      env: { HTTP_PROXY: wrong, HTTPS_PROXY: wrong },
    }).catch((failed) => failed);
    expect(error).toMatchObject({
      code: "network_error",
      status: 407,
      message: expect.stringMatching(/proxy/),
    });
    const { inspect } = await import("node:util");
    expect(inspect(error, { depth: 10, showHidden: true })).not.toContain("wrong-password");
  });

  it("carries the requests of an authFetch, too", async () => {
    const proxy = await startProxy();
    const api = await startApi(() => [200, {}, "fine"]);
    const { target, options } = await world();
    const env = { HTTP_PROXY: proxy.url() };
    const authFetch = createAuthFetch(target, { ...options, env, origins: [api.url] });
    expect(await (await authFetch(`${api.url}/x`, { method: "POST", body: "y" })).text()).toBe("fine");
    const form = new FormData();
    form.set("field", "value");
    await authFetch(`${api.url}/form`, { method: "POST", body: form });
    expect(api.asked[1]?.body).toContain("value");
    expect(api.asked[1]?.headers["content-type"]).toMatch(/^multipart\/form-data; boundary=/);
    const other = await startApi(() => [200]);
    const request = new Request(`${other.url}/x`, { method: "PUT", body: "{}", headers: { "x-mine": "1" } });
    await authFetch(request);
    expect(other.asked[0]).toMatchObject({ method: "PUT", body: "{}", headers: { "x-mine": "1" } });
    expect(proxy.used.some((one) => one.includes(`${new URL(api.url).port}`))).toBe(true);
    expect(api.asked[0]).toMatchObject({
      body: "y",
      headers: { authorization: expect.stringMatching(/^Bearer /) },
    });
  });
});

describe("a wrong setting", () => {
  it.each<[string, NetworkOptions, string]>([
    ["a proxy that is no URL", { proxy: "proxy:secret@x" }, "network.proxy must be the URL of an HTTP proxy"],
    ["a file that is not there", { caFile: "/nowhere/ca.pem" }, "network.caFile cannot be read"],
    [
      "a file that is no PEM",
      { caFile: import.meta.filename.replace(/network\.test\.ts$/, "../../LICENSE") },
      "network.caFile is not a PEM file",
    ],
    ["a certificate without its key", { certFile: "x" }, "must be given together"],
    ["a misspelt name", { cafile: "x" } as NetworkOptions, "cafile is not a setting of network"],
  ])("%s is invalid_config", async (_name, network, message) => {
    const { login } = await world();
    const error: Error = await login({ network }).catch((failed) => failed);
    expect(error).toMatchObject({ code: "invalid_config", message: expect.stringContaining(message) });
    expect(error.message).not.toContain("secret@");
  });

  it("a password that cannot be decoded is told, and not shown", async () => {
    const { login } = await world();
    const error: Error = await login({ network: { proxy: "http://us:pa%ss@127.0.0.1:1" } }).catch(
      (failed) => failed,
    );
    expect(error).toMatchObject({ code: "invalid_config" });
    expect(error.message).not.toContain("pa%ss");
  });

  it("a proxy variable that is no URL names the variable", async () => {
    const { login } = await world();
    await expect(login({ env: { HTTPS_PROXY: "::" } })).rejects.toMatchObject({
      code: "invalid_config",
      message: expect.stringContaining("HTTPS_PROXY"),
    });
  });
});

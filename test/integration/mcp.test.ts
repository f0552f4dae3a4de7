// biome-ignore-all lint/correctness/noUnresolvedImports: the linter does not follow the wildcard in the package's exports; the compiler does.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { OAuthClientProvider } from "@modelcontextprotocol/sdk/client/auth.js";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { describe, expect, it, onTestFinished } from "vitest";
import { mcpAuthProvider } from "../../src/mcp/index.js";
import { issuerWorld } from "../support/issuer-world.js";
import { startMcp } from "../support/mcp-server.js";

async function connect(url: URL, authProvider: ReturnType<typeof mcpAuthProvider>): Promise<Client> {
  // What we offer is the SDK's own interface.
  const provider: OAuthClientProvider = authProvider;
  const client = new Client({ name: "test", version: "1" });
  const transport = new StreamableHTTPClientTransport(url, {
    authProvider: provider,
    fetch: authProvider.fetch,
  });
  await client.connect(transport as never);
  onTestFinished(() => client.close());
  return client;
}

const textOf = (result: Awaited<ReturnType<Client["callTool"]>>) =>
  (result.content as { text: string }[]).map(({ text }) => text).join("");

describe("an MCP client of the SDK", () => {
  it("logs in by itself, registers, and calls a tool in the person's name", async () => {
    const { url, count } = await startMcp();
    const { options } = issuerWorld({ resource: url });
    const client = await connect(url, mcpAuthProvider(url, options));
    expect(textOf(await client.callTool({ name: "whoami" }))).toBe("alice");
    expect(count("/reg")).toBe(1);
    expect(count("/token")).toBe(1);
  });

  it("goes on without the person: with the stored login, renewed before it ends", async () => {
    const { url, count, seen } = await startMcp();
    const { options, later } = issuerWorld({ resource: url });
    await connect(url, mcpAuthProvider(url, options));
    later(280);
    const alone = { ...options, interactive: false };
    const clients = await Promise.all([1, 2, 3].map(() => connect(url, mcpAuthProvider(url, alone))));
    expect(
      await Promise.all(clients.map(async (client) => textOf(await client.callTool({ name: "whoami" })))),
    ).toEqual(["alice", "alice", "alice"]);
    expect(count("/token")).toBe(2);
    expect(new Set(seen).size).toBe(2);
  });

  it("renews a token that the server refuses, and the call goes through", async () => {
    const { url, provider, count, seen } = await startMcp();
    const { options } = issuerWorld({ resource: url });
    const client = await connect(url, mcpAuthProvider(url, options));
    await (await provider.AccessToken.find(seen.at(-1) ?? ""))?.destroy();
    expect(textOf(await client.callTool({ name: "whoami" }))).toBe("alice");
    expect(count("/token")).toBe(2);
  });

  it("is told which scopes are missing", async () => {
    const { url } = await startMcp(["read", "write"]);
    const { options } = issuerWorld({ resource: url });
    await expect(connect(url, mcpAuthProvider(url, options))).rejects.toMatchObject({
      code: "insufficient_scope",
      message: expect.stringContaining("write"),
    });
    const client = await connect(
      url,
      mcpAuthProvider({ resource: url, scopes: ["openid", "offline_access", "read", "write"] }, options),
    );
    expect(textOf(await client.callTool({ name: "whoami" }))).toBe("alice");
  });

  it("never has the refresh token, which belongs to the store", async () => {
    const { url } = await startMcp();
    const { options } = issuerWorld({ resource: url });
    expect(Object.keys((await mcpAuthProvider(url, options).tokens()) ?? {}).sort()).toEqual([
      "access_token",
      "scope",
      "token_type",
    ]);
  });

  it("does not wait for the stream of a server that wants no token", async () => {
    const streaming = createServer((request, response) => {
      if (request.url !== "/mcp") response.writeHead(404).end();
      else response.writeHead(200, { "content-type": "text/event-stream" }).write(": hello\n\n");
    });
    await new Promise<void>((resolve) => streaming.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => {
      streaming.closeAllConnections();
      streaming.close();
    });
    const url = `http://127.0.0.1:${(streaming.address() as AddressInfo).port}/mcp`;
    expect(await mcpAuthProvider(url, issuerWorld({ resource: url }).options).tokens()).toBeUndefined();
  });

  it("is left alone by a server that wants no token", async () => {
    const open = createServer((_request, response) => response.writeHead(404).end());
    await new Promise<void>((resolve) => open.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void open.close());
    const url = `http://127.0.0.1:${(open.address() as AddressInfo).port}/mcp`;
    const { options } = issuerWorld({ resource: url });
    expect(await mcpAuthProvider(url, options).tokens()).toBeUndefined();
    // Also in a job, where nobody could be asked.
    expect(await mcpAuthProvider(url, { ...options, interactive: false }).tokens()).toBeUndefined();
  });
});

// biome-ignore-all lint/correctness/noUnresolvedImports: the linter does not follow the wildcard in the package's exports; the compiler does.
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { InvalidTokenError } from "@modelcontextprotocol/sdk/server/auth/errors.js";
import { requireBearerAuth } from "@modelcontextprotocol/sdk/server/auth/middleware/bearerAuth.js";
import { mcpAuthMetadataRouter } from "@modelcontextprotocol/sdk/server/auth/router.js";
import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { StreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/streamableHttp.js";
import express from "express";
import { onTestFinished } from "vitest";
import { REGISTRATION, startIssuer } from "./issuer.js";

/** The SDK's own server, with a tool that says who calls it, behind a real provider. */
export async function startMcp(requiredScopes: string[] = ["read"]) {
  const issuer = await startIssuer(REGISTRATION);
  const app = express();
  const server: Server = createServer(app);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const url = new URL(`${base}/mcp`);
  const seen: string[] = [];
  const verifier = {
    verifyAccessToken: async (token: string) => {
      const found = await issuer.provider.AccessToken.find(token);
      if (!found?.accountId) throw new InvalidTokenError("It is not known.");
      seen.push(token);
      return {
        token,
        clientId: String(found.clientId),
        scopes: [...found.scopes],
        expiresAt: Math.floor(Date.now() / 1000) + 60,
        extra: { who: found.accountId },
      };
    },
  };
  app.use(express.json());
  app.use(
    mcpAuthMetadataRouter({
      oauthMetadata: {
        issuer: issuer.issuer,
        authorization_endpoint: `${issuer.issuer}/auth`,
        token_endpoint: `${issuer.issuer}/token`,
        response_types_supported: ["code"],
      },
      resourceServerUrl: url,
      scopesSupported: ["read"],
    }),
  );
  const auth = requireBearerAuth({
    verifier,
    requiredScopes,
    resourceMetadataUrl: `${base}/.well-known/oauth-protected-resource/mcp`,
  });
  app.post("/mcp", auth, async (request, response) => {
    const mcp = new McpServer({ name: "test", version: "1" });
    mcp.registerTool("whoami", {}, async (extra) => ({
      content: [{ type: "text", text: String(extra.authInfo?.extra?.["who"]) }],
    }));
    const transport = new StreamableHTTPServerTransport({ enableJsonResponse: true });
    response.on("close", () => void transport.close());
    await mcp.connect(transport as never);
    await transport.handleRequest(request as never, response, request.body);
  });
  app.get("/mcp", auth, (_request, response) => void response.status(405).end());
  return { ...issuer, url, seen };
}

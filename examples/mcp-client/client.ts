// A client of the Model Context Protocol that logs in by itself: the server says who gives tokens for it.
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { AuthError, ERROR_KINDS } from "oidc-auth-client";
import { mcpAuthProvider } from "oidc-auth-client/mcp";

const [address = "https://api.example.org/mcp", tool] = process.argv.slice(2);
const url = new URL(address);

// The client registers itself where the provider lets it; with a client id: mcpAuthProvider({ resource: url, clientId }).
const authProvider = mcpAuthProvider(url, { appName: "example-mcp" });
const client = new Client({ name: "example", version: "1.0.0" });

try {
  // Its own `fetch` renews a token that the server refuses, and sends the request again.
  await client.connect(new StreamableHTTPClientTransport(url, { authProvider, fetch: authProvider.fetch }));
  const { tools } = await client.listTools();
  console.log(`It has the tools ${tools.map(({ name }) => name).join(", ")}.`);
  if (tool !== undefined) console.log(JSON.stringify((await client.callTool({ name: tool })).content));
} catch (error) {
  if (!(error instanceof AuthError)) throw error;
  console.error(`${error.message}\n${error.hint}`);
  process.exitCode = ERROR_KINDS[error.code].exit;
} finally {
  await client.close();
}

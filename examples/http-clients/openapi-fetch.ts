// A client made for an OpenAPI description (openapi-fetch) takes a fetch of yours, too.
import { createAuthFetch } from "oidc-auth-client";
import createClient from "openapi-fetch";

const host = process.env["AUTH_HOST"] ?? "https://auth.example.org";
const apiUrl = process.env["API_URL"] ?? "https://api.example.org";

/** What `npx openapi-typescript` makes of the API's description. */
interface paths {
  "/me": {
    get: {
      responses: { 200: { content: { "application/json": { username: string; email: string } } } };
    };
  };
}

export const api = createClient<paths>({
  baseUrl: apiUrl,
  fetch: createAuthFetch(host, { origins: [apiUrl] }),
});

const { data, response } = await api.GET("/me");
if (!data) throw new Error(`The API answers ${response.status}.`);
console.log(`openapi-fetch: ${data.username}`);

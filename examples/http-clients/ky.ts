// ky takes a fetch of yours: the one that carries the token, to its origin only, and renews it.
import ky from "ky";
import { createAuthFetch } from "oidc-auth-client";

const host = process.env["AUTH_HOST"] ?? "https://auth.example.org";
const apiUrl = process.env["API_URL"] ?? "https://api.example.org";

export const api = ky.create({ prefixUrl: apiUrl, fetch: createAuthFetch(host, { origins: [apiUrl] }) });

const { username } = await api.get("me").json<{ username: string }>();
console.log(`ky: ${username}`);

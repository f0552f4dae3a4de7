// got: one hook puts the token on, another renews it once where the API refuses it.
import got from "got";
import { tokenProvider } from "oidc-auth-client";

const host = process.env["AUTH_HOST"] ?? "https://auth.example.org";
const apiUrl = process.env["API_URL"] ?? "https://api.example.org";
const getToken = tokenProvider(host);

// The hook runs for redirects, too: the token goes to the API, and nowhere else.
const isApi = (url: string | URL = "") => new URL(url).origin === new URL(apiUrl).origin;

export const api = got.extend({
  prefixUrl: apiUrl,
  hooks: {
    beforeRequest: [
      async (options) => {
        if (isApi(options.url)) options.headers["authorization"] ??= `Bearer ${await getToken()}`;
      },
    ],
    afterResponse: [
      async (response, retryWith) => {
        const { options } = response.request;
        const rejected = /^Bearer (.+)$/.exec(String(options.headers["authorization"] ?? ""))?.[1];
        if (response.statusCode !== 401 || !rejected || !isApi(options.url)) return response;
        // Sent again without these hooks after it: a second refusal is the answer.
        return retryWith({ headers: { authorization: `Bearer ${await getToken({ rejected })}` } });
      },
    ],
  },
});

const { username } = await api.get("me").json<{ username: string }>();
console.log(`got: ${username}`);

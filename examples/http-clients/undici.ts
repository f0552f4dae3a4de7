// undici: requests to one origin's pool carry the token, which is renewed once where the API refuses it.
import { tokenProvider } from "oidc-auth-client";
import { type Dispatcher, Pool } from "undici";

const host = process.env["AUTH_HOST"] ?? "https://auth.example.org";
const apiUrl = process.env["API_URL"] ?? "https://api.example.org";

const getToken = tokenProvider(host);

// A pool knows one origin: the token cannot go anywhere else.
const pool = new Pool(apiUrl);

type ApiRequest = Omit<Dispatcher.RequestOptions, "headers"> & { headers?: Record<string, string> };

/** As `pool.request()`; a body that can be read once only cannot be sent again. */
export async function request(options: ApiRequest): Promise<Dispatcher.ResponseData> {
  const send = (token: string) =>
    pool.request({ ...options, headers: { ...options.headers, authorization: `Bearer ${token}` } });
  const token = await getToken();
  const answer = await send(token);
  if (answer.statusCode !== 401) return answer;
  await answer.body.dump();
  return send(await getToken({ rejected: token }));
}

const { statusCode, body } = await request({ path: "/me", method: "GET" });
if (statusCode !== 200) throw new Error(`The API answers ${statusCode}.`);
console.log(`undici: ${((await body.json()) as { username: string }).username}`);
await pool.close();

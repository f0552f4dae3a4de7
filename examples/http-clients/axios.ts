// axios: one interceptor puts the token on, another renews it once where the API refuses it.
import axios, { type AxiosError, type InternalAxiosRequestConfig } from "axios";
import { tokenProvider } from "oidc-auth-client";

const host = process.env["AUTH_HOST"] ?? "https://auth.example.org";
const apiUrl = process.env["API_URL"] ?? "https://api.example.org";
const getToken = tokenProvider(host);

/** A request, and the token that it was refused with. */
type Sent = InternalAxiosRequestConfig & { rejected?: string };

export const api = axios.create({ baseURL: apiUrl });

api.interceptors.request.use(async (config: Sent) => {
  // Whatever address somebody asks for: the token goes to the API, and nowhere else.
  if (new URL(api.getUri(config)).origin !== new URL(apiUrl).origin) return config;
  config.headers.setAuthorization(`Bearer ${await getToken({ rejected: config.rejected })}`);
  return config;
});

api.interceptors.response.use(undefined, async (error: AxiosError) => {
  const config: Sent | undefined = error.config;
  const token = /^Bearer (.+)$/.exec(String(config?.headers.getAuthorization() ?? ""))?.[1];
  if (!config || error.response?.status !== 401 || !token || config.rejected) throw error;
  config.rejected = token;
  return api.request(config);
});

const { data } = await api.get<{ username: string }>("/me");
console.log(`axios: ${data.username}`);

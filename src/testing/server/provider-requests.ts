import type { RequestListener } from "node:http";
import type { Controls } from "./controls.js";
import type { Grant, Route } from "./faults.js";
import { peekForm, sendJson } from "./http.js";
import { DEVICE_GRANT } from "./provider-settings.js";
import { TOKEN_EXCHANGE } from "./token-route.js";

/** Marks what the routes ask: only what programs ask the provider themselves is counted, and fails. */
export const FROM_ROUTES = { "x-from-routes": "yes" };

/** Answers a request before the provider does. @returns whether it did */
export type Before = (
  ...[request, response]: Parameters<RequestListener>
) => boolean | undefined | Promise<boolean>;

const ENDPOINTS: Readonly<Record<string, Route>> = {
  "/.well-known/openid-configuration": "discovery",
  "/auth": "login",
  "/device/auth": "device",
  "/token": "token",
  "/me": "userinfo",
};

const GRANTS: Readonly<Record<string, Grant>> = {
  authorization_code: "code",
  [DEVICE_GRANT]: "device",
  refresh_token: "refresh",
  [TOKEN_EXCHANGE]: "exchange",
};

/** Counts what programs ask the provider, and lets it fail, as it is done at the routes. */
export function watchProvider(controls: Controls, routesClientId: string): Before {
  return async (request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? "/", "http://demo");
    const route = ENDPOINTS[pathname];
    const ofRoutes = "x-from-routes" in request.headers || searchParams.get("client_id") === routesClientId;
    if (!route || ofRoutes) return false;
    const form = request.method === "POST" ? await peekForm(request) : new URLSearchParams();
    const grant = GRANTS[form.get("grant_type") ?? ""];
    controls.log(request.method ?? "", pathname, [...searchParams.keys(), ...form.keys()]);
    if (!(await controls.admit(route, grant, response, "plain"))) return true;
    const deviceCode = form.get("device_code");
    if (deviceCode === null || !controls.isTooQuick(deviceCode)) return false;
    sendJson(response, 400, { error: "slow_down" });
    return true;
  };
}

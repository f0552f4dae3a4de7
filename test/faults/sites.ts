import type { Target } from "../../src/flows/session.js";
import { type AuthServer, startAuthServer } from "../../src/testing/index.js";
import { type FaultProxy, startFaultProxy, type WireRequest } from "../support/fault-proxy.js";
import { NATIVE, openIssuer } from "../support/issuer.js";

/** What a client asks a server for, in the flows that it has. */
export type RequestName =
  | "discovery"
  | "login"
  | "auth-ports"
  | "device"
  | "poll"
  | "exchange"
  | "refresh"
  | "userinfo"
  | "key set";

export type SiteKind = "passthrough" | "broker" | "issuer";

/** A real server, and the proxy that its clients come through. */
export interface Site {
  readonly kind: SiteKind;
  readonly proxy: FaultProxy;
  readonly target: Target;
  /** The same, where its answer to the browser is signed: with a key that is asked for. */
  readonly signed: Target;
  /** Revokes all that was granted. */
  close(): Promise<void>;
}

const SECRET_CLIENT = "client-secret-of-a-test-0123456789";

/** Which request of which flow it is that came over the wire. */
export function nameOf({ method, path, body }: WireRequest): RequestName | undefined {
  const place = path.split("?")[0] ?? "";
  const form = new URLSearchParams(body);
  if (place.startsWith("/.well-known/")) return "discovery";
  if (/\/(jwks|\.well-known\/jwks\.json)$/.test(place)) return "key set";
  if (place.endsWith("/login") && method === "GET") return "login";
  if (place.endsWith("/auth-ports")) return "auth-ports";
  if (/\/device(\/auth)?$/.test(place) && method === "POST") return "device";
  if (/\/(userinfo|me)$/.test(place)) return "userinfo";
  if (!place.endsWith("/token")) return undefined;
  if (form.has("refresh-token") || form.has("refresh_token")) return "refresh";
  return form.has("device-code") || form.has("device_code") ? "poll" : "exchange";
}

export async function startSite(kind: SiteKind): Promise<Site> {
  const proxy = await startFaultProxy();
  if (kind === "issuer") {
    const client = {
      ...NATIVE,
      client_secret: SECRET_CLIENT,
      token_endpoint_auth_method: "client_secret_post",
      authorization_signed_response_alg: "ES256",
    };
    const issuer = await openIssuer({
      publicOrigin: proxy.origin,
      clients: [client, { ...client, client_id: "signed" }] as never,
      features: { jwtResponseModes: { enabled: true } },
    });
    proxy.forwardTo(issuer.origin);
    const of = (clientId: string) => ({
      issuer: proxy.origin,
      clientId,
      clientSecret: SECRET_CLIENT,
      clientAuthMethod: "client_secret_post" as const,
    });
    return {
      ...{ kind, proxy, target: of("cli"), signed: { ...of("signed"), responseMode: "jwt" } },
      close: async () => void (await Promise.all([proxy.close(), issuer.close()])),
    };
  }
  const server: AuthServer = await startAuthServer({
    mode: kind,
    enforceInterval: false,
    authPorts: PORTS,
    redirectPorts: PORTS,
  });
  proxy.forwardTo(server.host);
  return {
    ...{ kind, proxy, target: proxy.origin, signed: proxy.origin },
    close: async () => void (await Promise.all([proxy.close(), server.close()])),
  };
}

/** As many as there are logins at once, the usual ones among them. */
const PORTS = Array.from({ length: 40 }, (_, index) => 53_100 + index);

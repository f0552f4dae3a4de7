import { randomBytes } from "node:crypto";
import { exportJWK, generateKeyPair } from "jose";
import type { ClientMetadata, Configuration, JWK } from "oidc-provider";
import { DEVICE_PAGES, LOGOUT_PAGES, problemPage } from "./interactions.js";

export const DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code";

/** A native program, which keeps no secret and comes back to any loopback port (RFC 8252 §7.3). */
export const NATIVE: ClientMetadata = {
  client_id: "cli",
  application_type: "native",
  token_endpoint_auth_method: "none",
  redirect_uris: ["http://127.0.0.1/callback", "http://localhost/callback"],
  grant_types: ["authorization_code", "refresh_token", DEVICE_GRANT],
  response_types: ["code"],
  id_token_signed_response_alg: "ES256",
};

const HOUR = 3600;
const FORTNIGHT = 14 * 24 * HOUR;

/** The settings of every provider that tests run against. */
export async function providerSettings(
  clients: readonly ClientMetadata[],
  lifetimes: { readonly accessToken?: number; readonly deviceCode?: number } = {},
): Promise<Configuration> {
  const { accessToken = 300, deviceCode = 600 } = lifetimes;
  return {
    clients: [...clients],
    jwks: { keys: await signingKeys() },
    // The default of 15 s would keep short tokens alive.
    clockTolerance: 0,
    cookies: { keys: [randomBytes(24).toString("base64url")] },
    pkce: { required: () => true },
    rotateRefreshToken: true,
    scopes: ["openid", "profile", "email", "offline_access"],
    claims: { openid: ["sub"], profile: ["name", "preferred_username"], email: ["email"] },
    findAccount: (_context, id) => ({
      accountId: id,
      claims: () => ({ sub: id, name: id, preferred_username: id, email: `${id}@example.org` }),
    }),
    interactions: { url: (_context, interaction) => `/interaction/${interaction.uid}` },
    ttl: {
      AccessToken: accessToken,
      AuthorizationCode: 60,
      ClientCredentials: accessToken,
      DeviceCode: deviceCode,
      Grant: FORTNIGHT,
      IdToken: HOUR,
      Interaction: HOUR,
      RefreshToken: FORTNIGHT,
      Session: FORTNIGHT,
    },
    features: {
      devInteractions: { enabled: false },
      deviceFlow: { enabled: true, ...DEVICE_PAGES },
      // The package's own print advice, which would stand in the output of each tool's tests.
      introspection: {
        enabled: true,
        allowedPolicy: (_context, client, token) =>
          client.clientAuthMethod !== "none" || token.clientId === client.clientId,
      },
      revocation: {
        enabled: true,
        allowedPolicy: (_context, client, token) => token.clientId === client.clientId,
      },
      rpInitiatedLogout: { enabled: true, ...LOGOUT_PAGES },
    },
    renderError: (context, out) => {
      context.type = "html";
      context.body = problemPage(out.error_description ?? out.error);
    },
  };
}

async function signingKeys(): Promise<JWK[]> {
  const { privateKey } = await generateKeyPair("ES256", { extractable: true });
  return [{ ...(await exportJWK(privateKey)), alg: "ES256", use: "sig", kid: "demo" } as JWK];
}

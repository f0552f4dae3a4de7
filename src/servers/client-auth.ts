import type { CryptoKey } from "jose";
import type { ClientAuth } from "openid-client";
import { invalid } from "../settings/checks.js";
import type { PrivateKey } from "../settings/client-auth.js";
import type { Library, OpenIdClient } from "./openid.js";

/** How the client proves who it is, by its settings and by what the provider takes (OpenID Connect Core §9). */
export async function clientAuth(
  library: Library,
  { settings, clientId, clientSecret }: OpenIdClient,
  document: Readonly<Record<string, unknown>>,
  clientAssertion: string | undefined,
): Promise<ClientAuth> {
  if (clientAssertion !== undefined) {
    return (_server, _client, body) => {
      body.set("client_id", clientId);
      body.set("client_assertion", clientAssertion);
      body.set("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
    };
  }
  const method = settings.clientAuthMethod ?? usual(document, clientSecret, settings.privateKey);
  switch (method) {
    case "client_secret_basic":
      return library.ClientSecretBasic(clientSecret);
    case "client_secret_post":
      return library.ClientSecretPost(clientSecret);
    case "private_key_jwt": {
      const { privateKeyAlg: alg, privateKeyId, assertionAudience } = settings;
      const { key, kid } = await privateKeyOf(settings.privateKey ?? "", { use: "sign", alg });
      const id = privateKeyId ?? kid;
      return library.PrivateKeyJwt(id === undefined ? key : { key, kid: id }, {
        [library.modifyAssertion]: (_header, payload) => {
          if (assertionAudience !== undefined) payload["aud"] = assertionAudience;
        },
      });
    }
    case "tls_client_auth":
      return library.TlsClientAuth();
    case "none":
      return library.None();
  }
}

function usual(
  document: Readonly<Record<string, unknown>>,
  secret: string | undefined,
  key: PrivateKey | undefined,
): "client_secret_basic" | "client_secret_post" | "private_key_jwt" | "none" {
  if (key !== undefined) return "private_key_jwt";
  if (secret === undefined) return "none";
  const listed = document["token_endpoint_auth_methods_supported"];
  // Where it says nothing it is Basic (RFC 8414 §2).
  const takesBasic = !Array.isArray(listed) || listed.includes("client_secret_basic");
  return takesBasic ? "client_secret_basic" : "client_secret_post";
}

/** Reads a private key, and finds out what it is used with. @throws AuthError `invalid_config` */
export async function privateKeyOf(
  given: PrivateKey,
  { use, alg }: { use: "sign" | "decrypt"; alg?: string | undefined },
): Promise<{ key: CryptoKey; kid: string | undefined; alg: string }> {
  const { createPrivateKey } = await import("node:crypto");
  const { importPKCS8 } = await import("jose");
  const jwk = typeof given === "string" ? {} : given;
  try {
    const object =
      typeof given === "string"
        ? createPrivateKey(given)
        : createPrivateKey({ key: { ...given } as never, format: "jwk" });
    const stated = alg ?? (typeof jwk["alg"] === "string" ? jwk["alg"] : undefined);
    const algorithm = stated ?? usualAlgorithm(object, use);
    const pem = object.export({ type: "pkcs8", format: "pem" }).toString();
    const kid = typeof jwk["kid"] === "string" ? jwk["kid"] : undefined;
    return { key: await importPKCS8(pem, algorithm), kid, alg: algorithm };
  } catch {
    // The reason may quote the key.
    throw invalid(
      use === "sign" ? "privateKey" : "decryptionKey",
      "cannot be read: is it PKCS #8 in PEM, or a JWK?",
      undefined,
    );
  }
}

function usualAlgorithm(key: import("node:crypto").KeyObject, use: "sign" | "decrypt"): string {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key;
  if (type === "rsa") return use === "sign" ? "RS256" : "RSA-OAEP";
  if (use === "decrypt") return "ECDH-ES";
  if (type === "ed25519") return "EdDSA";
  const curves: Record<string, string> = { prime256v1: "ES256", secp384r1: "ES384", secp521r1: "ES512" };
  return curves[details?.namedCurve ?? ""] ?? "ES256";
}

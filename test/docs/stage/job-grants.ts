import { type CryptoKey, jwtVerify } from "jose";
import type { ProviderInstance } from "../../../src/testing/server/load-provider.js";

const EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange";
const JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/** For whom GitHub makes a token where nobody is named. */
export const GITHUB_AUDIENCE = "https://github.com/octo-org";

/** What is signed by the platform of the pages is trusted, whoever it speaks of. */
async function isTrusted(token: unknown, key: CryptoKey): Promise<boolean> {
  try {
    const { payload } = await jwtVerify(String(token), key);
    // GitHub's own choice of audience is what no provider expects.
    return payload.aud !== GITHUB_AUDIENCE;
  } catch {
    return false;
  }
}

/** What `oidc-provider` leaves to its users: a token for the token of a job, or for a service's statement. */
export function registerJobGrants(provider: ProviderInstance, key: CryptoKey): void {
  for (const [grant, member] of [
    [EXCHANGE, "subject_token"],
    [JWT_BEARER, "assertion"],
  ] as const) {
    provider.registerGrantType(
      grant,
      async (context) => {
        const { client, params } = context.oidc;
        if (!client || !(await isTrusted(params?.[member], key))) {
          context.status = 400;
          context.body = { error: "invalid_grant", error_description: "That token is not trusted." };
          return;
        }
        const token = new provider.ClientCredentials({ client } as never);
        context.body = {
          access_token: await token.save(),
          expires_in: token.expiration,
          token_type: "Bearer",
          ...(grant === EXCHANGE && {
            issued_token_type: "urn:ietf:params:oauth:token-type:access_token",
          }),
        };
      },
      [member, "subject_token_type", "scope", "resource", "audience", "requested_token_type"],
      ["resource", "audience"],
    );
  }
}

/** A token endpoint alone, as Google's and Microsoft's for jobs: what it gives for which token, or nothing. */
export async function exchange(
  form: URLSearchParams,
  key: CryptoKey,
): Promise<[status: number, body: object]> {
  const token = form.get("subject_token") ?? form.get("client_assertion") ?? form.get("assertion");
  if (!(await isTrusted(token, key))) return [400, { error: "invalid_grant" }];
  return [200, { access_token: "of-a-job", token_type: "Bearer", expires_in: 300 }];
}

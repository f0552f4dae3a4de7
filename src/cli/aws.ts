import { AuthError } from "../errors.js";
import { safeUrl } from "../settings/address.js";
import { cleanText, printableJson, withoutSecrets } from "../text.js";
import type { Token } from "../token.js";
import { UsageError } from "./command.js";
import type { CliIo } from "./io.js";

const TIMEOUT_MS = 30_000;

/** Temporary AWS credentials for a web identity, in the form of `credential_process`. */
export async function assumeRole(
  token: Token,
  options: {
    roleArn: string | undefined;
    sessionName: string | undefined;
    endpoint: string | undefined;
    io: CliIo;
  },
): Promise<string> {
  const { roleArn, sessionName = "oidc-auth", endpoint = "https://sts.amazonaws.com/", io } = options;
  if (roleArn === undefined) throw new UsageError("--format aws needs --role-arn");
  const url = safeUrl(endpoint, false, "--sts-endpoint");
  const jwt = token.idToken ?? token.accessToken;
  const body = new URLSearchParams({
    Action: "AssumeRoleWithWebIdentity",
    Version: "2011-06-15",
    RoleArn: roleArn,
    RoleSessionName: sessionName,
    WebIdentityToken: jwt,
  });
  const signal = AbortSignal.any([io.signal, AbortSignal.timeout(TIMEOUT_MS)]);
  const answer = await fetch(url, { method: "POST", body, redirect: "manual", signal }).catch(() => {
    throw new AuthError("network_error", `AWS (${url.origin}) cannot be reached.`);
  });
  const xml = (await answer.text()).slice(0, 100_000);
  const part = (name: string) => new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml)?.[1];
  const [id, secret, session, end] = ["AccessKeyId", "SecretAccessKey", "SessionToken", "Expiration"].map(
    part,
  );
  if (answer.status !== 200 || !id || !secret || !session) {
    const said = cleanText(withoutSecrets(part("Message") ?? "", [jwt]));
    throw new AuthError("request_failed", `AWS does not take the token for ${roleArn} (${answer.status}).`, {
      status: answer.status,
      ...(said && { description: said }),
      hint: "Check the role's trust policy: the issuer, the audience and the subject of the token.",
    });
  }
  const credentials = {
    Version: 1,
    AccessKeyId: id,
    SecretAccessKey: secret,
    SessionToken: session,
    Expiration: end,
  };
  return `${printableJson(credentials)}\n`;
}

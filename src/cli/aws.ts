import type { Context } from "../context.js";
import { AuthError } from "../errors.js";
import { openText } from "../secrets.js";
import { send } from "../servers/http.js";
import { safeUrl } from "../settings/address.js";
import { printableJson } from "../text.js";
import type { Token } from "../token.js";
import { UsageError } from "./command.js";

/** Temporary AWS credentials for a web identity, in the form of `credential_process`. */
export async function assumeRole(
  token: Token,
  options: {
    roleArn: string | undefined;
    sessionName: string | undefined;
    endpoint: string | undefined;
    context: Context;
    signal: AbortSignal;
  },
): Promise<string> {
  const { roleArn, sessionName = "oidc-auth", endpoint = "https://sts.amazonaws.com/" } = options;
  const { context, signal } = options;
  if (roleArn === undefined) throw new UsageError("--format aws needs --role-arn");
  const url = safeUrl(endpoint, false, "--sts-endpoint");
  const jwt = token.idToken ?? token.accessToken;
  const form = {
    Action: "AssumeRoleWithWebIdentity",
    Version: "2011-06-15",
    RoleArn: roleArn,
    RoleSessionName: sessionName,
    WebIdentityToken: jwt,
  };
  const request = { what: "token service of AWS", url, form, headers: { accept: "application/xml" }, signal };
  const answer = await send(request, context);
  const part = (name: string) => new RegExp(`<${name}>([^<]*)</${name}>`).exec(answer.text)?.[1];
  const [id, secret, session, end] = ["AccessKeyId", "SecretAccessKey", "SessionToken", "Expiration"].map(
    part,
  );
  if (answer.status !== 200 || !id || !secret || !session) {
    const said = openText(part("Message") ?? "", [jwt]);
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

import type { Context } from "../../context.js";
import { shellQuote } from "../../shell-word.js";
import { tokenJson } from "../../store/entry.js";
import { printableJson } from "../../text.js";
import type { Token } from "../../token.js";
import { unaskedUnlessTold } from "../asks-nobody.js";
import { type Command, type Input, isOn, textOf, UsageError, wordOf } from "../command.js";
import { LOGIN_OPTIONS, type Resolved, resolveTarget, TARGET_OPTIONS } from "../target.js";

const FORMATS = ["token", "header", "json", "env", "curl", "netrc", "aws"] as const;

export const command: Command = {
  usage: "token HOST [options]",
  about:
    "Prints a valid access token, and nothing else: the stored one, or a renewed one. It never asks anybody, unless --login says so. HOST may be the name of a profile.",
  options: {
    login: { type: "boolean", help: "log in where that is needed, and somebody can" },
    header: { type: "boolean", help: "print the whole header: Authorization: Bearer …" },
    format: { type: "string", value: "FORMAT", help: "token (default), header, json, env, curl, netrc, aws" },
    "role-arn": {
      type: "string",
      value: "ARN",
      help: "with --format aws: the role that the token is exchanged for",
    },
    "role-session-name": { type: "string", value: "NAME", help: "with --format aws (default oidc-auth)" },
    "sts-endpoint": {
      type: "string",
      value: "URL",
      help: "with --format aws (default https://sts.amazonaws.com/)",
    },
    ...TARGET_OPTIONS,
    ...LOGIN_OPTIONS,
  },
  examples: [
    'curl -H "$(oidc-auth token HOST --header)" https://api.example.org/me',
    "curl -K <(oidc-auth token HOST --format curl) https://api.example.org/me",
    'eval "$(oidc-auth token HOST --format env)"      # OIDC_ACCESS_TOKEN and more',
    "oidc-auth token https://login.example.org/realms/x --client-id ci --credentials github:https://login.example.org",
    "credential_process = oidc-auth token prod --format aws --role-arn arn:aws:iam::1:role/r   # ~/.aws/config",
  ],
  async run(input, io) {
    const named = wordOf(input, "format", FORMATS);
    if (isOn(input, "header") && named !== undefined && named !== "header")
      throw new UsageError(`--header and --format ${named} cannot be given together`);
    const format = isOn(input, "header") ? "header" : (named ?? "token");
    const resolved = await resolveTarget(input.positionals[0] ?? "", input, io);
    const authenticate = unaskedUnlessTold("token", input, resolved, io);
    const token = await authenticate();
    const { context } = authenticate.session;
    io.stdout.write(await formatted(token, format, resolved, input, { context, signal: io.signal }));
    return 0;
  },
};

async function formatted(
  token: Token,
  format: (typeof FORMATS)[number],
  { config }: Resolved,
  input: Input,
  asking: { context: Context; signal: AbortSignal },
): Promise<string> {
  const { accessToken, tokenType, expiresAt, headers } = token;
  const settings = config.settings;
  const place = (settings.kind === "issuer" && settings.resource) || config.host;
  switch (format) {
    case "token":
      return `${accessToken}\n`;
    case "header":
      return `Authorization: ${headers.Authorization}\n`;
    case "json":
      return `${printableJson(tokenJson(token))}\n`;
    case "env":
      return [
        `export OIDC_ACCESS_TOKEN=${shellQuote(accessToken)}`,
        `export OIDC_TOKEN_TYPE=${shellQuote(tokenType)}`,
        `export OIDC_EXPIRES_AT=${expiresAt}`,
        "",
      ].join("\n");
    case "curl":
      return `header = "Authorization: ${headers.Authorization.replace(/["\\]/g, "\\$&")}"\n`;
    case "netrc":
      return `machine ${new URL(place).hostname} login oauth2 password ${accessToken}\n`;
    case "aws": {
      const { assumeRole } = await import("../aws.js");
      return assumeRole(token, {
        roleArn: textOf(input, "role-arn"),
        sessionName: textOf(input, "role-session-name"),
        endpoint: textOf(input, "sts-endpoint"),
        ...asking,
      });
    }
  }
}

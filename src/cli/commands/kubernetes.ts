import { createAuthenticator } from "../../authenticate.js";
import { isRecord } from "../../jwt.js";
import { unasked } from "../asks-nobody.js";
import { type Command, isOn, UsageError } from "../command.js";
import { print } from "../io.js";
import { LOGIN_OPTIONS, resolveTarget, TARGET_OPTIONS } from "../target.js";
import { reporting } from "../warnings.js";

const VERSIONS = ["client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1"];

export const command: Command = {
  usage: "kubernetes HOST [options]",
  about:
    "Prints an ExecCredential for kubectl (client.authentication.k8s.io/v1), with when it ends, so that kubectl asks again in time. kubectl says in KUBERNETES_EXEC_INFO which version it wants and whether somebody sits in front of it.",
  options: {
    "id-token": {
      type: "boolean",
      help: "give the id token, which many API servers want, instead of the access token",
    },
    ...TARGET_OPTIONS,
    ...LOGIN_OPTIONS,
  },
  examples: [
    "kubectl config set-credentials me --exec-api-version=client.authentication.k8s.io/v1 \\",
    "  --exec-interactive-mode=IfAvailable --exec-command=oidc-auth \\",
    "  --exec-arg=kubernetes --exec-arg=https://login.example.org --exec-arg=--client-id=kubernetes --exec-arg=--id-token",
  ],
  async run(input, io) {
    const { version, interactive } = execInfo(io.env["KUBERNETES_EXEC_INFO"]);
    const resolved = await resolveTarget(input.positionals[0] ?? "", input, io);
    const { target, options, config } = resolved;
    const authenticate =
      interactive || options.interactive !== undefined
        ? createAuthenticator(target, { ...options, ...reporting(io) })
        : unasked({ why: "kubectl says that nobody is there" }, resolved, io);
    const token = await authenticate();
    if (isOn(input, "id-token") && token.idToken === undefined) {
      const why =
        config.settings.kind === "routes"
          ? "servers with the py-oidc-auth routes give none; name the OpenID provider itself, with --client-id ID"
          : `${config.host} gave none; ask for the scope openid`;
      throw new UsageError(`--id-token: ${why}`);
    }
    const credential = {
      apiVersion: version,
      kind: "ExecCredential",
      status: {
        token: isOn(input, "id-token") ? token.idToken : token.accessToken,
        // RFC 3339, and early enough that kubectl does not use it in its last minute.
        expirationTimestamp: new Date((token.expiresAt - 60) * 1000).toISOString().replace(/\.\d+Z$/, "Z"),
      },
    };
    print(io, true, credential, "");
    return 0;
  },
};

/** What kubectl says of how it calls us; by hand it says nothing. */
function execInfo(text: string | undefined): { version: string; interactive: boolean } {
  const fallback = { version: VERSIONS[0] ?? "", interactive: true };
  if (!text) return fallback;
  let info: unknown;
  try {
    info = JSON.parse(text);
  } catch {
    throw new UsageError("KUBERNETES_EXEC_INFO is not JSON");
  }
  const version = isRecord(info) ? info["apiVersion"] : undefined;
  const spec = isRecord(info) && isRecord(info["spec"]) ? info["spec"] : {};
  const known = VERSIONS.find((one) => one === version);
  if (known === undefined)
    throw new UsageError(`KUBERNETES_EXEC_INFO wants ${String(version)}; known are ${VERSIONS.join(", ")}`);
  return { version: known, interactive: spec["interactive"] === true };
}

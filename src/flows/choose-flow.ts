import type { Environment } from "../environment.js";
import type { FlowName } from "../options.js";
import type { Session } from "./session.js";

type Way = "device" | "code";

/**
 * The ways in which a person may log in, in the order in which they are tried. A server with the py-oidc-auth routes is
 * asked for a device code first, as the Python client does. At an issuer a browser in front of the person comes first:
 * a code flow cannot be phished by a forwarded user code, as its answer only comes to this machine (RFC 8628 §5.4).
 */
export async function chooseFlow(
  session: Session,
  wanted: FlowName,
  environment: Environment,
  signal: AbortSignal,
): Promise<readonly Way[]> {
  if (wanted !== "auto") return [wanted];
  const server = await session.server(signal);
  if (!(await server.hasCodeFlow(session.context, signal))) return ["device"];
  const { openBrowser } = session.options;
  const browser = typeof openBrowser === "function" || (openBrowser !== false && environment.browser);
  return session.config.settings.kind === "issuer" && browser ? ["code"] : ["device", "code"];
}

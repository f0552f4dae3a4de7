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
  const { explain } = session.context;
  if (wanted !== "auto") {
    explain(`The ${wanted} flow was asked for.`);
    return [wanted];
  }
  const server = await session.server(signal);
  if (!(await server.hasCodeFlow(session.context, signal))) {
    explain("The provider has no login page for a browser: the device flow is taken.");
    return ["device"];
  }
  const { openBrowser } = session.options;
  const browser = typeof openBrowser === "function" || (openBrowser !== false && environment.browser);
  const code = session.config.settings.kind === "issuer" && browser;
  explain(
    code
      ? "A browser can be expected in front of the person: the code flow is taken."
      : `The device flow comes first: ${browser ? "the server has the py-oidc-auth routes" : "no browser is expected in front of the person"}.`,
  );
  return code ? ["code"] : ["device", "code"];
}

/**
 * Whether all ways can be offered at once: our own display, on a terminal whose keys can be listened for. Not over SSH:
 * each login that waits would hold one of the few redirect ports, which all who are logged in on that machine share.
 */
export function offersBoth({ options }: Session, { ssh, stdinIsTty, stderrIsTty }: Environment): boolean {
  const { ui, terminal, env = process.env } = options;
  const plain = terminal?.plain === true || env["TERM"] === "dumb" || Boolean(env["NO_COLOR"]);
  return !ssh && ui === undefined && stdinIsTty && stderrIsTty && !plain;
}

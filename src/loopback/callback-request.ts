import type { IncomingMessage } from "node:http";

/**
 * The status with which a request is turned away, if it is not one for the callback.
 *
 * @param hosts the names and ports by which a browser knows us: a name that was only made to point here is none of them
 */
export function refusalOf(
  request: Pick<IncomingMessage, "method" | "url" | "headers" | "headersDistinct">,
  path: string,
  hosts: readonly string[],
): number | undefined {
  const { method, url: target = "", headers, headersDistinct } = request;
  // Origin form in visible ASCII (RFC 9112 §3.2.1): no proxy talks to us, and browsers send nothing else.
  if (!/^\/[\x21-\x7e]*$/.test(target) || target.includes("#")) return 400;
  const named = headersDistinct["host"] ?? [];
  if (named.length !== 1) return 400;
  if (!hosts.includes((named[0] ?? "").toLowerCase())) return 421;
  if (target.split("?", 1)[0] !== path) return 404;
  if (method !== "GET") return 405;
  const body = headers["transfer-encoding"] !== undefined || (headers["content-length"] ?? "0") !== "0";
  return body || headers.expect !== undefined ? 400 : undefined;
}

import { AuthError } from "../errors.js";
import { cleanText } from "../text.js";
import { invalid } from "./checks.js";

/** An address longer than this is no place that a person, or a browser, is sent to. */
export const MAX_URL_LENGTH = 8192;

/**
 * The normal form of a server's address: scheme and host in lower case, no default port, no credentials, query or
 * fragment, no slash at the end. A missing scheme is read as https.
 *
 * @throws AuthError `invalid_config`, `insecure_host`
 */
export function serverAddress(host: string | URL, allowInsecure: boolean, field = "host"): string {
  const url = safeUrl(host, allowInsecure, field);
  return url.origin + url.pathname.replace(/\/+$/, "");
}

/** An address that a secret may be sent to. */
export function safeUrl(address: string | URL, allowInsecure: boolean, field: string): URL {
  const url = parseHost(address, field);
  if (!isSafe(url, allowInsecure)) {
    throw new AuthError(
      "insecure_host",
      `${field} is "${cleanText(url.origin)}": over plain http a token can be read on the way.`,
    );
  }
  return url;
}

/**
 * The origin of an address that is written in full: which one a secret goes to is not guessed, and no pattern.
 *
 * @throws AuthError `invalid_config`, `insecure_host`
 */
export function safeOrigin(address: string | URL, allowInsecure: boolean, field: string): string {
  const given = typeof address === "string" || address instanceof URL ? String(address).trim() : undefined;
  const url = given === undefined ? undefined : httpUrl(given);
  if (!url) {
    const what = "must hold http(s) origins in full, such as https://api.example.org";
    throw invalid(field, what, given === undefined ? address : withoutCredentials(given));
  }
  return safeUrl(url, allowInsecure, field).origin;
}

/** Whether a secret may be sent there: https, or this machine, or where the caller allows it. */
export function isSafe(url: URL, allowInsecure: boolean): boolean {
  return (
    url.protocol === "https:" || (url.protocol === "http:" && (allowInsecure || isLoopback(url.hostname)))
  );
}

/** The address as a URL, whatever its scheme's safety: for look-ups in the store, which sends nothing. */
export function parseHost(host: string | URL, field = "host"): URL {
  if (typeof host !== "string" && !(host instanceof URL)) {
    throw invalid(field, "must be an absolute http(s) URL", host);
  }
  const given = typeof host === "string" ? host.trim() : host.href;
  // Not `/i`: the first such pattern of a process costs 0.15 ms.
  const withScheme = /^[a-zA-Z][a-zA-Z0-9+.-]*:\/\//.test(given) ? given : `https://${given}`;
  const url = URL.canParse(withScheme) && given !== "" ? new URL(withScheme) : undefined;
  if (!url || (url.protocol !== "https:" && url.protocol !== "http:") || url.hostname === "") {
    throw invalid(
      field,
      "must be an absolute http(s) URL, such as https://auth.example.org",
      withoutCredentials(given),
    );
  }
  return url;
}

/**
 * A URL that a browser may be sent to, and a person be shown: http(s) and nothing else, of a length that fits a command
 * line, with the name or number of a host, and without a name and password in front, which only make it look like
 * another one. Its normal form is ASCII, without blanks, quotes and angle brackets.
 */
export function httpUrl(value: string, base?: URL): URL | undefined {
  if (!URL.canParse(value, base?.href)) return undefined;
  const url = new URL(value, base?.href);
  const isHttp = url.protocol === "https:" || url.protocol === "http:";
  // The parser lets many a mark pass that no host's name has.
  const isHost = /^(?:[\w.-]+|\[[\da-f:]+\])$/.test(url.hostname);
  const plain = url.username === "" && url.password === "" && url.href.length <= MAX_URL_LENGTH;
  return isHttp && isHost && plain ? url : undefined;
}

/** Whether a host name can only mean this machine (RFC 6761 §6.3 for `localhost`). */
export function isLoopback(hostname: string): boolean {
  return (
    hostname === "localhost" ||
    hostname.endsWith(".localhost") ||
    hostname === "[::1]" ||
    /^127(\.\d{1,3}){3}$/.test(hostname)
  );
}

function withoutCredentials(text: string): string {
  return text.replace(/^([a-z][a-z0-9+.-]*:\/\/)?.*@/is, "$1");
}

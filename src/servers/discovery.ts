import type { Context } from "../context.js";
import { isAuthError } from "../errors.js";
import { isRecord } from "../jwt.js";
import { httpUrl } from "../settings/address.js";
import type { IssuerSettings } from "../settings/issuer.js";
import { cachedDocument, forgetDocument } from "./document-cache.js";
import { LibraryFetch } from "./library-fetch.js";
import { toAuthError } from "./openid-error.js";

/** What a provider says of itself (OpenID Connect Discovery §3, RFC 8414 §2). */
export interface Discovery {
  readonly issuer: string;
  /** Which of the two standards it follows, or that the endpoints were given. */
  readonly algorithm: "oidc" | "oauth2" | "by hand";
  /** Where it was read. */
  readonly url: string;
  readonly document: Readonly<Record<string, unknown>>;
}

type Asked = IssuerSettings & { readonly issuer: string };

/** What a provider says of itself: as given by hand, else kept for a day, else read now. */
export async function discover(
  settings: Asked,
  folder: string | undefined,
  context: Context,
  signal?: AbortSignal,
): Promise<Discovery> {
  const { issuer, endpoints } = settings;
  if (endpoints?.["token_endpoint"]) return { issuer, algorithm: "by hand", url: "", document: endpoints };
  const discovery = await cachedDocument({
    id: idOf(settings),
    folder,
    now: context.now(),
    parse: (content) => parseKept(content, issuer),
    read: () => read(settings, context, signal),
  });
  return endpoints ? { ...discovery, document: { ...discovery.document, ...endpoints } } : discovery;
}

export async function forgetDiscovery(settings: Asked, folder: string | undefined): Promise<void> {
  await forgetDocument(idOf(settings), folder);
}

/** What was read while http was allowed is not believed where it is not. */
function idOf({ issuer, allowInsecureHost }: Asked): string {
  return allowInsecureHost ? `${issuer} insecure` : issuer;
}

function parseKept(content: unknown, issuer: string): Discovery | undefined {
  if (!isRecord(content) || content["issuer"] !== issuer) return undefined;
  const { algorithm, url, document } = content;
  if (typeof url !== "string" || !isRecord(document)) return undefined;
  return algorithm === "oidc" || algorithm === "oauth2" ? { issuer, algorithm, url, document } : undefined;
}

/** An endpoint that is no address is none: whatever does not need it works all the same. */
function withoutBroken(document: Record<string, unknown>): Record<string, unknown> {
  const isBroken = (member: string, value: unknown) =>
    /(_endpoint|^jwks_uri)$/.test(member) && (typeof value !== "string" || !httpUrl(value));
  return Object.fromEntries(Object.entries(document).filter(([member, value]) => !isBroken(member, value)));
}

async function read(settings: Asked, context: Context, signal: AbortSignal | undefined): Promise<Discovery> {
  const { issuer, allowInsecureHost } = settings;
  const library = await import("openid-client");
  let failure: unknown;
  // An API of today's kind (MCP) names servers that know only RFC 8414, at another address than OpenID's.
  for (const algorithm of ["oidc", "oauth2"] as const) {
    const fetch = new LibraryFetch(
      context,
      allowInsecureHost,
      { issuer, algorithm, url: "", document: {} },
      signal,
    );
    try {
      const insecure = allowInsecureHost || !issuer.startsWith("https:");
      await library.discovery(new URL(issuer), "none", undefined, library.None(), {
        algorithm,
        execute: insecure ? [library.allowInsecureRequests] : [],
        [library.customFetch]: fetch.send,
      });
      const { request, answer } = fetch.last ?? {};
      if (request && isRecord(answer?.json)) {
        return { issuer, algorithm, url: request.url.href, document: withoutBroken(answer.json) };
      }
    } catch (error) {
      const ours = toAuthError(error, issuer, fetch.last);
      failure ??= ours;
      const missing = isAuthError(ours, "request_failed", "invalid_response", "not_supported");
      if (!missing || (ours.status ?? 0) >= 500) throw ours;
    }
  }
  throw failure;
}

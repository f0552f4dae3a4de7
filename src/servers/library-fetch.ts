import type { Context } from "../context.js";
import { AuthError } from "../errors.js";
import { isRecord } from "../jwt.js";
import { httpUrl, isSafe } from "../settings/address.js";
import { cleanText } from "../text.js";
import { positive } from "../token.js";
import { refusesDeviceFlow } from "./device-answer.js";
import type { Discovery } from "./discovery.js";
import { send } from "./http.js";
import type { HttpAnswer, HttpRequest } from "./http-message.js";
import { refusal } from "./openid-error.js";

export interface Exchange {
  readonly request: HttpRequest;
  readonly answer: HttpAnswer;
}

interface LibraryRequest {
  readonly method?: string | undefined;
  readonly headers?: unknown;
  readonly body?: unknown;
}

type EndpointKind = Pick<HttpRequest, "what" | "spends" | "isMeant">;

const TOKEN_ENDPOINT: EndpointKind = { what: "token endpoint", spends: true };

/** What the endpoints are called in messages, and where something is used up or made: a code, a refresh token, a client. */
const ENDPOINTS: Readonly<Record<string, EndpointKind>> = {
  token_endpoint: TOKEN_ENDPOINT,
  device_authorization_endpoint: { what: "device endpoint", isMeant: refusesDeviceFlow },
  userinfo_endpoint: { what: "userinfo endpoint" },
  introspection_endpoint: { what: "introspection endpoint" },
  revocation_endpoint: { what: "revocation endpoint" },
  registration_endpoint: { what: "registration endpoint", spends: true },
  pushed_authorization_request_endpoint: { what: "pushed authorization endpoint" },
  jwks_uri: { what: "key set" },
};

/** The `fetch` that the protocol library is given: everything goes through our one way of sending. */
export class LibraryFetch {
  /** What was asked and answered last. */
  last: Exchange | undefined;
  readonly #context: Context;
  readonly #allowInsecure: boolean;
  readonly #discovery: Discovery;
  readonly #signal: AbortSignal | undefined;

  constructor(
    context: Context,
    allowInsecure: boolean,
    discovery: Discovery,
    signal: AbortSignal | undefined,
  ) {
    this.#context = context;
    this.#allowInsecure = allowInsecure;
    this.#discovery = discovery;
    this.#signal = signal;
  }

  readonly send = async (address: string, init: LibraryRequest = {}): Promise<Response> => {
    const url = new URL(address);
    if (!isSafe(url, this.#allowInsecure)) throw insecure(url);
    const { document, url: documentUrl } = this.#discovery;
    if (documentUrl === url.href && Object.keys(document).length > 0) return jsonResponse(200, document);
    const kind = this.#kindOf(url, init.method);
    const request = this.#request(kind, url, init);
    const answer = await send(request, this.#context);
    this.last = { request, answer };
    // GitHub says 200 where it means 400.
    const error = isRecord(answer.json) && typeof answer.json["error"] === "string";
    const status = answer.status === 200 && error ? 400 : answer.status;
    const spoken = error || answer.headers.has("www-authenticate");
    // What says nothing in OAuth's terms (a proxy's page, a redirect) is told in ours.
    if (status >= 300 && !spoken) throw refusal({ request, answer });
    const text = status === 200 && kind === TOKEN_ENDPOINT ? mended(answer) : answer.text;
    const given = new Headers(answer.headers);
    // The library goes by the type; what is JSON is JSON, whatever a server calls it.
    if (answer.json !== undefined) given.set("content-type", "application/json");
    return new Response(BODYLESS.has(status) ? null : text, { status, headers: given });
  };

  #request(kind: EndpointKind, url: URL, { method, headers, body }: LibraryRequest): HttpRequest {
    const given = new Headers(headers as ConstructorParameters<typeof Headers>[0]);
    const isForm = /x-www-form-urlencoded/.test(given.get("content-type") ?? "");
    const text = body === undefined || body === null ? undefined : String(body);
    return {
      ...kind,
      url,
      method,
      headers: given,
      ...(text !== undefined &&
        (isForm ? { form: Object.fromEntries(new URLSearchParams(text)) } : { body: text })),
      signal: this.#signal,
    };
  }

  #kindOf(url: URL, method = "GET"): EndpointKind {
    const { document } = this.#discovery;
    const aliases = isRecord(document["mtls_endpoint_aliases"]) ? document["mtls_endpoint_aliases"] : {};
    for (const [member, found] of Object.entries(ENDPOINTS)) {
      if ([document[member], aliases[member]].some((endpoint) => isAt(url, endpoint))) return found;
    }
    if (url.pathname.includes("/.well-known/")) return { what: "discovery document" };
    // Of an address that nobody named it is not known what asking there does.
    return { what: "provider", spends: method !== "GET" };
  }
}

/** Whether an endpoint is the one that is asked, however it is written. */
function isAt(url: URL, endpoint: unknown): boolean {
  const named = typeof endpoint === "string" ? httpUrl(endpoint) : undefined;
  return named !== undefined && named.origin === url.origin && named.pathname === url.pathname;
}

/** Members of a token answer that are texts, and that it may do without. */
const OPTIONAL_TEXTS = new Set(["token_type", "refresh_token", "scope", "id_token"]);

/**
 * A token answer without what says nothing (`null`, an empty text, a scope that is none, an end that is no number): the
 * library would refuse all of it, and a refresh token that was just rotated would be lost for a trifle.
 */
function mended(answer: HttpAnswer): string {
  if (!isRecord(answer.json)) return answer.text;
  const kept = Object.entries(answer.json).filter(([name, value]) => {
    if (name === "expires_in") return positive(value) !== undefined;
    if (OPTIONAL_TEXTS.has(name)) return typeof value === "string" && value !== "";
    return name === "access_token" || (value !== null && value !== "");
  });
  return JSON.stringify({ token_type: "Bearer", ...Object.fromEntries(kept) });
}

/** Statuses that a response may have no body with. */
const BODYLESS = new Set([101, 204, 205, 304]);

function jsonResponse(status: number, body: unknown): Response {
  return new Response(JSON.stringify(body), { status, headers: { "content-type": "application/json" } });
}

function insecure(url: URL): AuthError {
  return new AuthError(
    "insecure_host",
    `The provider names ${cleanText(url.origin)}: over plain http a token can be read on the way.`,
  );
}

import type { Context } from "../context.js";
import { AuthError, isAuthError } from "../errors.js";
import { isRecord } from "../jwt.js";
import { MAX_URL_LENGTH } from "../settings/address.js";
import { cleanText } from "../text.js";
import { challengesOf } from "./challenges.js";
import { cachedDocument } from "./document-cache.js";
import { send } from "./http.js";
import { LibraryFetch } from "./library-fetch.js";
import { toAuthError } from "./openid-error.js";

/** What an API says of who gives tokens for it (RFC 9728 §2). */
export interface ResourceMetadata {
  /** Its own name of itself. */
  readonly resource: string;
  readonly issuers: readonly string[];
  readonly scopes: readonly string[];
  readonly dpopRequired: boolean;
}

export interface ResourceQuestion {
  readonly resource: string;
  readonly allowInsecure: boolean;
  /** Where documents are kept between runs. */
  readonly folder: string | undefined;
  readonly context: Context;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Asks an API who gives tokens for it: at its well-known address (RFC 9728 §3), at its origin's, else where its refusal
 * points to (§5.1).
 *
 * @throws AuthError `resource_metadata_missing`
 */
export async function resourceMetadata(question: ResourceQuestion): Promise<ResourceMetadata> {
  const { resource, allowInsecure, folder, context } = question;
  return cachedDocument({
    id: `resource ${resource}${allowInsecure ? " insecure" : ""}`,
    folder,
    now: context.now(),
    parse: (content) =>
      isRecord(content) && Array.isArray(content["issuers"]) ? (content as never) : undefined,
    read: () => read(question),
  });
}

async function read(question: ResourceQuestion): Promise<ResourceMetadata> {
  const url = new URL(question.resource);
  const candidates = [url, ...(url.pathname === "/" && !url.search ? [] : [new URL("/", url)])];
  for (const candidate of candidates) {
    const found = await wellKnown(candidate, question);
    if (found) return parse(found, url);
  }
  const pointed = await pointedTo(url, question);
  if (pointed) return parse(pointed, url);
  throw new AuthError(
    "resource_metadata_missing",
    `${cleanText(url.origin + url.pathname)} does not say who gives tokens for it.`,
  );
}

/** The document at the well-known address; the library checks that it speaks of this very API (RFC 9728 §3.3). */
async function wellKnown(url: URL, question: ResourceQuestion): Promise<Record<string, unknown> | undefined> {
  const { context, allowInsecure, signal } = question;
  const oauth = await import("oauth4webapi");
  const fetch = new LibraryFetch(context, allowInsecure, NO_DISCOVERY, signal);
  try {
    const response = await oauth.resourceDiscoveryRequest(url, {
      [oauth.customFetch]: fetch.send,
      [oauth.allowInsecureRequests]: allowInsecure || url.protocol === "http:",
    });
    return { ...(await oauth.processResourceDiscoveryResponse(url, response)) };
  } catch (error) {
    const ours = toAuthError(error, url.origin, fetch.last);
    const telling = isAuthError(ours, "network_error", "login_cancelled", "login_timeout", "insecure_host");
    const { status = 0 }: { status?: number } = ours;
    if (telling || status >= 500) throw ours;
    return undefined;
  }
}

const NO_DISCOVERY = { issuer: "", algorithm: "by hand", url: "", document: {} } as const;

/** The document that the API's refusal names: it must be of this API, or of what lies above it. */
async function pointedTo(url: URL, question: ResourceQuestion): Promise<Record<string, unknown> | undefined> {
  const { context, signal } = question;
  const refusal = await send({ what: "API", url, signal, headersOnly: true }, context);
  const challenges = await challengesOf(refusal.status, refusal.headers);
  const address = challenges.map(({ parameters }) => parameters["resource_metadata"]).find(Boolean);
  if (address === undefined || !URL.canParse(address)) return undefined;
  const where = new URL(address);
  // Only the API itself may say this: its word must come from its own origin.
  if (where.origin !== url.origin) return undefined;
  const answer = await send({ what: "API's metadata", url: where, signal }, context);
  const metadata = isRecord(answer.json) ? answer.json : {};
  const named = metadata["resource"];
  if (answer.status !== 200 || !isName(named) || !isAbove(named, url)) return undefined;
  return metadata;
}

/** More than this is no list for a login. */
const MAX_NAMES = 100;

function isName(value: unknown): value is string {
  return typeof value === "string" && value.length <= MAX_URL_LENGTH && /^[\x21-\x7e]+$/.test(value);
}

function isAbove(named: string, url: URL): boolean {
  if (!URL.canParse(named)) return false;
  const { origin, pathname } = new URL(named);
  return (
    origin === url.origin && `${url.pathname}/`.startsWith(pathname.endsWith("/") ? pathname : `${pathname}/`)
  );
}

function parse(metadata: Record<string, unknown>, url: URL): ResourceMetadata {
  // All of them are names in visible ASCII (RFC 3986 §2, RFC 6749 §3.3), which are shown, and compared as they are.
  const names = (value: unknown) =>
    (Array.isArray(value) ? value : []).filter((one): one is string => isName(one)).slice(0, MAX_NAMES);
  const issuers = names(metadata["authorization_servers"]).filter((one) => URL.canParse(one));
  if (issuers.length === 0) {
    throw new AuthError(
      "resource_metadata_missing",
      `${url.origin}${url.pathname} names no server that gives tokens for it.`,
    );
  }
  return {
    resource: String(metadata["resource"]),
    issuers,
    scopes: names(metadata["scopes_supported"]),
    dpopRequired: metadata["dpop_bound_access_tokens_required"] === true,
  };
}

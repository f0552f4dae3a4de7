import { AuthError } from "../errors.js";
import { isSafe } from "../settings/address.js";
import { cleanText } from "../text.js";
import type { Token } from "../token.js";
import type { Outgoing } from "./outgoing.js";

/** As many as browsers follow. */
const MAX_REDIRECTS = 20;

type Fetch = typeof globalThis.fetch;

export interface Sending {
  readonly plain: Fetch;
  /** Whether the token may go over plain http. */
  readonly insecure: boolean;
}

/**
 * Sends a request with the token, and follows redirects as `fetch` does (WHATWG Fetch §4.4). Once a redirect has left
 * the origin the token is gone for good, also where another one leads back: who sends us there must not choose what we
 * ask in the person's name.
 */
export async function followed(
  request: Outgoing,
  token: Token,
  { plain, insecure }: Sending,
): Promise<Response> {
  const { origin } = request.url;
  const headers = new Headers(request.headers);
  let { url, method } = request;
  let body = request.takeBody();
  request.leftOrigin = false;
  for (let redirects = 0; ; redirects++) {
    const init = {
      ...request.init,
      method,
      headers: new Headers(headers),
      body,
      redirect: "manual" as const,
    };
    const bodyAgain = () => (body === null ? null : request.replayable ? request.takeBody() : undefined);
    const answer = await (request.leftOrigin
      ? plain(url, init)
      : sendWithToken(url, init, token, plain, insecure, bodyAgain));
    const location = REDIRECTS.has(answer.status) ? answer.headers.get("location") : null;
    if (location === null || request.redirect === "manual") return answer;
    if (request.redirect === "error")
      throw new TypeError("fetch failed: the server redirects, which was not allowed");
    if (redirects === MAX_REDIRECTS)
      throw new TypeError(`fetch failed: more than ${MAX_REDIRECTS} redirects`);
    const next = URL.canParse(location, url.href) ? new URL(location, url) : undefined;
    if (next?.protocol !== "https:" && next?.protocol !== "http:") {
      throw new TypeError("fetch failed: the server redirects to an address that is not http(s)");
    }
    const getsNow = answer.status === 303 ? method !== "HEAD" : method === "POST" && answer.status < 303;
    if (getsNow) {
      [method, body] = ["GET", null];
      for (const name of BODY_HEADERS) headers.delete(name);
    } else if (body !== null) {
      // Without a body to send again the caller must decide: the redirect itself is the answer.
      if (!request.replayable) return answer;
      body = request.takeBody();
    }
    await answer.body?.cancel().catch(() => {});
    if (next.origin !== origin) {
      request.leftOrigin = true;
      for (const name of CREDENTIAL_HEADERS) headers.delete(name);
    }
    url = next;
  }
}

const REDIRECTS = new Set([301, 302, 303, 307, 308]);
const BODY_HEADERS = [
  ...["content-encoding", "content-language", "content-location", "content-type", "content-length"],
];
const CREDENTIAL_HEADERS = ["authorization", "cookie", "dpop", "proxy-authorization"];

async function sendWithToken(
  url: URL,
  init: RequestInit & { headers: Headers; body: NonNullable<RequestInit["body"]> | null },
  token: Token,
  plain: Fetch,
  insecure: boolean,
  bodyAgain: () => NonNullable<RequestInit["body"]> | null | undefined,
): Promise<Response> {
  if (!isSafe(url, insecure)) {
    throw new AuthError(
      "insecure_host",
      `${cleanText(url.origin)} is no https: the token is not sent there.`,
    );
  }
  if (token.dpopKey === undefined) {
    init.headers.set("authorization", token.headers.Authorization);
    return plain(url, init);
  }
  const { sendWithProof } = await import("../servers/dpop-request.js");
  return sendWithProof(url, init, token, plain, bodyAgain);
}

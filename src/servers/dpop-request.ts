import type { Token } from "../token.js";
import { handleOf } from "./dpop.js";

/** Sends a request with a token and the proof of its key (RFC 9449 §7), and again where the API wants its nonce in it (§9). */
export async function sendWithProof(
  url: URL,
  init: RequestInit & { headers: Headers },
  token: Token,
  plain: typeof globalThis.fetch,
): Promise<Response> {
  const oauth = await import("oauth4webapi");
  const proof = await handleOf(token.dpopKey ?? {}, (pair) => oauth.DPoP({ [oauth.clockSkew]: 0 }, pair));
  const { method = "GET", headers, body, signal: _signal, ...rest } = init;
  const attempt = async (): Promise<{ answer: Response; wantsNonce: boolean }> => {
    let answer: Response | undefined;
    try {
      answer = await oauth.protectedResourceRequest(
        token.accessToken,
        method,
        url,
        new Headers(headers),
        null,
        {
          DPoP: proof,
          [oauth.allowInsecureRequests]: url.protocol === "http:",
          // The library makes the headers; the body and all else go as the caller gave them.
          [oauth.customFetch]: async (address, { headers: proven }) => {
            answer = await plain(address, {
              ...rest,
              method,
              body: body ?? null,
              headers: proven,
              signal: init.signal ?? null,
            });
            return answer;
          },
        },
      );
      return { answer, wantsNonce: false };
    } catch (error) {
      // A challenge is for the caller to judge; what else failed is told.
      if (answer === undefined) throw error;
      return { answer, wantsNonce: oauth.isDPoPNonceError(error) };
    }
  };
  const first = await attempt();
  const once = typeof body === "object" && body !== null && "getReader" in body;
  if (!first.wantsNonce || once) return first.answer;
  await first.answer.body?.cancel().catch(() => {});
  return (await attempt()).answer;
}

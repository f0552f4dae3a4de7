import type { Token } from "../token.js";
import { noteServerTime } from "./clock-skew.js";
import { handleOf, setServerTime } from "./dpop.js";

type Body = NonNullable<RequestInit["body"]> | null;

/**
 * Sends a request with a token and the proof of its key (RFC 9449 §7), and again where the API wants its nonce in it
 * (§9) and the body allows.
 *
 * @param bodyAgain the body for a second time; `undefined` where it can be sent only once
 */
export async function sendWithProof(
  url: URL,
  init: RequestInit & { headers: Headers; body: Body },
  token: Token,
  plain: typeof globalThis.fetch,
  bodyAgain: () => Body | undefined,
): Promise<Response> {
  const oauth = await import("oauth4webapi");
  const proof = await handleOf(token.dpopKey ?? {}, (pair) =>
    oauth.DPoP({ [oauth.clockSkew]: 0 }, pair, { [oauth.modifyAssertion]: setServerTime }),
  );
  const { method = "GET", headers, body, ...rest } = init;
  const attempt = async (content: Body): Promise<{ answer: Response; wantsNonce: boolean }> => {
    const own = new Headers(headers);
    // Ours take their place; the library refuses to have others.
    for (const name of ["authorization", "dpop"]) own.delete(name);
    let answer: Response | undefined;
    try {
      answer = await oauth.protectedResourceRequest(token.accessToken, method, url, own, null, {
        DPoP: proof,
        [oauth.allowInsecureRequests]: url.protocol === "http:",
        // The library makes the headers; the body and all else go as the caller gave them.
        [oauth.customFetch]: async (address, { headers: proven }) => {
          answer = await plain(address, { ...rest, method, body: content, headers: proven });
          // The next proof is made by this server's clock.
          noteServerTime(url, answer.headers);
          return answer;
        },
      });
      return { answer, wantsNonce: false };
    } catch (error) {
      // A challenge is for the caller to judge; what else failed is told.
      if (answer === undefined) throw error;
      return { answer, wantsNonce: oauth.isDPoPNonceError(error) };
    }
  };
  const first = await attempt(body);
  const again = first.wantsNonce ? bodyAgain() : undefined;
  if (again === undefined) return first.answer;
  await first.answer.body?.cancel().catch(() => {});
  return (await attempt(again)).answer;
}

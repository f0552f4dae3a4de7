import type { NetworkOptions } from "../options.js";

/** Names in either case, as programs have long read them. */
const PROXY_VARIABLES = ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"] as const;

/**
 * Bun's and Deno's own `fetch` do not tell how far a request got before it failed, and Deno's sends one again by itself
 * where a kept connection turns out to be closed: a refresh token that is good for one use would be used twice.
 */
const FOREIGN_FETCH = "bun" in process.versions || "deno" in process.versions;

/** The plain `fetch`, or one that goes as the network wants it: loaded only where that is asked for. */
export function networkFetch(
  network: NetworkOptions | undefined,
  env: Readonly<Record<string, string | undefined>> = process.env,
): typeof globalThis.fetch {
  let special: boolean | undefined;
  let opened: Promise<typeof globalThis.fetch> | undefined;
  // At the first request: a token that is reused needs none.
  return async (input, init) => {
    special ??= FOREIGN_FETCH || network !== undefined || PROXY_VARIABLES.some((name) => env[name]);
    // Looked up at each call, as Node loads its fetch when it is first touched.
    if (!special) return globalThis.fetch(input, init);
    opened ??= import("../network.js").then(({ openNetwork }) => openNetwork(network ?? {}, env));
    try {
      return await (await opened)(input, init);
    } catch (error) {
      // A file that was not there may be there at the next request.
      await opened.catch(() => {
        opened = undefined;
      });
      throw error;
    }
  };
}

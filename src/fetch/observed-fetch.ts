import { toldRequest } from "../debug/told-request.js";

type Fetch = typeof globalThis.fetch;

/** A `fetch` that tells of each request to an API and its answer, up to the answer's headers. */
export function observedFetch(plain: Fetch): Fetch {
  return async (input, init) => {
    const url = input instanceof Request ? input.url : input;
    const authorization = new Headers(init?.headers).get("authorization") ?? "";
    const about = { what: "API", method: init?.method ?? "GET", url, authorization };
    return toldRequest(
      about,
      () => plain(input, init),
      ({ status, headers }) => ({ status, contentType: headers.get("content-type") ?? "" }),
    );
  };
}

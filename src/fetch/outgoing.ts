type Fetch = typeof globalThis.fetch;

/** A request as a caller gave it, in a form that can be sent more than once where its body allows. */
export class Outgoing {
  readonly url: URL;
  readonly method: string;
  readonly headers: Headers;
  readonly redirect: NonNullable<RequestInit["redirect"]>;
  readonly signal: AbortSignal | undefined;
  /** What else `fetch` was told. */
  readonly init: RequestInit;
  /** Whether the body can be sent again: a stream is gone once it was read. */
  readonly replayable: boolean;
  leftOrigin = false;
  readonly #body: NonNullable<RequestInit["body"]> | null;
  #request: Request | undefined;

  constructor(input: Parameters<Fetch>[0], init: RequestInit = {}) {
    const request = typeof input === "object" && !(input instanceof URL) ? input : undefined;
    const { method, headers, body, redirect, signal, ...rest } = init;
    this.url = new URL(request ? request.url : String(input));
    this.method = normalMethod(method ?? request?.method ?? "GET");
    this.headers = new Headers(headers ?? request?.headers);
    this.redirect = redirect ?? request?.redirect ?? "follow";
    // `null` takes a Request's own signal away.
    this.signal = (signal === undefined ? request?.signal : signal) ?? undefined;
    this.#body = body ?? null;
    // A Request's body is a stream to us, whatever it was made of: it is copied while it is sent.
    this.#request = this.#body === null && request?.body ? request : undefined;
    const streams = this.#body !== null && isStream(this.#body);
    this.replayable = !streams;
    this.init = {
      ...rest,
      ...(this.signal && { signal: this.signal }),
      ...((streams || this.#request) && { duplex: "half" }),
    };
    const type = this.#body === null ? undefined : contentTypeOf(this.#body);
    if (type !== undefined && !this.headers.has("content-type")) this.headers.set("content-type", type);
  }

  takeBody(): NonNullable<RequestInit["body"]> | null {
    if (!this.#request) return this.#body;
    const copy = this.#request.clone();
    const { body } = this.#request;
    this.#request = copy;
    return body;
  }
}

/** The usual methods in upper case, others as they are (WHATWG Fetch §2.2.1). */
function normalMethod(method: string): string {
  const upper = method.toUpperCase();
  return ["DELETE", "GET", "HEAD", "OPTIONS", "POST", "PUT"].includes(upper) ? upper : method;
}

/** What can be read once only. */
function isStream(body: object | string): boolean {
  if (typeof body === "string") return false;
  const known = [URLSearchParams, Blob, FormData, ArrayBuffer].some((type) => body instanceof type);
  return !known && !ArrayBuffer.isView(body);
}

/** What `fetch` would say of a text or a form by itself, were the headers not already made. */
function contentTypeOf(body: object | string): string | undefined {
  if (typeof body === "string") return "text/plain;charset=UTF-8";
  if (body instanceof URLSearchParams) return "application/x-www-form-urlencoded;charset=UTF-8";
  return undefined;
}

import { cleanText } from "../text.js";

/** A request to a server, as `send()` takes it. */
export interface HttpRequest {
  /** Names the request in messages, such as "token route". */
  readonly what: string;
  readonly url: URL;
  /** Sent as `application/x-www-form-urlencoded` by POST; without it the request is a GET. */
  readonly form?: Readonly<Record<string, string>>;
  /** Default: GET, and POST with a form or a body. */
  readonly method?: string | undefined;
  /** Beside `accept: application/json`. */
  readonly headers?: Headers | Readonly<Record<string, string>> | undefined;
  /** Something else than a form. */
  readonly body?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Whether the body is left unread: it may be a stream that never ends. */
  readonly headersOnly?: boolean;
  /**
   * Whether the server uses something up by it, such as a refresh token or a code: then it is sent once, and whoever
   * asked decides about another time.
   */
  readonly spends?: boolean;
  /** Whether a status of trouble says something all the same. */
  readonly isMeant?: (answer: HttpAnswer) => boolean;
}

export interface HttpAnswer {
  readonly status: number;
  readonly text: string;
  /** The body where it is JSON. */
  readonly json: unknown;
  readonly headers: Headers;
  readonly contentType: string;
  readonly location: string | null;
  /** `Retry-After` in seconds. */
  readonly retryAfter: number | undefined;
}

/** A request as a person would name it: "token route (https://auth.example.org/auth/v2/token)". */
export function name(request: Pick<HttpRequest, "what" | "url">): string {
  return `${request.what} (${cleanText(request.url.origin + request.url.pathname)})`;
}

/**
 * Whether what was asked may be done although the answer is of no use: it spends something, and the status is no refusal
 * of it (RFC 6749 §5.2).
 */
export function mayBeDone({ spends }: HttpRequest, status: number): boolean {
  return spends === true && (status < 300 || status >= 500);
}

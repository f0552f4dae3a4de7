/** How errors are written: inside FastAPI's `detail`, as py-oidc-auth does, or as OAuth has them (RFC 6749 §5.2). */
export type ErrorShape = "detail" | "plain";

/** What a route answers. */
export interface Reply {
  readonly status: number;
  readonly body: unknown;
}

/** An error in FastAPI's shape. */
export const detail = (status: number, text: string): Reply => ({ status, body: { detail: text } });

/** The provider's error inside our own text, as py-oidc-auth passes it on; or bare, as other servers do. */
export function upstreamError(text: string, shape: ErrorShape): Reply {
  if (shape === "plain") return { status: 400, body: JSON.parse(text) as unknown };
  return detail(400, `Upstream OIDC error: ${text}`);
}

/** An error as if the provider had said it. */
export function oauthError(error: string, description: string | undefined, shape: ErrorShape): Reply {
  return upstreamError(JSON.stringify({ error, error_description: description }), shape);
}

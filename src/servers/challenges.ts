import { isRecord } from "../jwt.js";

/** One challenge of a `WWW-Authenticate` header (RFC 9110 §11.6.1). */
export interface Challenge {
  /** In lower case. */
  readonly scheme: string;
  readonly parameters: Readonly<Record<string, string | undefined>>;
}

/** The challenges of a refusal. */
export async function challengesOf(status: number, headers: Headers): Promise<readonly Challenge[]> {
  if (!headers.has("www-authenticate")) return [];
  const oauth = await import("oauth4webapi");
  try {
    // The library reads the header where it sends the request: it is given the refusal as the answer to one.
    const answer = new Response(null, { status: status < 400 ? 401 : status, headers });
    await oauth.protectedResourceRequest("none", "GET", new URL("https://refused.invalid"), undefined, null, {
      [oauth.customFetch]: async () => answer,
    });
  } catch (error) {
    const cause = error instanceof oauth.WWWAuthenticateChallengeError ? error.cause : [];
    return cause.filter((one) => isRecord(one)) as unknown as Challenge[];
  }
  return [];
}

import { DEFAULT_REQUEST_TIMEOUT_MS } from "../context.js";
import { AuthError } from "../errors.js";
import type { CredentialSources } from "../grant.js";
import { unverifiedClaims } from "../jwt.js";
import { invalid } from "../settings/checks.js";
import { cleanText, withoutTokens } from "../text.js";

/** A token that somebody else made for us: itself, or what fetches it. Asked anew each time one is needed. */
export type TokenSource = string | ((sources: CredentialSources) => Promise<string> | string);

/** A source that can say whose token it gives without fetching one. */
export type NamedSource = TokenSource & { readonly identity?: string };

/** Whose token a text is: of a JWT what it says of itself, else the text itself, hashed. It tells subjects apart, and trusts nothing. */
export async function identityOf(token: string): Promise<string> {
  const { createHash } = await import("node:crypto");
  const { iss, sub, azp, client_id: client } = unverifiedClaims(token) ?? {};
  const whose = sub === undefined ? token : JSON.stringify([iss, sub, azp, client]);
  return createHash("sha256").update(whose).digest("base64url").slice(0, 22);
}

/** Whose token a source gives. */
export async function sourceIdentity(
  source: NamedSource,
  what: string,
  env: CredentialSources["env"],
): Promise<string> {
  if (typeof source === "function" && source.identity !== undefined) return identityOf(source.identity);
  // A function may give each caller another one's token: only the token itself can tell.
  const context = {
    fetch: globalThis.fetch,
    requestTimeoutMs: DEFAULT_REQUEST_TIMEOUT_MS,
    now: Date.now,
    uptime: performance.now.bind(performance),
    sleep: async () => {},
    random: Math.random,
    emit: () => {},
    explain: () => {},
  };
  return identityOf(await readToken(source, what, { env, audience: "", context }));
}

/** Fetches a token from its source. @throws AuthError `credentials_unavailable` */
export async function readToken(
  source: TokenSource,
  what: string,
  sources: CredentialSources,
): Promise<string> {
  let token: unknown;
  try {
    token = typeof source === "function" ? await source(sources) : source;
  } catch (error) {
    if (error instanceof AuthError) throw error;
    throw unavailable(what, error instanceof Error ? error.message : "it failed");
  }
  const text = typeof token === "string" ? token.trim() : "";
  if (text === "") throw unavailable(what, "it is empty");
  return text;
}

export function unavailable(what: string, why: string, hint?: string): AuthError {
  const said = cleanText(withoutTokens(why));
  return new AuthError("credentials_unavailable", `No token could be had from ${what}: ${said}.`, { hint });
}

/** The content of a file, read again for each use: it may be rotated while we run. */
export async function fileToken(path: string): Promise<string> {
  const { readFile } = await import("node:fs/promises");
  try {
    const text = await readFile(path, "utf8");
    if (text.length > MAX_TOKEN_LENGTH) throw new Error("it is too long to be a token");
    return text;
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    const why =
      code === "ENOENT" ? "it does not exist" : code === "EACCES" ? "it may not be read" : undefined;
    throw unavailable(`the file ${cleanText(path, 200)}`, why ?? (error as Error).message);
  }
}

const MAX_TOKEN_LENGTH = 64 * 1024;

/** A token in an environment variable. */
export function variableToken(name: string, { env }: Pick<CredentialSources, "env">, hint?: string): string {
  const value = env[name];
  if (!value) throw unavailable(`the variable ${name}`, "it is not set", hint);
  return value;
}

/** Checks a source that a caller gave. */
export function sourceOf(field: string, source: unknown): TokenSource {
  if (typeof source === "function" || (typeof source === "string" && source !== ""))
    return source as TokenSource;
  throw invalid(field, "must be a token or a function that fetches one", undefined);
}

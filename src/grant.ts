import type { Context } from "./context.js";

/** A token request that needs no person (RFC 6749 §4.4, RFC 8693, RFC 7523). */
export interface GrantRequest {
  /** `client_credentials`, or a grant type's URN. */
  readonly grantType: string;
  /** Further parameters of the token request, by their names on the wire. */
  readonly parameters: Readonly<Record<string, string>>;
  /** A signed statement of who the client is, in the place of its secret (RFC 7523 §2.2). */
  readonly clientAssertion?: string;
}

/** What credentials may use to find what they stand for. */
export interface CredentialSources {
  /** How requests are sent, and what time it is. */
  readonly context: Context;
  /** The environment variables that count. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The token endpoint's owner, for whom an assertion is made. */
  readonly audience: string;
  /** Ends what is fetched. */
  readonly signal?: AbortSignal | undefined;
}

/** A login without a person: asked anew for each token, so that a file that is rotated is read again. */
export interface Credentials {
  /** What they are, for messages: "the job's token of GitHub Actions". */
  readonly description: string;
  /** Which way it is; part of where its tokens are kept. */
  readonly kind: string;
  /**
   * Whose token it gives, and with which parameters: a text that is the same for the same, and never a secret. It keeps
   * the tokens of several subjects apart.
   */
  identity(env: CredentialSources["env"]): Promise<string>;
  /** The token request that they make. @throws AuthError `credentials_unavailable` */
  request(sources: CredentialSources): Promise<GrantRequest>;
}

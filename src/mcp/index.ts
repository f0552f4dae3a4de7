/**
 * The login of an MCP client (Model Context Protocol), for its TypeScript SDK.
 *
 * @module oidc-auth-client/mcp
 */
import { type Authenticator, createAuthenticator } from "../authenticate.js";
import { isAuthError } from "../errors.js";
import { createAuthFetch } from "../fetch/auth-fetch.js";
import type { AuthenticateOptions } from "../options.js";
import type { ResourceInit } from "../settings/issuer.js";
import type { Token } from "../token.js";

/**
 * An `OAuthClientProvider` of the SDK, for an MCP client's transport: `new StreamableHTTPClientTransport(url, { authProvider, fetch: authProvider.fetch })`.
 */
export interface McpAuthProvider {
  /** Where the SDK would send a browser. It never does: the login is ours. */
  readonly redirectUrl: string;
  /** What the SDK would register. It never does. */
  readonly clientMetadata: {
    /** The program's name. */
    readonly client_name: string;
    /** Where a browser would come back. */
    redirect_uris: string[];
  };
  /** The client's id, which the SDK asks for before a login. */
  clientInformation(): Promise<{
    /** As it was given; else a name that stands for it. */
    client_id: string;
  }>;
  /**
   * A valid access token, and no refresh token; `undefined` where the server wants none. Logs in where that is needed.
   *
   * @throws AuthError as `authenticate()` does
   */
  tokens(): Promise<
    | {
        /** The bearer token itself. */
        access_token: string;
        /** Such as `Bearer`. */
        token_type: string;
        /** Granted scopes, separated by blanks. */
        scope?: string;
      }
    | undefined
  >;
  /** Does nothing: the store has them. */
  saveTokens(): void;
  /** Does nothing: the login has its own. */
  saveCodeVerifier(): void;
  /** Empty: the login has its own. */
  codeVerifier(): string;
  /** Logs in anew where the server refused the token, or wants more scopes than it has. */
  redirectToAuthorization(url: URL): Promise<void>;
  /** Renews the token once where the server refuses it, and sends the request again. */
  readonly fetch: typeof globalThis.fetch;
}

/**
 * The login of an MCP client (Model Context Protocol, authorization). The server says who gives tokens for it (RFC 9728);
 * the client registers itself where it has no id (RFC 7591); the person logs in as with `authenticate()`; the token is
 * kept in the store, and a fleet refreshes it once. The SDK asks for tokens and never sees a refresh token: it would
 * spend it without the store's lock.
 *
 * @param server the MCP server's endpoint, such as `https://api.example.org/mcp`; with a client id and other settings of
 *   its issuer: `{ resource, clientId }`
 * @throws AuthError `invalid_config`, `insecure_host`
 */
export function mcpAuthProvider(
  server: string | URL | ResourceInit,
  options: AuthenticateOptions = {},
): McpAuthProvider {
  return new StoredLogin(
    typeof server === "string" || server instanceof URL ? { resource: server } : server,
    options,
  );
}

interface Made {
  readonly scopes: readonly string[] | undefined;
  readonly authenticator: Authenticator;
  readonly fetch: typeof globalThis.fetch;
}

class StoredLogin implements McpAuthProvider {
  readonly fetch: typeof globalThis.fetch;
  readonly #server: ResourceInit;
  readonly #options: AuthenticateOptions;
  /** What the server asked for beyond the usual, since this process began. */
  #scopes: readonly string[] | undefined;
  #given: Token | undefined;
  #current: Made | undefined;

  constructor(server: ResourceInit, options: AuthenticateOptions) {
    this.#server = server;
    this.#options = options;
    this.#scopes = server.scopes;
    // Checked now, not at the first request.
    this.#made();
    this.fetch = this.#fetch.bind(this);
  }

  /** Where the SDK would send a browser; the login chooses its port itself. */
  get redirectUrl(): string {
    return "http://127.0.0.1/callback";
  }

  get clientMetadata(): McpAuthProvider["clientMetadata"] {
    return { client_name: this.#server.clientName ?? "oidc-auth-client", redirect_uris: [this.redirectUrl] };
  }

  /** The SDK registers nobody: what it needs the id for, a login of its own, is never begun. */
  async clientInformation(): Promise<{ client_id: string }> {
    return { client_id: this.#server.clientId ?? "oidc-auth-client" };
  }

  async tokens(): Promise<{ access_token: string; token_type: string; scope?: string } | undefined> {
    try {
      const token = await this.#token();
      const { accessToken, tokenType, scope } = token;
      return { access_token: accessToken, token_type: tokenType, ...(scope && { scope }) };
    } catch (error) {
      // A server that wants no token says nothing of where they are given.
      if (isAuthError(error, "resource_metadata_missing")) return undefined;
      // In a job nobody was asked yet, not even the server.
      if (isAuthError(error, "interaction_required") && (await this.#wantsNone())) return undefined;
      throw error;
    }
  }

  /** Nothing to save: what the SDK has it has from us. */
  saveTokens(): void {}
  saveCodeVerifier(): void {}
  codeVerifier(): string {
    return "";
  }

  /**
   * The SDK comes here when the server refused its token, or wants more scopes. The login is done by our own flow; its
   * token is in the store when the application tries again.
   */
  async redirectToAuthorization(url: URL): Promise<void> {
    const wanted = url.searchParams.get("scope")?.split(" ").filter(Boolean) ?? [];
    const had = new Set(this.#scopes ?? this.#given?.scope.split(" ").filter(Boolean));
    if (wanted.some((scope) => !had.has(scope))) this.#scopes = [...new Set([...had, ...wanted])];
    await this.#token(this.#given?.accessToken);
  }

  async #wantsNone(): Promise<boolean> {
    try {
      await this.#made().authenticator.session.server();
      return false;
    } catch (error) {
      return isAuthError(error, "resource_metadata_missing");
    }
  }

  async #token(rejected?: string): Promise<Token> {
    this.#given = await this.#made().authenticator({ rejected });
    return this.#given;
  }

  async #fetch(...[input, init]: Parameters<typeof globalThis.fetch>): Promise<Response> {
    // Without a token there was nothing to renew: the server wants none, or says so.
    const { fetch, authenticator } = this.#made();
    const bearing = new Headers(init?.headers).has("authorization");
    return bearing ? fetch(input, init) : authenticator.session.context.fetch(input, init);
  }

  /** Made anew where the scopes have changed, as that is another login. */
  #made(): Made {
    if (this.#current && this.#current.scopes === this.#scopes) return this.#current;
    const target: ResourceInit = { ...this.#server, scopes: this.#scopes };
    const { force: _once, ...options } = this.#options;
    this.#current = {
      scopes: this.#scopes,
      authenticator: createAuthenticator(target, this.#options),
      fetch: createAuthFetch(target, options),
    };
    return this.#current;
  }
}

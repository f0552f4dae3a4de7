import { type Authenticator, createAuthenticator } from "../authenticate.js";
import type { Config } from "../config.js";
import { isObserved } from "../debug/channel.js";
import { AuthError } from "../errors.js";
import type { Session, Target } from "../flows/session.js";
import type { AuthenticateOptions } from "../options.js";
import { safeOrigin } from "../settings/address.js";
import { invalid } from "../settings/checks.js";
import { cleanText, withoutTokens } from "../text.js";
import type { Token } from "../token.js";
import { followed, type Sending } from "./follow.js";
import { Outgoing } from "./outgoing.js";

/** Options of `createAuthFetch()`. */
export interface AuthFetchOptions extends AuthenticateOptions {
  /**
   * Origins that get the token, such as `https://api.example.org`, each in full. Default: that of the target's
   * `resource`, else of its host or issuer. An API elsewhere has to be named: where a request goes out without the token,
   * `explain` and `onEvent` are told (`token_withheld`).
   */
  origins?: readonly (string | URL)[] | undefined;
}

type Fetch = typeof globalThis.fetch;

/**
 * A `fetch` that carries a valid token to the allowed origins, and to no other: not even where one of them redirects to
 * another. The token is renewed before it ends, and once after a 401; the request is then sent again where its body
 * allows. A DPoP token gets its proofs (RFC 9449).
 *
 * What it returns throws, beside what `fetch` does: AuthError `insufficient_scope` where the API names scopes that are
 * missing (RFC 6750 §3.1), and what `authenticate()` throws.
 *
 * @throws AuthError `invalid_config`, `insecure_host`
 */
export function createAuthFetch(target: Target, options: AuthFetchOptions = {}): Fetch {
  const { origins, ...rest } = options;
  const token = createAuthenticator(target, rest);
  const { config, context } = token.session;
  const insecure = config.settings.allowInsecureHost;
  const allowed = allowedOrigins(config, origins);
  const withheld = tellerOfWithheld(token.session, allowed);
  return async (input, init) => {
    const request = new Outgoing(input, init);
    if (!allowed.has(request.url.origin)) {
      withheld(request.url.origin);
      return context.fetch(input, init);
    }
    const plain = isObserved()
      ? (await import("./observed-fetch.js")).observedFetch(context.fetch)
      : context.fetch;
    return carry(request, { token, plain, insecure });
  };
}

function allowedOrigins(config: Config, origins: AuthFetchOptions["origins"]): ReadonlySet<string> {
  const { settings } = config;
  if (origins === undefined) {
    const own = settings.kind === "issuer" ? settings.resource : undefined;
    return new Set([new URL(own ?? config.host).origin]);
  }
  if (!Array.isArray(origins)) throw invalid("origins", "must be a list of origins", origins);
  return new Set(origins.map((one) => safeOrigin(one, settings.allowInsecureHost, "origins")));
}

/** Tells of each origin once that it gets no token: a forgotten `origins` would look like an API that refuses. */
function tellerOfWithheld(
  { config, context }: Session,
  allowed: ReadonlySet<string>,
): (origin: string) => void {
  // What has no origin, such as a data: URL, asks nobody.
  const told = new Set(["null"]);
  return (origin) => {
    if (told.has(origin)) return;
    told.add(origin);
    const named = [...allowed].join(", ") || "none";
    context.explain(`No token is sent to ${origin}: it is not among the origins (${named}).`);
    context.emit({ type: "token_withheld", server: config.host, origin });
  };
}

interface Carrying extends Sending {
  readonly token: Authenticator;
}

async function carry(request: Outgoing, carrying: Carrying): Promise<Response> {
  const first = await tokenFor(request, carrying);
  const answer = await followed(request, first, carrying);
  // What was redirected to another origin went there without the token: it was not the token that was refused.
  if ((answer.status !== 401 && answer.status !== 403) || request.leftOrigin) return answer;
  const { challengesOf } = await import("../servers/challenges.js");
  const challenges = await challengesOf(answer.status, answer.headers);
  const errors = challenges.map(({ parameters }) => parameters["error"]);
  if (errors.includes("insufficient_scope")) {
    await answer.body?.cancel().catch(() => {});
    throw insufficientScope(request, answer, challenges, first);
  }
  const refused = answer.status === 401 && (errors.includes("invalid_token") || !errors.some(Boolean));
  if (!refused) return answer;
  const second = await tokenFor(request, carrying, first.accessToken);
  if (!request.replayable) return answer;
  await answer.body?.cancel().catch(() => {});
  return followed(request, second, carrying);
}

/** A token for a request. The caller's abort is told as `fetch` tells it: with the signal's own reason. */
async function tokenFor(request: Outgoing, { token }: Carrying, rejected?: string): Promise<Token> {
  const { signal } = request;
  signal?.throwIfAborted();
  try {
    return await token({ signal, rejected });
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  }
}

function insufficientScope(
  request: Outgoing,
  answer: Response,
  challenges: readonly { parameters: Readonly<Record<string, string | undefined>> }[],
  token: Token,
): AuthError {
  const wanted = challenges.map(({ parameters }) => parameters["scope"]).find(Boolean);
  const granted = new Set(token.scope.split(" "));
  const all = wanted === undefined ? [] : cleanText(withoutTokens(wanted)).split(" ");
  const missing = all.filter((scope) => !granted.has(scope));
  const named = missing.length > 0 ? missing : all;
  const list = named.map((scope) => JSON.stringify(scope)).join(", ");
  return new AuthError(
    "insufficient_scope",
    `${cleanText(request.url.origin + request.url.pathname)} wants more than the token allows${named.length > 0 ? `: ${named.join(", ")}` : ""}.`,
    {
      status: answer.status,
      ...(list && { hint: `Log in with the scopes that are missing: scopes: [${list}].` }),
    },
  );
}

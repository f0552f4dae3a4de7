import { AuthError } from "../errors.js";
import { foreignCause } from "../foreign-error.js";
import { openText } from "../secrets.js";
import { type HttpRequest, name } from "./http-message.js";
import { secretsOf } from "./request-secrets.js";

/** Why no answer came, and what may be done about it. */
export interface NetworkFailure {
  readonly error: AuthError;
  /** Whether it may work in a moment. */
  readonly passing: boolean;
}

/** System calls before any byte of the request has left: what fails in them was surely not processed. */
const CONNECTING = new Set(["connect", "getaddrinfo"]);

/** Makes our error of what `fetch` threw. */
export function networkFailure(request: HttpRequest, thrown: unknown): NetworkFailure {
  const failure = systemError(thrown);
  const code = failure?.code ?? "";
  const unsent = isBadPort(thrown);
  const connecting = unsent || CONNECTING.has(failure?.syscall ?? "") || code === "UND_ERR_CONNECT_TIMEOUT";
  const untrusted = UNTRUSTED.test(code);
  const [what, hint] = unsent
    ? [
        `port ${request.url.port} is that of another protocol, and no HTTP request is sent there`,
        WRONG_ADDRESS,
      ]
    : explain(code, request.url);
  const failed = connecting || untrusted ? "cannot be reached" : "did not answer";
  const error = new AuthError("network_error", `The ${name(request)} ${failed}: ${what}.`, {
    cause: foreignCause(thrown, (text) => openText(text, secretsOf(request))),
    hint,
    unprocessed: request.spends && connecting,
    answerLost: request.spends && !connecting && !untrusted,
  });
  return { error, passing: !untrusted && !unsent };
}

/** Ports to which `fetch` sends nothing ("bad ports" of the Fetch standard); it has no code for it. */
function isBadPort(thrown: unknown): boolean {
  return thrown instanceof Error && thrown.cause instanceof Error && thrown.cause.message === "bad port";
}

/** The error for a request that took longer than it may. */
export function requestTimedOut(request: HttpRequest, ms: number): AuthError {
  return new AuthError("network_error", `The ${name(request)} did not answer within ${ms / 1000} s.`, {
    hint: "Try again in a moment. If the server is only slow, give it longer: requestTimeout (--request-timeout).",
    answerLost: request.spends,
  });
}

/** What the handshake of TLS fails with (Node's names of OpenSSL's): nobody was spoken to who may hear anything. */
const UNTRUSTED =
  /CERT|CRL|SIGNED|SIGNATURE|ISSUER|SSL|TLS|^INVALID_(CA|PURPOSE)$|^PATH_LENGTH|^HOSTNAME_MISMATCH$/;

function explain(code: string, url: URL): [string, string | undefined] {
  if (code === "ENOTFOUND" || code === "EAI_AGAIN") {
    return [`the name ${url.hostname} cannot be resolved`, "Check the address, and the network or VPN."];
  }
  if (code === "ECONNREFUSED") return ["nothing answers on that port", undefined];
  if (code === "ECONNRESET" || code === "UND_ERR_SOCKET" || code === "EPIPE") {
    return ["the connection was dropped", undefined];
  }
  if (/TIMEOUT|TIMEDOUT/.test(code)) return ["it takes too long to answer", undefined];
  if (code.startsWith("HPE_")) return ["what answers there does not speak HTTP", WRONG_ADDRESS];
  if (code.startsWith("Z_")) return ["its answer is damaged on the way", undefined];
  if (code === "UND_ERR_HEADERS_OVERFLOW") return ["its headers are too long", WRONG_ADDRESS];
  if (/EXPIRED|NOT_YET_VALID/.test(code)) {
    return [
      `its certificate is not valid at this time (${code})`,
      "Check this machine's clock. If it is right, the server's administrator must renew the certificate.",
    ];
  }
  if (/ALTNAME|HOSTNAME/.test(code)) {
    return [
      `its certificate is that of another host (${code})`,
      "Use the address that the certificate is for. If the address is right, something else answers in the server's place.",
    ];
  }
  if (UNTRUSTED.test(code)) {
    return [
      `its certificate or TLS set-up is not trusted (${code})`,
      "If the server's certificate comes from your organisation, name its CA file: NODE_EXTRA_CA_CERTS=/path/to/ca.pem, or network: { caFile }.",
    ];
  }
  return [openText(code, [], 80) || "the connection failed", undefined];
}

const WRONG_ADDRESS = "Check the address and its port, and that no proxy answers in its place.";

interface SystemError {
  code?: string;
  syscall?: string;
}

/** Digs the system's error out of what `fetch` throws: nested in `cause`, or the last of several addresses tried. */
function systemError(error: unknown, depth = 0): SystemError | undefined {
  if (typeof error !== "object" || error === null || depth > 5) return undefined;
  if (error instanceof AggregateError) {
    // Every address must have failed while connecting; one that got further decides.
    const failures = error.errors.map((one) => systemError(one, depth + 1));
    return failures.find((one) => !CONNECTING.has(one?.syscall ?? "")) ?? failures[0];
  }
  const { code, syscall, cause } = error as { code?: unknown; syscall?: unknown; cause?: unknown };
  if (cause !== undefined) return systemError(cause, depth + 1) ?? (error as SystemError);
  return {
    ...(typeof code === "string" && { code }),
    ...(typeof syscall === "string" && { syscall }),
  };
}

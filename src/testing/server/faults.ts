import type { ServerResponse } from "node:http";
import { sendJson } from "./http.js";
import { type ErrorShape, oauthError } from "./oauth-error.js";

/** What goes wrong with a request. `failures` has the usual ones by name. */
export type Fault =
  | {
      /** HTTP status of the answer. */
      readonly status: number;
      /** Default: none. */
      readonly body?: string;
      /** Default: `application/json` where the body looks like it, else `text/plain`. */
      readonly contentType?: string;
      /** Further headers. */
      readonly headers?: Readonly<Record<string, string>>;
    }
  | {
      /** A code of OAuth's (RFC 6749 §5.2), with which the request is refused in the shape that the server's errors have. */
      readonly error: string;
      /** In words. */
      readonly description?: string;
    }
  /** The connection is dropped before the request is processed. */
  | "reset"
  /** The request is processed, then the connection is dropped. */
  | "lost-answer"
  /** Nothing is ever answered. */
  | "stall"
  | {
      /** Answered late, by this many milliseconds. */
      readonly delay: number;
    };

/**
 * What is asked: the routes, and under the same names the provider's endpoints, where a program asks those itself. `me`
 * is the protected API, `auth-ports` the list of redirect ports, `discovery` the provider's own document.
 */
export type Route = "login" | "device" | "token" | "userinfo" | "me" | "auth-ports" | "discovery";
/** What a token is asked for with: the code of a browser login, a device code, a refresh token, another token. */
export type Grant = "code" | "device" | "refresh" | "exchange";

interface Planned {
  readonly fault: Fault;
  readonly grant: Grant | undefined;
  times: number;
}

/** Faults that tests have switched on, each for a number of requests. */
export class Faults {
  readonly #planned = new Map<Route, Planned[]>();

  plan(route: Route, fault: Fault, times: number, grant?: Grant): void {
    const planned = this.#planned.get(route) ?? [];
    planned.push({ fault, grant, times });
    this.#planned.set(route, planned);
  }

  /** The fault for a request, used up by it. */
  take(route: Route, grant?: Grant): Fault | undefined {
    const planned = this.#planned
      .get(route)
      ?.find((one) => one.times > 0 && (!one.grant || one.grant === grant));
    if (planned) planned.times--;
    return planned?.fault;
  }
}

/**
 * Does what a fault says before the request is processed.
 *
 * @returns whether the request is to be processed all the same
 */
export async function applyFault(
  fault: Fault | undefined,
  response: ServerResponse,
  shape: ErrorShape,
): Promise<boolean> {
  if (fault === undefined) return true;
  if (fault === "reset") {
    response.destroy();
    return false;
  }
  if (fault === "stall") return false;
  if (fault === "lost-answer") {
    response.end = function lose(this: ServerResponse) {
      // The socket: for a response that is destroyed before its head, Bun sends one.
      this.socket?.destroy();
      return this;
    } as ServerResponse["end"];
    response.writeHead = function skip(this: ServerResponse) {
      return this;
    } as ServerResponse["writeHead"];
    return true;
  }
  if ("delay" in fault) {
    await new Promise((resolve) => setTimeout(resolve, fault.delay));
    return true;
  }
  if ("error" in fault) {
    const { status, body } = oauthError(fault.error, fault.description, shape);
    sendJson(response, status, body);
    return false;
  }
  const isJson = fault.body?.startsWith("{") || fault.body?.startsWith("[");
  const contentType = fault.contentType ?? (isJson ? "application/json" : "text/plain");
  response.writeHead(fault.status, { "content-type": contentType, ...fault.headers });
  response.end(fault.body ?? "");
  return false;
}

import type { ServerResponse } from "node:http";

/** What goes wrong with a request. */
export type Fault =
  | {
      readonly status: number;
      readonly body?: string;
      readonly contentType?: string;
      readonly headers?: Readonly<Record<string, string>>;
    }
  /** The connection is dropped before the request is processed. */
  | "reset"
  /** The request is processed, then the connection is dropped. */
  | "lost-answer"
  /** Nothing is ever answered. */
  | "stall"
  /** Answered late, by this many milliseconds. */
  | { readonly delay: number };

export type Route = "login" | "device" | "token" | "userinfo" | "me" | "auth-ports";
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
export async function applyFault(fault: Fault | undefined, response: ServerResponse): Promise<boolean> {
  if (fault === undefined) return true;
  if (fault === "reset") {
    response.destroy();
    return false;
  }
  if (fault === "stall") return false;
  if (fault === "lost-answer") {
    response.end = function lose(this: ServerResponse) {
      this.destroy();
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
  const isJson = fault.body?.startsWith("{") || fault.body?.startsWith("[");
  const contentType = fault.contentType ?? (isJson ? "application/json" : "text/plain");
  response.writeHead(fault.status, { "content-type": contentType, ...fault.headers });
  response.end(fault.body ?? "");
  return false;
}

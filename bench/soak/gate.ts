import {
  request as httpRequest,
  type IncomingMessage,
  type RequestListener,
  type ServerResponse,
} from "node:http";
import { listen, readForm } from "../../src/testing/server/http.js";
import type { Chance } from "./chance.js";
import { type Fault, type Ledger, SURVIVED } from "./ledger.js";

export interface GateOptions {
  readonly upstream: string;
  readonly ledger: Ledger;
  readonly chance: Chance;
  /** Part of the refreshes that meet a fault. */
  readonly faultRate: number;
  readonly faults: readonly Fault[];
}

export interface Gate {
  readonly host: string;
  close(): Promise<void>;
}

/** Names the worker, or the login, that a request is for. */
export const WORKER_HEADER = "x-soak-worker";
export const LOGIN_HEADER = "x-soak-login";

/** Longest time (milliseconds) that a stalled request is held: longer than any client waits. */
const STALL_MS = 60_000;

/** Stands in front of the auth server: writes down each refresh, and lets some go wrong. */
export async function startGate(options: GateOptions): Promise<Gate> {
  const { ledger, chance } = options;
  /** Refresh tokens whose next request goes through: a fault that a call survives must not come thrice in a row. */
  const spared = new Set<string>();

  const faultFor = (refreshToken: string): Fault | undefined => {
    if (spared.delete(refreshToken) || chance.next() >= options.faultRate) return undefined;
    const fault = chance.one(options.faults);
    if (fault && SURVIVED.includes(fault)) spared.add(refreshToken);
    return fault;
  };

  const listener: RequestListener = (request, response) => {
    void pass(request, response).catch(() => response.destroy());
  };
  async function pass(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const form = request.method === "POST" ? await readForm(request) : undefined;
    const refreshToken = form?.get("refresh-token");
    const worker = String(request.headers[WORKER_HEADER] ?? "the command line");
    const known = refreshToken ? ledger.loginOf(refreshToken) : undefined;
    const fault = refreshToken && known !== undefined ? faultFor(refreshToken) : undefined;
    if (fault && known !== undefined) ledger.faulted(known, fault);
    if (fault && fault !== "lost answer") return spoil(fault, response);
    if (refreshToken) ledger.asked(refreshToken, worker, Date.now(), fault !== undefined);
    const { status, headers, text } = await ask(options.upstream, request, form);
    const login = known ?? request.headers[LOGIN_HEADER];
    const answer = status === 200 && login !== undefined ? tokenIn(text) : undefined;
    if (answer) ledger.granted(String(login), answer.refreshToken, answer.ends, refreshToken ?? undefined);
    if (fault) response.socket?.destroy();
    else response.writeHead(status, headers).end(text);
  }

  const { port, close } = await listen(0, listener);
  return { host: `http://127.0.0.1:${port}`, close };
}

/** A request that does not reach the server. */
function spoil(fault: Exclude<Fault, "lost answer">, response: ServerResponse): void {
  if (fault === "reset") response.socket?.destroy();
  else if (fault === "stall") setTimeout(() => response.socket?.destroy(), STALL_MS).unref();
  else response.writeHead(Number(fault), fault === "503" ? { "retry-after": "1" } : {}).end();
}

interface UpstreamAnswer {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly text: string;
}

function ask(
  upstream: string,
  request: IncomingMessage,
  form: URLSearchParams | undefined,
): Promise<UpstreamAnswer> {
  return new Promise((resolve, reject) => {
    const headers = form ? { "content-type": "application/x-www-form-urlencoded" } : {};
    const outgoing = httpRequest(
      upstream + request.url,
      { method: request.method, headers },
      async (answer) => {
        let text = "";
        try {
          for await (const chunk of answer.setEncoding("utf8")) text += chunk;
        } catch (error) {
          reject(error);
        }
        const { location, "content-type": type = "text/plain" } = answer.headers;
        resolve({
          status: answer.statusCode ?? 500,
          headers: { "content-type": type, ...(location !== undefined && { location }) },
          text,
        });
      },
    );
    outgoing.on("error", reject);
    outgoing.end(form?.toString());
  });
}

function tokenIn(text: string): { refreshToken: string; ends: number } | undefined {
  try {
    const { refresh_token: refreshToken, expires } = JSON.parse(text) as Record<string, unknown>;
    if (typeof refreshToken === "string" && typeof expires === "number")
      return { refreshToken, ends: expires * 1000 };
  } catch {
    // A page, or a redirect.
  }
  return undefined;
}

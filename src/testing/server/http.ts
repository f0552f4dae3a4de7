import { once } from "node:events";
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";

/** A server on the loopback address, and how to end it at once. */
export interface Listening {
  readonly port: number;
  close(): Promise<void>;
}

export async function listen(port: number, listener: RequestListener): Promise<Listening> {
  const server: Server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
  const bound = (server.address() as AddressInfo).port;
  server.on("request", listener);
  return {
    port: bound,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        // Also what is kept alive, or stalled on purpose.
        server.closeAllConnections();
      }),
  };
}

/** The body of a form. */
export async function readForm(request: IncomingMessage): Promise<URLSearchParams> {
  let text = "";
  for await (const chunk of request) {
    text += String(chunk);
    if (text.length > 100_000) throw new Error("The form is too long.");
  }
  return new URLSearchParams(text);
}

/** The body of a form that states its length, as `fetch` does; whoever handles the request reads it again. */
export async function peekForm(request: IncomingMessage): Promise<URLSearchParams> {
  const length = Number(request.headers["content-length"] ?? 0);
  let body = Buffer.alloc(0);
  while (body.length < length) {
    const chunk: Buffer | null = request.read();
    if (chunk) body = Buffer.concat([body, chunk]);
    else await once(request, "readable");
  }
  // In the same turn as it was read: afterwards the request would have ended.
  if (body.length > 0) request.unshift(body);
  return new URLSearchParams(body.toString());
}

export function sendJson(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: object = {},
): void {
  response.writeHead(status, { "content-type": "application/json", "cache-control": "no-store", ...headers });
  response.end(JSON.stringify(body));
}

export function sendHtml(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, { "content-type": "text/html; charset=utf-8" });
  response.end(body);
}

import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { AuthError, cancelled } from "../errors.js";
import { redirectUriOn } from "../settings/redirect-uri.js";
import { bindLoopback } from "./bind.js";
import { refusalOf } from "./callback-request.js";
import { broken, ignored, type LoopbackLook, type LoopbackPage, pageHeaders, renderPage } from "./pages.js";

/** How a callback is answered. */
export interface CallbackReply {
  readonly status: 200 | 400;
  readonly page: LoopbackPage;
}

/** The listener that the browser comes back to (RFC 8252 §7.3). */
export interface CallbackListener {
  readonly port: number;
  /** Where the browser is sent, as it is registered at providers: `http://localhost:<port>/callback`. */
  readonly redirectUri: string;
  /**
   * Frees the port and ends every connection, also idle ones that the browser keeps or opened in advance; an answer
   * under way is sent first, within a second. May be called more than once.
   */
  close(): Promise<void>;
}

const DEFAULT_URI = "http://localhost/callback";
const MAX_HEADER_BYTES = 16 * 1024;
/**
 * More than this, and the oldest give way. So many that a connection which has just come has time to send its request,
 * however quickly others follow.
 */
const MAX_CONNECTIONS = 512;
/** Milliseconds that an answer under way gets when the listener is closed. */
const FLUSH_MS = 1000;
/** Milliseconds for which a refused client may go on sending, so that it reads the refusal rather than a reset. */
const LINGER_MS = 1000;

/**
 * Listens on the first port of the list that is free on 127.0.0.1 and on ::1.
 *
 * @param options.ports 0 means any free one
 * @param options.uri the redirect URI, whose port is replaced. Default `http://localhost/callback`
 * @param options.handle called for each GET of its path that reached us by a name of this machine; whether it is the
 *   answer to a login is for it to decide
 * @param options.signal closes the listener, at any time
 * @throws AuthError `no_free_port`, `login_cancelled`, `login_timeout`
 */
export async function listenForCallback(options: {
  ports: readonly number[];
  uri?: string | undefined;
  handle: (callback: URL) => Promise<CallbackReply>;
  signal?: AbortSignal | undefined;
  look?: LoopbackLook | undefined;
}): Promise<CallbackListener> {
  const { ports, uri = DEFAULT_URI, handle, signal, look = {} } = options;
  for (const port of ports) {
    if (signal?.aborted) throw cancelled(signal);
    const listener = new LoopbackListener(port, uri, handle, look);
    if (!(await listener.bind())) continue;
    if (signal?.aborted) {
      await listener.close();
      throw cancelled(signal);
    }
    listener.closeOn(signal);
    return listener;
  }
  const named = ports.length === 1 ? `Port ${ports[0]} is not` : `None of the ports ${ports.join(", ")} is`;
  throw new AuthError(
    "no_free_port",
    `${named} free on this machine, so the browser would have no way back.`,
  );
}

class LoopbackListener implements CallbackListener {
  port: number;
  readonly #uri: string;
  readonly #path: string;
  readonly #handle: (callback: URL) => Promise<CallbackReply>;
  readonly #look: LoopbackLook;
  #hosts: readonly string[] = [];
  readonly #servers: Server[] = [];
  /** Every open connection, oldest first, and how far it is. */
  readonly #connections = new Map<Duplex, "idle" | "answering" | "answered" | "refused">();
  #closed: Promise<void> | undefined;
  #stopListening: (() => void) | undefined;

  constructor(
    port: number,
    uri: string,
    handle: (callback: URL) => Promise<CallbackReply>,
    look: LoopbackLook,
  ) {
    this.#look = look;
    this.port = port;
    this.#uri = uri;
    this.#path = new URL(uri).pathname;
    this.#handle = handle;
  }

  get redirectUri(): string {
    return redirectUriOn(this.#uri, this.port);
  }

  async bind(): Promise<boolean> {
    const servers: Server[] = [];
    const bound = await bindLoopback(this.port, () => {
      const server = this.#createServer();
      server.on("listening", () => servers.push(server));
      return server;
    });
    if (bound === undefined) return false;
    this.#servers.push(...servers.filter((server) => server.listening));
    this.port = bound;
    const names = ["localhost", "127.0.0.1", "[::1]"];
    // Browsers leave the default port out.
    this.#hosts = [...names.map((name) => `${name}:${bound}`), ...(bound === 80 ? names : [])];
    return true;
  }

  closeOn(signal: AbortSignal | undefined): void {
    const onAbort = () => void this.close();
    signal?.addEventListener("abort", onAbort, { once: true });
    this.#stopListening = () => signal?.removeEventListener("abort", onAbort);
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    this.#stopListening?.();
    const stopped = this.#servers.map((server) => new Promise<void>((done) => server.close(() => done())));
    for (const [socket, state] of this.#connections) {
      if (state === "idle" || state === "refused") socket.destroy();
    }
    const timer = setTimeout(() => {
      for (const socket of this.#connections.keys()) socket.destroy();
    }, FLUSH_MS);
    await Promise.all(stopped);
    clearTimeout(timer);
  }

  #createServer(): Server {
    const server = createServer({
      maxHeaderSize: MAX_HEADER_BYTES,
      headersTimeout: 5000,
      requestTimeout: 5000,
      connectionsCheckingInterval: 1000,
      // Ours to refuse, with the headers that every answer carries.
      requireHostHeader: false,
    });
    const onRequest = (request: IncomingMessage, response: ServerResponse) =>
      void this.#answer(request, response);
    server.on("connection", (socket) => this.#track(socket));
    server.on("request", onRequest);
    server.on("checkContinue", onRequest);
    server.on("checkExpectation", onRequest);
    server.on("connect", (_request, socket) => this.#refuse(socket, "405 Method Not Allowed"));
    server.on("clientError", (error: NodeJS.ErrnoException, socket) =>
      this.#refuse(socket, CLIENT_ERRORS[error.code ?? ""] ?? "400 Bad Request"),
    );
    return server;
  }

  #track(socket: Duplex): void {
    this.#connections.set(socket, "idle");
    socket.on("error", () => socket.destroy());
    socket.on("close", () => this.#connections.delete(socket));
    if (this.#closed) {
      socket.destroy();
    } else if (this.#connections.size > MAX_CONNECTIONS) {
      // The one that waited longest gives way, be it for its client to read: the newest may bring the true callback.
      for (const [oldest, state] of this.#connections) {
        if (state === "answering") continue;
        this.#connections.delete(oldest);
        oldest.destroy();
        break;
      }
    }
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { socket } = request;
    if (this.#connections.get(socket) !== "idle") {
      // Browsers do not pipeline, and a flood of requests must not pile up behind an answer that takes its time.
      socket.destroy();
      return;
    }
    this.#connections.set(socket, "answering");
    response.on("error", () => socket.destroy());
    const refusal = refusalOf(request, this.#path, this.#hosts);
    const { status, page } = refusal ? { status: refusal, page: ignored() } : await this.#reply(request);
    send(response, status, page, this.#look);
    if (this.#connections.has(socket)) this.#connections.set(socket, "answered");
  }

  async #reply(request: IncomingMessage): Promise<{ status: number; page: LoopbackPage }> {
    const callback = new URL(this.redirectUri);
    callback.search = (request.url ?? "").slice(this.#path.length);
    try {
      return await this.#handle(callback);
    } catch {
      return { status: 500, page: broken() };
    }
  }

  /** Answers what is no HTTP request, or too large a one, below node:http, which has given up on it. */
  #refuse(socket: Duplex, status: string): void {
    // Junk behind a request that is being answered, or more of the same: the answer ends the connection.
    if (this.#connections.get(socket) !== "idle") return;
    if (!socket.writable) {
      socket.destroy();
      return;
    }
    this.#connections.set(socket, "refused");
    const body = renderPage(ignored(), this.#look);
    const headers = Object.entries({ ...pageHeaders(this.#look), "Content-Length": Buffer.byteLength(body) });
    const allow = status.startsWith("405") ? "Allow: GET\r\n" : "";
    const head = headers.map(([name, value]) => `${name}: ${value}\r\n`).join("");
    // What still comes is read and dropped: bytes left unread would turn the refusal into a reset.
    socket.resume();
    socket.end(`HTTP/1.1 ${status}\r\n${allow}${head}\r\n${body}`);
    const timer = setTimeout(() => socket.destroy(), LINGER_MS);
    socket.on("close", () => clearTimeout(timer));
  }
}

const CLIENT_ERRORS: Record<string, string> = {
  HPE_HEADER_OVERFLOW: "431 Request Header Fields Too Large",
  ERR_HTTP_REQUEST_TIMEOUT: "408 Request Timeout",
};

function send(response: ServerResponse, status: number, page: LoopbackPage, look: LoopbackLook): void {
  const body = Buffer.from(renderPage(page, look));
  response.writeHead(status, {
    ...pageHeaders(look),
    ...(status === 405 ? { Allow: "GET" } : {}),
    "Content-Length": body.length,
  });
  response.end(body);
}

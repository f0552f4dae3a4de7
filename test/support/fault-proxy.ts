import {
  createServer,
  request as httpRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type ServerResponse,
} from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { gzipSync } from "node:zlib";

/** An answer as it goes over the wire. */
export interface WireAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Buffer;
}

/** A request that came through, and what the server behind answered, where it was asked. */
export interface WireRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** Whether the server behind was asked. */
  forwarded?: true;
  answer?: WireAnswer;
}

/** What goes wrong with a request. */
export type WireFault =
  /** The connection is reset: before the request is read, once the server has answered, or within its answer. */
  | { readonly reset: "before" | "after" | "headers" | "body" }
  /** Nothing more comes: before the request is read, once the server has answered, or within its answer. */
  | { readonly stall: "before" | "after" | "body" }
  /** A few bytes now and then, without an end. */
  | { readonly drip: "headers" | "body" }
  /** A gigabyte, as it is or packed. */
  | { readonly flood: "plain" | "gzip" }
  /** Bytes in the place of an answer. */
  | { readonly raw: string }
  /** An answer in the server's place, which is not asked. */
  | { readonly answer: (request: WireRequest) => WireAnswer }
  /** The server's answer, changed. */
  | { readonly change: (answer: WireAnswer) => WireAnswer };

/** What a proxy is to do: asked for each request that bears the script's name, with the number of it. */
export type Script = (request: WireRequest) => WireFault | undefined;

export interface FaultProxy {
  readonly origin: string;
  /** Where what nothing is done to goes. */
  forwardTo(origin: string): void;
  /** Follows a script for the requests whose header `x-script` names it; those without one follow that without a name. */
  run(name: string, script: Script): ScriptRun;
  close(): Promise<void>;
}

export interface ScriptRun {
  readonly requests: readonly WireRequest[];
  /** How many bytes of a flood were taken. */
  readonly flooded: number;
  /** Resolves when each connection that a fault was done to is closed. */
  faultyClosed(): Promise<void>;
}

interface Running {
  readonly script: Script;
  readonly requests: WireRequest[];
  readonly closed: Promise<void>[];
  flooded: number;
}

const DRIP_MS = 15;
const FLOOD_BYTES = 1024 ** 3;

/** A proxy in front of a real server, on the loopback address, that does to the client's requests what a script says. */
export async function startFaultProxy(): Promise<FaultProxy> {
  const scripts = new Map<string, Running>();
  let upstream = "";
  const server = createServer((request, response) => {
    void handle(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));

  async function handle(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const running = scripts.get(String(incoming.headers["x-script"] ?? ""));
    const { method = "", url: path = "", headers } = incoming;
    const body = await readAll(incoming);
    const request: WireRequest = { method, path, headers, body };
    running?.requests.push(request);
    const fault = running?.script(request);
    if (running && fault) running.closed.push(closed(incoming.socket));
    if (!fault) return send(response, await forward(request));
    if ("answer" in fault) return send(response, fault.answer(request));
    if ("change" in fault) return send(response, fault.change(await forward(request)));
    return breakOff(fault, request, response, running);
  }

  async function breakOff(
    fault: Exclude<WireFault, { answer: unknown } | { change: unknown }>,
    request: WireRequest,
    response: ServerResponse,
    running: Running | undefined,
  ): Promise<void> {
    const socket = response.socket as Socket;
    const processed = !("raw" in fault) && !Object.values(fault).includes("before");
    const answer = processed ? await forward(request) : undefined;
    if ("raw" in fault) return void socket.end(fault.raw);
    if ("drip" in fault) return drip(socket, fault.drip, answer);
    if ("flood" in fault) {
      return flood(response, fault.flood, (bytes) => {
        if (running) running.flooded += bytes;
      });
    }
    const [part, end] =
      "reset" in fault ? [fault.reset, () => void socket.resetAndDestroy()] : [fault.stall, () => {}];
    if (part === "headers") socket.write("HTTP/1.1 200 OK\r\ncontent-ty", end);
    else if (part === "body" && answer) socket.write(wireHead(answer) + halfOf(answer), end);
    else end();
  }

  async function forward(request: WireRequest): Promise<WireAnswer> {
    const { "x-script": _name, ...headers } = request.headers;
    request.forwarded = true;
    const answer = await ask(upstream, { ...request, headers });
    request.answer = answer;
    return answer;
  }

  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    forwardTo: (origin) => {
      upstream = origin;
    },
    run: (name, script) => {
      const running: Running = { script, requests: [], closed: [], flooded: 0 };
      scripts.set(name, running);
      return {
        requests: running.requests,
        get flooded() {
          return running.flooded;
        },
        faultyClosed: async () => void (await Promise.all(running.closed)),
      };
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function readAll(stream: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

/** Asks the server behind, with the host as the client named it. */
function ask(origin: string, { method, path, headers, body }: WireRequest): Promise<WireAnswer> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(new URL(path, origin), { method, headers, agent: false }, (answer) => {
      readAll(answer).then((text) => {
        const kept = Object.entries(answer.headers).filter(([name]) => !HOP.has(name));
        resolve({ status: answer.statusCode ?? 0, headers: Object.fromEntries(kept) as never, body: text });
      }, reject);
    });
    request.on("error", reject);
    request.end(body);
  });
}

/** What belongs to one connection only; and the time, as a test may live in another one. */
const HOP = new Set(["connection", "keep-alive", "transfer-encoding", "content-length", "date"]);

function send(response: ServerResponse, { status, headers, body }: WireAnswer): void {
  response.sendDate = false;
  // A connection that is kept is not told from one that nobody closes.
  response.shouldKeepAlive = false;
  response.writeHead(status, headers);
  response.end(body);
}

function halfOf({ body }: WireAnswer): string {
  const text = body.toString();
  return text.slice(0, text.length / 2);
}

function wireHead({ status, headers, body }: WireAnswer): string {
  const lines = Object.entries({ ...headers, "content-length": String(Buffer.byteLength(body)) });
  return `HTTP/1.1 ${status} x\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n`;
}

/** Ends with the connection. */
function drip(socket: Socket, part: "headers" | "body", answer: WireAnswer | undefined): void {
  socket.write(
    part === "headers" || !answer
      ? "HTTP/1.1 200 OK\r\n"
      : "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 1000000\r\n\r\n",
  );
  const timer = setInterval(() => socket.write(part === "headers" ? "x-more: 1\r\n" : " "), DRIP_MS);
  const stop = () => clearInterval(timer);
  socket.once("close", stop).once("error", stop);
}

/** A gzip member of a megabyte of blanks; members one after the other are one file. */
const PACKED_MEGABYTE = gzipSync(Buffer.alloc(1024 ** 2, " "));

/** As much as is taken, up to a gigabyte (unpacked). */
function flood(response: ServerResponse, form: "plain" | "gzip", count: (bytes: number) => void): void {
  const piece = form === "gzip" ? PACKED_MEGABYTE : Buffer.alloc(64 * 1024, " ");
  const unpacked = form === "gzip" ? 1024 ** 2 : piece.length;
  const packed = form === "gzip" ? { "content-encoding": "gzip" } : {};
  response.writeHead(200, { "content-type": "application/json", ...packed });
  let left = FLOOD_BYTES;
  const pump = () => {
    while (left > 0 && !response.destroyed) {
      left -= unpacked;
      count(piece.length);
      if (!response.write(piece)) return void response.once("drain", pump);
    }
    response.end();
  };
  response.on("error", () => {});
  pump();
}

function closed(socket: Socket): Promise<void> {
  socket.on("error", () => {});
  return new Promise((resolve) => {
    if (socket.destroyed) resolve();
    else socket.once("close", () => resolve());
  });
}

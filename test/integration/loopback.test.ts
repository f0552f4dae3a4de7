import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer, connect as netConnect, type Server, type Socket } from "node:net";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { isAuthError } from "../../src/errors.js";
import { type CallbackListener, type CallbackReply, listenForCallback } from "../../src/loopback/listener.js";
import { broken, denied, failed, ignored, PAGE_CSP, renderPage, success } from "../../src/loopback/pages.js";

const REPLY: CallbackReply = { status: 200, page: success("https://auth.example.org") };

let listener: CallbackListener | undefined;
let handled: string[];
let opened: (Socket | Server)[];

beforeEach(() => {
  handled = [];
  opened = [];
});

afterEach(async () => {
  await listener?.close();
  listener = undefined;
  for (const each of opened) "destroy" in each ? each.destroy() : each.close();
});

async function start(
  handle: (callback: URL) => Promise<CallbackReply> = async (callback) => {
    handled.push(callback.href);
    return REPLY;
  },
): Promise<CallbackListener> {
  const port = await freePort();
  listener = await listenForCallback({ ports: [port], handle });
  return listener;
}

describe("what is a callback", () => {
  test("GET /callback, on both address families and by each name, with its query", async () => {
    const { port, redirectUri } = await start();
    expect(redirectUri).toBe(`http://localhost:${port}/callback`);
    for (const [address, host] of [
      ["127.0.0.1", `localhost:${port}`],
      ["127.0.0.1", `127.0.0.1:${port}`],
      ["::1", `[::1]:${port}`],
      ["::1", `LOCALHOST:${port}`],
    ] as const) {
      const answer = await ask(
        port,
        `GET /callback?code=a%20b&state=x|y HTTP/1.1\r\nHost: ${host}\r\n\r\n`,
        address,
      );
      expect(answer.status).toBe(200);
      expect(answer.body).toContain("You are logged in");
    }
    expect(handled).toEqual(Array(4).fill(`${redirectUri}?code=a%20b&state=x|y`));
  });

  test("every answer carries the headers that keep it harmless", async () => {
    const { port } = await start();
    const targets = [
      "GET /callback",
      "GET /favicon.ico",
      "POST /callback",
      "GET http://x/callback",
      "\u0001",
    ];
    for (const target of targets) {
      const { headers, body } = await ask(port, `${target} HTTP/1.1\r\nHost: localhost:${port}\r\n\r\n`);
      expect(headers, target).toMatchObject({
        "content-type": "text/html; charset=utf-8",
        "content-length": String(Buffer.byteLength(body)),
        "cache-control": "no-store",
        "content-security-policy": PAGE_CSP,
        "referrer-policy": "no-referrer",
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
        connection: "close",
      });
    }
  });

  test.each([
    ["another path", "GET /other HTTP/1.1\r\nHost: HOST\r\n\r\n", 404],
    ["the favicon", "GET /favicon.ico HTTP/1.1\r\nHost: HOST\r\n\r\n", 404],
    ["the root", "GET / HTTP/1.1\r\nHost: HOST\r\n\r\n", 404],
    ["a longer path", "GET /callback/?code=a HTTP/1.1\r\nHost: HOST\r\n\r\n", 404],
    ["an encoded path", "GET /%63allback?code=a HTTP/1.1\r\nHost: HOST\r\n\r\n", 404],
    ["a path in capitals", "GET /Callback?code=a HTTP/1.1\r\nHost: HOST\r\n\r\n", 404],
    ["two slashes", "GET //callback?code=a HTTP/1.1\r\nHost: HOST\r\n\r\n", 404],
    ["dots", "GET /x/../callback?code=a HTTP/1.1\r\nHost: HOST\r\n\r\n", 404],
    ["HEAD", "HEAD /callback?code=a HTTP/1.1\r\nHost: HOST\r\n\r\n", 405],
    ["POST", "POST /callback?code=a HTTP/1.1\r\nHost: HOST\r\nContent-Length: 3\r\n\r\na=b", 405],
    ["OPTIONS", "OPTIONS /callback HTTP/1.1\r\nHost: HOST\r\n\r\n", 405],
    ["CONNECT", "CONNECT localhost:1 HTTP/1.1\r\nHost: HOST\r\n\r\n", 405],
    ["OPTIONS *", "OPTIONS * HTTP/1.1\r\nHost: HOST\r\n\r\n", 400],
    ["absolute form", "GET http://HOST/callback?code=a HTTP/1.1\r\nHost: HOST\r\n\r\n", 400],
    ["a fragment", "GET /callback?code=a#b HTTP/1.1\r\nHost: HOST\r\n\r\n", 400],
    ["bytes above ASCII", "GET /callback?code=\u00e9 HTTP/1.1\r\nHost: HOST\r\n\r\n", 400],
    ["a GET with a body", "GET /callback?code=a HTTP/1.1\r\nHost: HOST\r\nContent-Length: 3\r\n\r\na=b", 400],
    [
      "a GET with chunks",
      "GET /callback?code=a HTTP/1.1\r\nHost: HOST\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      400,
    ],
    ["an expectation", "GET /callback?code=a HTTP/1.1\r\nHost: HOST\r\nExpect: 100-continue\r\n\r\n", 400],
    ["an odd expectation", "GET /callback?code=a HTTP/1.1\r\nHost: HOST\r\nExpect: wonders\r\n\r\n", 400],
    [
      "both lengths",
      "GET /callback HTTP/1.1\r\nHost: HOST\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
      400,
    ],
    ["no Host", "GET /callback?code=a HTTP/1.1\r\n\r\n", 400],
    ["HTTP/1.0 without Host", "GET /callback?code=a HTTP/1.0\r\n\r\n", 400],
    ["two Hosts", "GET /callback?code=a HTTP/1.1\r\nHost: HOST\r\nHost: HOST\r\n\r\n", 400],
    ["another Host", "GET /callback?code=a HTTP/1.1\r\nHost: evil.example\r\n\r\n", 421],
    ["a rebound name", "GET /callback?code=a HTTP/1.1\r\nHost: evil.example:PORT\r\n\r\n", 421],
    ["another port", "GET /callback?code=a HTTP/1.1\r\nHost: localhost:1\r\n\r\n", 421],
    ["no port", "GET /callback?code=a HTTP/1.1\r\nHost: localhost\r\n\r\n", 421],
    ["a trick with @", "GET /callback?code=a HTTP/1.1\r\nHost: HOST@evil.example\r\n\r\n", 421],
    ["an empty Host", "GET /callback?code=a HTTP/1.1\r\nHost:\r\n\r\n", 421],
    [
      "a header of 17 KiB",
      `GET /callback?code=a HTTP/1.1\r\nHost: HOST\r\nX: ${"x".repeat(17_000)}\r\n\r\n`,
      431,
    ],
    ["a query of 1 MB", `GET /callback?code=${"x".repeat(1_000_000)} HTTP/1.1\r\nHost: HOST\r\n\r\n`, 431],
    ["no HTTP at all", "\u0016\u0003\u0001 hello\r\n\r\n", 400],
    ["HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400],
  ])("%s is refused and changes nothing", async (_name, request, status) => {
    const { port } = await start();
    const text = request.replaceAll("HOST", `localhost:${port}`).replaceAll("PORT", String(port));
    const answer = await ask(port, text);
    expect(answer.status).toBe(status);
    expect(answer.headers["allow"]).toBe(status === 405 ? "GET" : undefined);
    if (text.startsWith("HEAD")) expect(answer.body).toBe("");
    expect(handled).toEqual([]);
    // The true callback still gets through.
    expect((await ask(port, callbackRequest(port))).status).toBe(200);
    expect(handled).toHaveLength(1);
  });

  test("of pipelined requests only the first is looked at, and the connection ended", async () => {
    const reply = deferred<CallbackReply>();
    const seen: string[] = [];
    const { port, redirectUri } = await start((callback) => {
      seen.push(callback.href);
      return reply.promise;
    });
    const socket = await open(port);
    socket.write(["first", "second", "third"].map((name) => callbackRequest(port, `?code=${name}`)).join(""));
    await closed(socket);
    expect(seen).toEqual([`${redirectUri}?code=first`]);
    reply.resolve(REPLY);
    expect((await ask(port, callbackRequest(port))).status).toBe(200);
  });

  test("junk behind a good request does not cost its answer", async () => {
    const { port } = await start();
    const answer = await ask(port, `${callbackRequest(port)}\u0000\u0001junk\r\n\r\n`);
    expect(answer.status).toBe(200);
    expect(handled).toHaveLength(1);
  });

  test("a request that comes in pieces is one request", async () => {
    const { port } = await start();
    const socket = await open(port);
    const text = callbackRequest(port);
    const answer = read(socket);
    socket.setNoDelay(true);
    for (const letter of text) await new Promise((sent) => socket.write(letter, sent));
    expect((await answer).status).toBe(200);
    expect(handled).toHaveLength(1);
  });

  test("a handler that fails gives an error page, and the listener lives on", async () => {
    let fail: () => Promise<CallbackReply> = () => Promise.reject(new Error("secret-of-the-error"));
    const { port } = await start(() => fail());
    for (const next of [
      () => {
        throw new Error("secret-of-the-error");
      },
      async () => REPLY,
    ]) {
      const answer = await ask(port, callbackRequest(port));
      expect(answer.status).toBe(500);
      expect(answer.body).toContain(broken().title);
      expect(answer.body).not.toContain("secret-of-the-error");
      fail = next;
    }
    expect((await ask(port, callbackRequest(port))).status).toBe(200);
  });

  test("a client that leaves before its answer breaks nothing", async () => {
    const asked = deferred<void>();
    const reply = deferred<CallbackReply>();
    const { port } = await start(() => {
      asked.resolve();
      return reply.promise;
    });
    const socket = await open(port);
    socket.write(callbackRequest(port));
    await asked.promise;
    socket.resetAndDestroy();
    reply.resolve(REPLY);
    expect((await ask(port, callbackRequest(port))).status).toBe(200);
  });
});

describe("connections", () => {
  test("idle ones block nobody, however many, and close() ends them", async () => {
    const { port } = await start();
    const idle: Promise<void>[] = [];
    for (let i = 0; i < 900; i += 1) {
      const socket = await open(port, i % 2 ? "127.0.0.1" : "::1");
      // Every third one is slow rather than silent: half a request.
      if (i % 3 === 0) socket.write("GET /callback?code=a HTTP/1.1\r\nHost: ");
      idle.push(closed(socket));
    }
    expect((await ask(port, callbackRequest(port))).status).toBe(200);
    // The oldest had to give way, the newest are still there.
    await Promise.all(idle.slice(0, 300));
    const newest = opened.slice(0, 900).slice(-100) as Socket[];
    expect(newest.filter((socket) => socket.closed)).toEqual([]);
    await listener?.close();
    await Promise.all(idle);
    expect(handled).toHaveLength(1);
  });

  test("a connection that is kept alive by the client is ended with the answer", async () => {
    const { port } = await start();
    const request = `GET /callback HTTP/1.1\r\nHost: localhost:${port}\r\nConnection: keep-alive\r\n\r\n`;
    // ask() returns when the server ended the connection.
    expect((await ask(port, request)).headers["connection"]).toBe("close");
  });

  test("close() ends a preconnected connection, may be called again, and frees the port", async () => {
    const current = await start();
    const sockets = [await open(current.port), await open(current.port, "::1")];
    const ended = Promise.all(sockets.map(closed));
    // Idle connections are ended at once: not by the bound on answers under way, which never runs out here.
    vi.useFakeTimers({ toFake: ["setTimeout"] });
    try {
      await Promise.all([current.close(), current.close()]);
      await ended;
      await current.close();
    } finally {
      vi.useRealTimers();
    }
    for (const address of ["127.0.0.1", "::1"]) {
      await expect(open(current.port, address)).rejects.toMatchObject({ code: "ECONNREFUSED" });
    }
  });

  test("close() lets an answer under way be sent", async () => {
    const asked = deferred<void>();
    const reply = deferred<CallbackReply>();
    const current = await start(() => {
      asked.resolve();
      return reply.promise;
    });
    const answer = ask(current.port, callbackRequest(current.port));
    await asked.promise;
    const closing = current.close();
    await expect(open(current.port)).rejects.toMatchObject({ code: "ECONNREFUSED" });
    reply.resolve(REPLY);
    const { status, body } = await answer;
    expect(status).toBe(200);
    expect(body).toContain("</html>");
    await closing;
  });

  test("close() called from the handler itself lets that answer be sent", async () => {
    let closing: Promise<void> | undefined;
    const current = await start(async () => {
      closing = listener?.close();
      return REPLY;
    });
    const { status, body } = await ask(current.port, callbackRequest(current.port));
    expect(status).toBe(200);
    expect(body).toContain("</html>");
    await closing;
  });

  test("close() does not wait for ever for a handler that never answers", async () => {
    const asked = deferred<void>();
    const current = await start(() => {
      asked.resolve();
      return new Promise(() => {});
    });
    const socket = await open(current.port);
    socket.write(callbackRequest(current.port));
    const ended = closed(socket);
    await asked.promise;
    const begun = performance.now();
    await current.close();
    await ended;
    expect(performance.now() - begun).toBeLessThan(5000);
  });

  test("the same port serves again at once, twenty times", async () => {
    const port = await freePort();
    for (let round = 0; round < 20; round += 1) {
      listener = await listenForCallback({ ports: [port], handle: async () => REPLY });
      expect(listener.port).toBe(port);
      expect((await ask(port, callbackRequest(port))).status).toBe(200);
      expect((await ask(port, callbackRequest(port), "::1")).status).toBe(200);
      await listener.close();
    }
  });
});

describe("ports", () => {
  test.each(["127.0.0.1", "::1"])(
    "one that is taken on %s alone is passed over and left alone",
    async (address) => {
      const [taken, free] = [await freePort(), await freePort()];
      await occupy(taken, address);
      listener = await listenForCallback({ ports: [taken, free], handle: async () => REPLY });
      expect(listener.port).toBe(free);
      expect(listener.redirectUri).toBe(`http://localhost:${free}/callback`);
      // The other address of the taken port was released.
      await occupy(taken, address === "::1" ? "127.0.0.1" : "::1");
    },
  );

  test("none free: the error names them all", async () => {
    const ports = [await freePort(), await freePort(), await freePort()];
    for (const port of ports) await occupy(port, "127.0.0.1");
    const error: unknown = await listenForCallback({ ports, handle: async () => REPLY }).catch((e) => e);
    expect(isAuthError(error, "no_free_port")).toBe(true);
    expect(error).toMatchObject({
      message: `None of the ports ${ports.join(", ")} is free on this machine, so the browser would have no way back.`,
    });
    const one: unknown = await listenForCallback({ ports: [ports[0] ?? 0], handle: async () => REPLY }).catch(
      (e) => e,
    );
    expect(one).toMatchObject({
      code: "no_free_port",
      message: expect.stringContaining(`Port ${ports[0]} is not free`),
    });
  });

  test("two listeners share a list", async () => {
    const ports = [await freePort(), await freePort()];
    const listeners = await Promise.all(
      [1, 2].map(() => listenForCallback({ ports, handle: async () => REPLY })),
    );
    expect(listeners.map((each) => each.port).sort()).toEqual([...ports].sort());
    await Promise.all(listeners.map((each) => each.close()));
  });
});

describe("the signal", () => {
  test("aborted before: nothing is opened", async () => {
    const port = await freePort();
    const signal = AbortSignal.abort();
    const error: unknown = await listenForCallback({
      ports: [port],
      handle: async () => REPLY,
      signal,
    }).catch((e) => e);
    expect(isAuthError(error, "login_cancelled")).toBe(true);
    await occupy(port, "127.0.0.1");
    await occupy(port, "::1");
  });

  test("aborted while the port is opened: it is released again", async () => {
    const port = await freePort();
    const controller = new AbortController();
    const opening = listenForCallback({
      ports: [port],
      handle: async () => REPLY,
      signal: controller.signal,
    });
    controller.abort();
    await expect(opening).rejects.toMatchObject({ code: "login_cancelled" });
    await occupy(port, "127.0.0.1");
    await occupy(port, "::1");
  });

  test("aborted while it listens: it closes", async () => {
    const port = await freePort();
    const controller = new AbortController();
    listener = await listenForCallback({
      ports: [port],
      handle: async () => REPLY,
      signal: controller.signal,
    });
    const ended = closed(await open(port));
    controller.abort();
    await expect(open(port)).rejects.toMatchObject({ code: "ECONNREFUSED" });
    await ended;
    await listener.close();
    await occupy(port, "127.0.0.1");
  });
});

describe("pages", () => {
  const pages = [success("S"), denied("S"), failed("S", "M", "H"), failed("S", "M"), ignored(), broken()];

  test("the policy names the one style block that is really sent, and nothing else is in the page", async () => {
    const { port } = await start(async () => ({ status: 200, page: denied("https://auth.example.org") }));
    const { body, headers } = await ask(port, callbackRequest(port));
    const styles = [...body.matchAll(/<style>([\s\S]*?)<\/style>/g)].map((match) => match[1] ?? "");
    expect(styles).toHaveLength(1);
    const hash = createHash("sha256")
      .update(styles[0] ?? "")
      .digest("base64");
    expect(headers["content-security-policy"]).toBe(
      `default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
    );
    for (const page of pages)
      expect(renderPage(page)).not.toMatch(/<script|<link|<img|<form| style=| on\w+=|url\(|https?:/i);
  });

  test("hostile text is shown as text, without controls", () => {
    const hostile = `</p><script>alert("x")</script>&amp;'\u202egnp.exe\u0000\u001b[2J\r\n`;
    const html = renderPage({ kind: "error", title: hostile, message: hostile, detail: hostile });
    expect(html).not.toContain("<script");
    expect(html).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u202e]/);
    expect(
      html.split("&lt;/p&gt;&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt;&amp;amp;&#39;"),
    ).toHaveLength(5);
    expect(renderPage(failed("<b>", "x".repeat(1_000_000), "y".repeat(1_000_000))).length).toBeLessThan(8000);
  });

  test.each(pages.map((page) => [page.title, page] as const))(
    "%s: says what to do in plain words",
    (title, page) => {
      const html = renderPage(page);
      expect(html).toContain(`<title>${title}</title>`);
      expect(html).toContain(`<h1>${title}</h1>`);
      expect(html).toContain('<html lang="en">');
      expect(html).toContain("You can close this tab");
    },
  );
});

interface Answer {
  text: string;
  status: number;
  headers: Record<string, string>;
  body: string;
}

function callbackRequest(port: number, query = "?code=c&state=s"): string {
  return `GET /callback${query} HTTP/1.1\r\nHost: localhost:${port}\r\n\r\n`;
}

/** Sends bytes as they are and returns what came back until the server ended the connection. */
async function ask(port: number, request: string, address = "127.0.0.1"): Promise<Answer> {
  const socket = await open(port, address);
  const answer = read(socket);
  socket.write(Buffer.from(request, "latin1"));
  return answer;
}

async function read(socket: Socket): Promise<Answer> {
  const chunks: Buffer[] = [];
  socket.on("data", (chunk) => chunks.push(chunk));
  await once(socket, "end");
  socket.destroy();
  const text = Buffer.concat(chunks).toString();
  const [head = "", ...body] = text.split("\r\n\r\n");
  const [line = "", ...lines] = head.split("\r\n");
  const headers = lines.map((each) => [
    each.split(": ")[0]?.toLowerCase() ?? "",
    each.replace(/^[^:]*: /, ""),
  ]);
  return {
    text,
    status: Number(line.split(" ")[1]),
    headers: Object.fromEntries(headers),
    body: body.join("\r\n\r\n"),
  };
}

async function open(port: number, address = "127.0.0.1"): Promise<Socket> {
  const socket = netConnect({ port, host: address });
  opened.push(socket);
  await once(socket, "connect");
  return socket;
}

/** Waits until the other side ended the connection, in whichever way. */
async function closed(socket: Socket): Promise<void> {
  socket.on("error", () => {});
  socket.resume();
  if (!socket.closed) await new Promise((done) => socket.on("close", done));
}

async function occupy(port: number, address: string): Promise<void> {
  const server = createServer().listen({ port, host: address });
  opened.push(server);
  await once(server, "listening");
}

const given = new Set<number>();

/** A port that was free on both loopback addresses just now; never the same one again. */
async function freePort(): Promise<number> {
  for (;;) {
    const first = createServer().listen({ port: 0, host: "127.0.0.1" });
    await once(first, "listening");
    const { port } = first.address() as { port: number };
    const second = createServer().listen({ port, host: "::1" });
    const free = await once(second, "listening").then(
      () => true,
      () => false,
    );
    await Promise.all([first, second].map((server) => new Promise((done) => server.close(done))));
    if (!free || given.has(port)) continue;
    given.add(port);
    return port;
  }
}

function deferred<T>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => {};
  const promise = new Promise<T>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}

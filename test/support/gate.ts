import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";

/** An answer that is held back. */
export interface Held {
  /** The server has been asked, and has answered. */
  readonly arrived: Promise<void>;
  /** Lets the answer go on its way. */
  release(): void;
}

/** A way to a server on which a test can hold answers back: so that it acts exactly while one is being waited for. */
export interface Gate {
  readonly host: string;
  /** Holds the answer to the next request whose method and path, and form, fit. */
  hold(what: RegExp): Held;
}

interface Waiting {
  readonly what: RegExp;
  readonly arrive: () => void;
  readonly released: Promise<void>;
}

export async function startGate(target: string): Promise<Gate> {
  const waiting: Waiting[] = [];
  const server = createServer((request, response) => void pass(request, response));
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as AddressInfo;
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });

  async function pass(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = "";
    for await (const chunk of request) body += String(chunk);
    const asked = `${request.method} ${request.url} ${body}`;
    const at = waiting.findIndex(({ what }) => what.test(asked));
    const [held] = at < 0 ? [] : waiting.splice(at, 1);
    const answer = await fetch(target + (request.url ?? ""), {
      method: request.method ?? "GET",
      body: request.method === "POST" ? body : null,
      headers: {
        "content-type": request.headers["content-type"] ?? "text/plain",
        authorization: request.headers.authorization ?? "",
      },
      redirect: "manual",
    });
    const text = await answer.text();
    if (held) {
      held.arrive();
      await held.released;
    }
    const kept = ["content-type", "location"].flatMap((name) => {
      const value = answer.headers.get(name);
      return value === null ? [] : [[name, value]];
    });
    response.writeHead(answer.status, Object.fromEntries(kept)).end(text);
  }

  return {
    host: `http://127.0.0.1:${port}`,
    hold: (what) => {
      let [arrive, release] = [() => {}, () => {}];
      const arrived = new Promise<void>((resolve) => {
        arrive = resolve;
      });
      const released = new Promise<void>((resolve) => {
        release = resolve;
      });
      waiting.push({ what, arrive, released });
      return { arrived, release };
    },
  };
}

import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { CodeFlow } from "../../src/flows/code-flow.js";
import type { Target } from "../../src/flows/session.js";
import { listenForCallback } from "../../src/loopback/listener.js";
import { success } from "../../src/loopback/pages.js";
import { memoryBackend } from "../../src/store/memory-backend.js";
import { TokenStore } from "../../src/store/token-store.js";
import { completeLogin, scriptedPerson, startAuthServer } from "../../src/testing/index.js";
import { startIssuer } from "../support/issuer.js";

/** Callbacks that know the state, and still are none: the first that bears it decides, and a code is spent once. */

const SERVERS: Readonly<Record<string, () => Promise<{ target: Target; redeemed: () => number }>>> = {
  "at the routes": async () => {
    const server = await startAuthServer();
    onTestFinished(() => server.close());
    return { target: server.host, redeemed: () => server.counts["token"] ?? 0 };
  },
  "at an issuer": async () => {
    const { issuer, count } = await startIssuer();
    return { target: { issuer, clientId: "cli" }, redeemed: () => count("/token") };
  },
};

/** A login under way, and the true answer to it, which has not come yet. */
async function begin(target: Target, lines: string[] = []) {
  const ui = Object.assign(scriptedPerson({ acts: false }).ui, {
    canPaste: lines.length > 0,
    readCallbackUrl: async () => lines.shift(),
  });
  const store = new TokenStore({ backend: memoryBackend() });
  const token = new CodeFlow(target, { store, ui, env: {}, openBrowser: false }).authenticate();
  token.catch(() => {});
  const { url, redirectUri } = await ui.seen("code");
  return { ui, token, redirectUri, callback: await completeLogin(url, { visitCallback: false }) };
}

async function visit(url: URL): Promise<{ status: number; page: string }> {
  const answer = await fetch(url);
  return { status: answer.status, page: await answer.text() };
}

/** In this order, and all before the first can be answered: they are sent on connections that are already there. */
async function visitTogether(urls: readonly URL[]): Promise<{ status: number; page: string }[]> {
  const sockets = await Promise.all(urls.map(({ port }) => open(Number(port))));
  const answers = sockets.map(async (socket) => {
    let text = "";
    for await (const chunk of socket) text += String(chunk);
    return { status: Number(text.split(" ")[1]), page: text.slice(text.indexOf("\r\n\r\n")) };
  });
  for (const [index, { pathname, search, host }] of urls.entries()) {
    sockets[index]?.write(`GET ${pathname}${search} HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
  }
  return Promise.all(answers);
}

async function open(port: number): Promise<Socket> {
  const socket = connect({ port, host: "127.0.0.1" });
  onTestFinished(() => void socket.destroy());
  socket.on("error", () => {});
  await once(socket, "connect");
  return socket;
}

/** The true answer with more in it. */
function withMore(callback: URL, more: readonly (readonly [string, string])[]): URL {
  const changed = new URL(callback);
  for (const [name, value] of more) changed.searchParams.append(name, value);
  return changed;
}

describe.each(Object.entries(SERVERS))("%s", (_name, start) => {
  it.each<[string, readonly (readonly [string, string])[]]>([
    ["an error beside the code", [["error", "access_denied"]]],
    ["an unknown error beside the code", [["error", "\u001b[2Jx"]]],
    ["an empty error beside the code", [["error", ""]]],
    [
      "two errors beside the code",
      [
        ["error", "access_denied"],
        ["error", "access_denied"],
      ],
    ],
    ["a second code", [["code", "another"]]],
    [
      "an error after all, and a second code",
      [
        ["code", "another"],
        ["error", "server_error"],
      ],
    ],
  ])("%s: the login ends, and no code is spent", async (_what, more) => {
    const { target, redeemed } = await start();
    const { token, callback } = await begin(target);
    const { page } = await visit(withMore(callback, more));
    expect(page).not.toContain("You are logged in");
    await expect(token).rejects.toHaveProperty("name", "AuthError");
    expect(redeemed()).toBe(0);
    // It is over: the port is free, and the true answer comes to nobody.
    await expect(fetch(callback)).rejects.toThrow();
    expect(redeemed()).toBe(0);
  });

  it("a second answer with another code changes nothing, before and after the first is told", async () => {
    const { target, redeemed } = await start();
    const { token, callback } = await begin(target);
    const other = new URL(callback);
    other.searchParams.set("code", "another");
    const pages = await visitTogether([callback, other, callback]);
    expect(pages.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(new Set(pages.map(({ page }) => page)).size).toBe(1);
    expect((await token).accessToken).not.toBe("");
    expect(redeemed()).toBe(1);
  });

  it("a wrong code that comes first is the outcome: the true one is not tried after it", async () => {
    const { target, redeemed } = await start();
    const { token, callback } = await begin(target);
    const wrong = new URL(callback);
    wrong.searchParams.set("code", "wrong");
    const pages = await visitTogether([wrong, callback]);
    for (const { status, page } of pages) {
      expect(status).toBe(400);
      expect(page).toContain("The login did not work");
    }
    await expect(token).rejects.toMatchObject({ code: "invalid_grant" });
    expect(redeemed()).toBe(1);
  });

  it("an answer in the fragment is none: the browser keeps it, and pasted it is not taken for one", async () => {
    const { target, redeemed } = await start();
    const { token, callback, redirectUri } = await begin(target);
    const fragment = `${redirectUri}#${callback.search.slice(1)}`;
    // What the browser sends of it.
    expect((await fetch(fragment)).status).toBe(400);
    expect(redeemed()).toBe(0);
    expect((await visit(callback)).status).toBe(200);
    await token;
    expect(redeemed()).toBe(1);
    const pasting = await begin(target, [fragment]);
    expect((await pasting.ui.seen("notice")).message).toMatch(/another login/);
    expect((await visit(pasting.callback)).status).toBe(200);
    await pasting.token;
    expect(redeemed()).toBe(2);
  });
});

describe("at an issuer that names itself (RFC 9207)", () => {
  it.each<[string, (iss: string) => readonly string[]]>([
    ["another one", () => ["https://evil.example"]],
    ["itself and another one", (iss) => [iss, "https://evil.example"]],
    ["itself twice", (iss) => [iss, iss]],
    ["nobody", () => []],
  ])("an answer that names %s spends no code, nor does an error of it count", async (_what, names) => {
    const { issuer, count } = await startIssuer();
    for (const more of [[], [["error", "access_denied"] as const]]) {
      const { token, callback } = await begin({ issuer, clientId: "cli" });
      const iss = callback.searchParams.get("iss") ?? "";
      expect(iss).toBe(issuer);
      callback.searchParams.delete("iss");
      const changed = withMore(callback, [...names(iss).map((one) => ["iss", one] as const), ...more]);
      expect((await visit(changed)).page).not.toContain("You are logged in");
      await expect(token).rejects.toHaveProperty("name", "AuthError");
      expect(count("/token")).toBe(0);
    }
  });
});

describe("connections", () => {
  async function listener(logo?: string) {
    const one = await listenForCallback({
      ports: [0],
      handle: async () => ({ status: 200, page: success("https://auth.example.org") }),
      look: { logo },
    });
    onTestFinished(() => one.close());
    return one;
  }

  it("one that has just come is not pushed out by the hundreds that come after it", async () => {
    const { port, redirectUri } = await listener();
    const browser = await open(port);
    for (let others = 0; others < 400; others++) await open(port);
    let answer = "";
    browser.on("data", (chunk: Buffer) => (answer += chunk.toString()));
    browser.write(`GET /callback?code=a HTTP/1.1\r\nHost: ${new URL(redirectUri).host}\r\n\r\n`);
    await once(browser, "end");
    expect(answer).toMatch(/^HTTP\/1\.1 200 /);
  });

  // Only below what Node offers can a socket be made that takes next to nothing of an answer.
  it.runIf(hasPython())("those that never read their answers keep nobody out", async () => {
    const { port, redirectUri } = await listener(`data:image/png;base64,${"A".repeat(139_000)}`);
    const clients = spawn("python3", ["-c", UNREAD, String(port)], { stdio: ["pipe", "pipe", "inherit"] });
    onTestFinished(() => void clients.kill("SIGKILL"));
    await once(clients.stdout, "data");
    for (let visits = 0; visits < 10; visits++) {
      expect((await fetch(`${redirectUri}?code=a`)).status).toBe(200);
    }
  });
});

/** Asks for a page on 1200 connections, with the smallest buffers that the system gives, and reads none of it. */
const UNREAD = `
import socket, sys
port = int(sys.argv[1])
kept = []
for _ in range(1200):
    one = socket.socket()
    one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
    one.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 88)
    one.connect(("127.0.0.1", port))
    one.sendall(b"GET /x HTTP/1.1\\r\\nHost: localhost:%d\\r\\n\\r\\n" % port)
    kept.append(one)
print("open", flush=True)
sys.stdin.readline()
`;

function hasPython(): boolean {
  return process.platform === "linux" && spawnSync("python3", ["--version"]).status === 0;
}

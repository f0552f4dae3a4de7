import { writeFileSync } from "node:fs";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import type { TLSSocket } from "node:tls";
import { describe, expect, it, onTestFinished } from "vitest";
import { approveDevice, startAuthServer } from "../../src/testing/index.js";
import { localCertificate } from "../support/certificates.js";
import { runNode } from "../support/processes.js";
import { tempFolder } from "../support/temp-folder.js";
import { runtimes } from "./runtimes.js";

/** The built package on each runtime, started and watched by a Node: what a runtime cannot tell of itself. */

const CLI = join(import.meta.dirname, "../../dist/cli/oidc-auth.cjs");
const worker = (name: string) => join(import.meta.dirname, "workers", `${name}.mjs`);

describe.each(runtimes())("$name", ({ words: runtime }) => {
  it("logs in, reuses and renews", async () => {
    const server = await startAuthServer({ deviceInterval: 0.05, enforceInterval: false });
    onTestFinished(() => server.close());
    const child = runNode(worker("job"), [server.host, join(tempFolder(), "s.json")], {}, { runtime });
    await approveDevice((await child.line((line) => line.startsWith("open "))).slice(5));
    const [, login, reused, renewed] = (await child.line((line) => line.startsWith("tokens "))).split(" ");
    expect(reused).toBe(login);
    expect(renewed).not.toBe(login);
    expect(await child.ended()).toEqual({ code: 0, signal: null });
    expect(server.counts["refreshes"]).toBe(1);
  });

  it.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const)("ends the program with its code after %s", async (signal, code) => {
    const server = await startAuthServer();
    onTestFinished(() => server.close());
    const cache = tempFolder();
    const args = [server.host, "--interactive", "--no-browser"];
    const child = runNode(CLI, args, { XDG_CACHE_HOME: cache, HOME: cache }, { runtime });
    await child.error((line) => line.startsWith("http"));
    child.process.kill(signal);
    expect(await child.ended()).toEqual({ code, signal: null });
  });

  it("shows a client certificate, and trusts an authority of one's own", async () => {
    const { ca, cert, key } = await localCertificate();
    const server = createServer(
      { cert, key, ca, requestCert: true, rejectUnauthorized: false },
      (request, response) => response.end(`authorized: ${(request.socket as TLSSocket).authorized}`),
    );
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    const folder = tempFolder();
    const write = (name: string, text: string) => {
      writeFileSync(join(folder, name), text, { mode: 0o600 });
      return join(folder, name);
    };
    const files = [write("ca.pem", ca), write("cert.pem", cert), write("key.pem", key)];
    const url = `https://localhost:${(server.address() as AddressInfo).port}/`;
    const child = runNode(worker("network"), [url, ...files], {}, { runtime });
    expect(await child.line(() => true)).toBe("authorized: true");
  });
});

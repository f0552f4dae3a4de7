import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { AuthError } from "../errors.js";

/** Both loopback addresses: a browser may take either for `localhost`. */
const ADDRESSES = ["127.0.0.1", "::1"] as const;
/** Why a port is passed over: held by another program, or not for us (reserved, excluded). */
const TAKEN = ["EADDRINUSE", "EACCES"];
/** What a machine without an IPv6 loopback says. */
const NO_SUCH_ADDRESS = ["EADDRNOTAVAIL", "EAFNOSUPPORT", "EINVAL"];
/** How often a free port is looked for that is free on both addresses. */
const ATTEMPTS = 20;

/**
 * Binds a server to a port on both loopback addresses.
 *
 * @param port 0: any free one
 * @param makeServer makes the server of each address
 * @returns the port, or `undefined` where it is taken; then nothing stays bound
 */
export async function bindLoopback(port: number, makeServer: () => Server): Promise<number | undefined> {
  for (let attempt = 1; ; attempt++) {
    const bound = await bindBoth(port, makeServer);
    if (bound !== undefined || port !== 0 || attempt === ATTEMPTS) return bound;
  }
}

async function bindBoth(wanted: number, makeServer: () => Server): Promise<number | undefined> {
  const servers: Server[] = [];
  let port = wanted;
  for (const host of ADDRESSES) {
    const server = makeServer();
    const failure = await listen(server, port, host);
    if (failure === undefined) {
      servers.push(server);
      port = (server.address() as AddressInfo).port;
    } else if (host === "127.0.0.1" || !NO_SUCH_ADDRESS.includes(failure.code ?? "")) {
      await Promise.all(servers.map((one) => new Promise((done) => one.close(done))));
      if (TAKEN.includes(failure.code ?? "")) return undefined;
      throw new AuthError("no_free_port", `Port ${port} cannot be opened on this machine.`, {
        cause: failure,
      });
    }
  }
  return port;
}

function listen(server: Server, port: number, host: string): Promise<NodeJS.ErrnoException | undefined> {
  return new Promise((resolve) => {
    // Stays on: an accept that fails later (no descriptors left) must not end the process.
    server.on("error", resolve);
    // Exclusive: a worker of node:cluster must not share the port with its siblings.
    server.listen({ port, host, exclusive: true }, () => resolve(undefined));
  });
}

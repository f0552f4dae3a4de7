import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** Stands in front of a server: what is sent arrives there, and while it is mute no answer comes back. */
export interface MuteProxy {
  readonly origin: string;
  mute(on: boolean): void;
  close(): Promise<void>;
}

export async function startMuteProxy(target: string): Promise<MuteProxy> {
  const { hostname, port } = new URL(target);
  const sockets = new Set<Socket>();
  let mute = false;
  const server = createServer((client) => {
    const upstream = connect(Number(port), hostname);
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(socket);
      // One that breaks off is closed on both sides, which is all there is to it.
      socket.on("error", () => {});
      socket.on("close", () => {
        sockets.delete(socket);
        other.destroy();
      });
    }
    client.pipe(upstream);
    upstream.on("data", (bytes) => {
      if (!mute) client.write(bytes);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    mute: (on) => {
      mute = on;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

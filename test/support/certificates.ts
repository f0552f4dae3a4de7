import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { createCA, createCert } from "mkcert";

/** Addresses of servers whose certificates are wrong, each in its own way; none is ever asked anything over HTTP. */
export interface WronglyCertified {
  /** The authority that two of them are vouched for by, in PEM. */
  readonly ca: string;
  readonly expired: string;
  readonly wrongHost: string;
  readonly unknownAuthority: string;
  /** What was asked all the same. */
  readonly asked: string[];
  close(): Promise<void>;
}

const PLACE = { organization: "Test", countryCode: "DE", state: "HH", locality: "HH" };
/** Days; a negative number of them is over. */
const VALID = 2;
const OVER = -1;

/** Starts them on the loopback address; their name is `localhost`. */
export async function startWronglyCertified(): Promise<WronglyCertified> {
  const [ca, other] = await Promise.all([
    createCA({ ...PLACE, validity: VALID }),
    createCA({ ...PLACE, validity: VALID }),
  ]);
  const asked: string[] = [];
  const servers: Server[] = [];
  const start = async (by: typeof ca, domain: string, validity: number): Promise<string> => {
    const { cert, key } = await createCert({ ca: by, domains: [domain], validity });
    const server = createServer({ cert, key }, (request, response) => {
      asked.push(`${request.method} ${request.url}`);
      response.end();
    });
    // A client that does not trust it hangs up in the handshake.
    server.on("tlsClientError", () => {});
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    servers.push(server);
    return `https://localhost:${(server.address() as AddressInfo).port}`;
  };
  return {
    ca: ca.cert,
    expired: await start(ca, "localhost", OVER),
    wrongHost: await start(ca, "other.example.org", VALID),
    unknownAuthority: await start(other, "localhost", VALID),
    asked,
    close: async () => {
      for (const server of servers) server.closeAllConnections();
      await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
    },
  };
}

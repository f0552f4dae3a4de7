import { randomUUID } from "node:crypto";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { createCA, createCert } from "mkcert";

const SOMEWHERE = { organization: "Test", countryCode: "DE", state: "HH", locality: "HH" };

/** In PEM: a certificate for `localhost` and its key, and the authority that it is of, which nobody else knows. */
export interface LocalCertificate {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

/** Good for two days. */
export async function localCertificate(): Promise<LocalCertificate> {
  // Authorities of one name are taken for one.
  const ca = await createCA({ ...SOMEWHERE, organization: randomUUID(), validity: 2 });
  const { cert, key } = await createCert({ ca, domains: ["localhost"], validity: 2 });
  return { ca: ca.cert, cert, key };
}

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

/** Days; a negative number of them is over. */
const VALID = 2;
const OVER = -1;

/** Starts them on the loopback address; their name is `localhost`. */
export async function startWronglyCertified(): Promise<WronglyCertified> {
  const [ca, other] = await Promise.all([
    createCA({ ...SOMEWHERE, validity: VALID }),
    createCA({ ...SOMEWHERE, validity: VALID }),
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

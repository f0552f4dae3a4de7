import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startWronglyCertified, type WronglyCertified } from "../support/certificates.js";
import { SITE_KINDS } from "./cells.js";
import { type Site, type SiteKind, startSite } from "./sites.js";

/** What all cells share. */
export interface Surroundings {
  readonly sites: Readonly<Record<SiteKind, Site>>;
  readonly folder: string;
  /** Another origin, which nobody is to ask anything. */
  readonly elsewhere: { readonly origin: string; readonly asked: string[] };
  readonly certificates: WronglyCertified;
  close(): Promise<void>;
}

export async function startSurroundings(): Promise<Surroundings> {
  const folder = mkdtempSync(join(tmpdir(), "oidc-auth-faults-"));
  const certificates = await startWronglyCertified();
  writeFileSync(join(folder, "ca.pem"), certificates.ca);
  const asked: string[] = [];
  const other = createServer((request, response) => {
    asked.push(`${request.method} ${request.url} ${JSON.stringify(request.headers)}`);
    response.end("{}");
  });
  await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
  const sites = {} as Record<SiteKind, Site>;
  for (const kind of SITE_KINDS) sites[kind] = await startSite(kind);
  return {
    ...{ sites, folder, certificates },
    elsewhere: { origin: `http://127.0.0.1:${(other.address() as AddressInfo).port}`, asked },
    close: async () => {
      await Promise.all([...SITE_KINDS.map((kind) => sites[kind].close()), certificates.close()]);
      await new Promise((resolve) => other.close(resolve));
      rmSync(folder, { recursive: true });
    },
  };
}

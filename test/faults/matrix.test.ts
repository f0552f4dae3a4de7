import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, it } from "vitest";
import { startWronglyCertified } from "../support/certificates.js";
import { freePort } from "../support/databases.js";
import { cellCount, fill, type Surroundings } from "./cell.js";
import { FAULTS, type Fault } from "./faults.js";
import type { Times } from "./rules.js";
import { SHAPE_CELLS } from "./shapes.js";
import { type RequestName, type Site, type SiteKind, startSite } from "./sites.js";

/** Each request of each flow, over the real servers. What the broker mode does as the other is not asked twice. */
const REQUESTS: Readonly<Record<SiteKind, readonly RequestName[]>> = {
  passthrough: ["login", "auth-ports", "device", "poll", "exchange", "refresh", "userinfo"],
  broker: ["poll", "exchange", "refresh", "userinfo"],
  issuer: ["discovery", "device", "poll", "exchange", "refresh", "userinfo", "key set"],
};
const KINDS = Object.keys(REQUESTS) as SiteKind[];

const sites = {} as Record<SiteKind, Site>;
let surroundings: Surroundings;
const ends: (() => unknown)[] = [];

beforeAll(async () => {
  const folder = mkdtempSync(join(tmpdir(), "oidc-auth-faults-"));
  const certificates = await startWronglyCertified();
  writeFileSync(join(folder, "ca.pem"), certificates.ca);
  const asked: string[] = [];
  const other = createServer((request, response) => {
    asked.push(`${request.method} ${request.url} ${JSON.stringify(request.headers)}`);
    response.end("{}");
  });
  await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
  const origin = `http://127.0.0.1:${(other.address() as AddressInfo).port}`;
  surroundings = { folder, certificates, elsewhere: { origin, asked }, closedPort: await freePort() };
  for (const kind of KINDS) sites[kind] = await startSite(kind);
  ends.push(
    () => rmSync(folder, { recursive: true }),
    certificates.close,
    () => new Promise((resolve) => other.close(resolve)),
    ...KINDS.map((kind) => sites[kind].close),
  );
});

afterAll(async () => {
  console.log(`${cellCount()} cells`);
  for (const end of ends) await end();
});

/** How often a fault is to be met: where it ends the call at once, a second time is the first. */
function timesOf(request: RequestName, { name, nature }: Fault): readonly Times[] {
  // The login route answers by its headers alone.
  if (request === "login" && name === "reset in mid-body") return [];
  // A poll that gets no answer waits for one until the code has run out.
  if (request === "poll" && nature.kind === "slow") return ["once"];
  return nature.kind === "readable" ? ["always"] : ["once", "always"];
}

interface Filled {
  readonly fault: Fault;
  readonly times: Times;
}

const isSlow = ({ fault }: Filled) => fault.nature.kind === "slow";

describe.each(KINDS)("%s", (kind) => {
  describe.each(REQUESTS[kind])("%s", (request) => {
    const cells = FAULTS.flatMap((fault) => timesOf(request, fault).map((times) => ({ fault, times })));
    const filled = ({ fault, times }: Filled) =>
      fill({ site: sites[kind], request, fault, times }, surroundings);
    it.each(cells.filter((cell) => !isSlow(cell)))("$fault.name, $times", filled);
    // What one call finds out is kept for all: only where that is not the point may several calls wait at once.
    const together = request === "discovery" ? it : it.concurrent;
    together.each(cells.filter(isSlow))("$fault.name, $times", filled);
  });
});

describe("an answer's field of another shape", () => {
  it.each(SHAPE_CELLS)("$site, $request (by $by), $fault.name", ({ site, request, by, fault }) =>
    fill({ site: sites[site], request, by, fault, times: "always" }, surroundings),
  );
});

import { FAULTS, type Fault } from "./faults.js";
import type { Times } from "./rules.js";
import { SHAPE_CELLS } from "./shapes.js";
import type { RequestName, SiteKind } from "./sites.js";

/** One thing that goes wrong with one request of one call. */
export interface Cell {
  readonly site: SiteKind;
  /** Whose request it is done to. */
  readonly request: RequestName;
  /** Whose call meets it. */
  readonly by: RequestName;
  readonly fault: Fault;
  readonly times: Times;
}

/** Each request of each flow, over the real servers. What the broker mode does as the other is not asked twice. */
export const REQUESTS: Readonly<Record<SiteKind, readonly RequestName[]>> = {
  passthrough: ["login", "auth-ports", "device", "poll", "exchange", "refresh", "userinfo"],
  broker: ["poll", "exchange", "refresh", "userinfo"],
  issuer: ["discovery", "device", "poll", "exchange", "refresh", "userinfo", "key set"],
};
export const SITE_KINDS = Object.keys(REQUESTS) as SiteKind[];

/** The login route answers by its headers alone: there is no body to break off in. */
const BODILESS = ["reset in mid-body", "stalled in mid-body"];

/** How often a fault is to be met. */
export function timesOf(request: RequestName, { name, nature }: Fault): readonly Times[] {
  if (request === "login" && BODILESS.includes(name)) return [];
  // Done to each request it would come to the same: a server that takes too long is not asked again, and a poll that
  // never gets an answer only runs out later.
  if (nature.kind === "slow") return ["once"];
  return nature.kind === "readable" ? ["always"] : ["once", "always"];
}

/** The whole matrix. */
export const CELLS: readonly Cell[] = [
  ...SITE_KINDS.flatMap((site) =>
    REQUESTS[site].flatMap((request) =>
      FAULTS.flatMap((fault) =>
        timesOf(request, fault).map((times): Cell => ({ site, request, by: request, fault, times })),
      ),
    ),
  ),
  ...SHAPE_CELLS.map(
    ({ site, request, by = request, fault }): Cell => ({ site, request, by, fault, times: "always" }),
  ),
];

export function titleOf({ site, request, by, fault, times }: Cell): string {
  return `${site}, ${request}${by === request ? "" : ` (by ${by})`}: ${fault.name}, ${times}`;
}

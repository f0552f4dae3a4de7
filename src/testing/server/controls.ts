import type { ServerResponse } from "node:http";
import { applyFault, Faults, type Grant, type Route } from "./faults.js";
import type { ErrorShape } from "./oauth-error.js";

/** A request as it is logged: names only, no secret. */
export interface LoggedRequest {
  /** Such as `POST`. */
  readonly method: string;
  /** Without its query. */
  readonly path: string;
  /** Of its parameters, in the query and in the body. */
  readonly names: readonly string[];
}

export interface ControlsOptions {
  /** Seconds between polls. */
  readonly deviceInterval: number;
  readonly enforceInterval: boolean;
  /** Milliseconds that a token request takes. */
  readonly tokenLatency: number;
  /** Milliseconds of the clock that polls are judged by. */
  now(): number;
}

/** What tests read and change while a server runs: the routes and the provider behind them share it. */
export class Controls {
  readonly counts: Record<string, number> = {};
  readonly requests: LoggedRequest[] = [];
  readonly faults = new Faults();
  errorShape: ErrorShape = "detail";
  slowDowns = 0;
  readonly #options: ControlsOptions;
  readonly #polls = new Map<string, number>();

  constructor(options: ControlsOptions) {
    this.#options = options;
  }

  /** Counts a request or an outcome. */
  count(name: string): void {
    this.counts[name] = (this.counts[name] ?? 0) + 1;
  }

  log(method: string, path: string, names: readonly string[]): void {
    this.requests.push({ method, path, names });
  }

  reset(): void {
    for (const name of Object.keys(this.counts)) delete this.counts[name];
    this.requests.length = 0;
  }

  /** Counts a request, and lets it fail where a test wants that. @returns whether it is to be processed */
  async admit(
    route: Route,
    grant: Grant | undefined,
    response: ServerResponse,
    shape = this.errorShape,
  ): Promise<boolean> {
    this.count(route);
    if (grant) this.count(`token:${grant}`);
    if (!(await applyFault(this.faults.take(route, grant), response, shape))) return false;
    const { tokenLatency } = this.#options;
    if (route === "token" && tokenLatency > 0)
      await new Promise((resolve) => setTimeout(resolve, tokenLatency));
    return true;
  }

  /** The provider never says `slow_down`: whoever polls quicker than told, or when a test wants it, hears it here. */
  isTooQuick(deviceCode: string): boolean {
    if (this.slowDowns > 0) {
      this.slowDowns--;
      return true;
    }
    const now = this.#options.now();
    const last = this.#polls.get(deviceCode);
    this.#polls.set(deviceCode, now);
    const least = this.#options.deviceInterval * 1000 - 50;
    return this.#options.enforceInterval && last !== undefined && now - last < least;
  }
}

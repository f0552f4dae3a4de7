/** What goes wrong with a refresh, on purpose. */
export type Fault = "429" | "503" | "500" | "reset" | "stall" | "lost answer";

/** Faults after which the very call goes on by itself. */
export const SURVIVED: readonly Fault[] = ["429", "503"];

/** A call of a worker that failed. */
export interface Failure {
  readonly login: string;
  readonly code: string;
  readonly message: string;
  /** Unix milliseconds at which the call began. */
  readonly began: number;
}

interface Grant {
  readonly login: string;
  /** Unix milliseconds at which its access token ends. */
  readonly ends: number;
  /** What it was given for; `undefined` after a login. */
  readonly before: Grant | undefined;
  /** Who used it up; `undefined` while it is good. */
  usedBy?: string;
  lost?: boolean;
}

/** A login that a person has to renew, and why. */
interface Ended {
  readonly why: "lost answer" | "killed";
  /** Unix milliseconds at which the person had logged in again. */
  renewed: number;
}

/** The margin by which a short token is renewed before its end, as a part of its lifetime: see `isUsable()`. */
const MARGIN = 1 / 10;

/**
 * Everything that the servers were asked for and gave, the faults and the kills: so that each failed call and each
 * refresh is either accounted for or a broken promise.
 */
export class Ledger {
  refreshes = 0;
  /** Refreshes of tokens that were still good, and those that were asked for with a token that was used up. */
  needless = 0;
  readonly faults: Partial<Record<Fault, number>> = {};
  /** Failed calls that had to fail, by cause. */
  readonly excused: Record<string, number> = {};
  readonly broken: string[] = [];
  readonly #lifetimeMs: number;
  /** By refresh token. */
  readonly #grants = new Map<string, Grant>();
  /** The newest of each login. */
  readonly #newest = new Map<string, Grant>();
  /** Faults that each login has still one failed call for. */
  readonly #open = new Map<string, number>();
  readonly #ended = new Map<string, Ended>();
  readonly #killed = new Set<string>();

  constructor(lifetimeMs: number) {
    this.#lifetimeMs = lifetimeMs;
  }

  /** Which login a refresh token belongs to. */
  loginOf(refreshToken: string): string | undefined {
    return this.#grants.get(refreshToken)?.login;
  }

  /** @param used the refresh token that it was given for */
  granted(login: string, refreshToken: string, ends: number, used: string | undefined): void {
    const grant = { login, ends, before: this.#grants.get(used ?? "") };
    this.#grants.set(refreshToken, grant);
    this.#newest.set(login, grant);
  }

  faulted(login: string, fault: Fault): void {
    this.faults[fault] = (this.faults[fault] ?? 0) + 1;
    if (!SURVIVED.includes(fault)) this.#open.set(login, (this.#open.get(login) ?? 0) + 1);
  }

  killed(worker: string): void {
    this.#killed.add(worker);
  }

  /**
   * A refresh reaches the server. @param lost its answer will be dropped
   */
  asked(refreshToken: string, worker: string, now: number, lost: boolean): void {
    const grant = this.#grants.get(refreshToken);
    if (!grant) {
      this.broken.push(`${worker} sent a refresh token that was never given`);
      return;
    }
    if (grant.usedBy !== undefined) {
      this.#askedAgain(grant, worker);
      return;
    }
    this.refreshes++;
    if (grant.ends - now > this.#lifetimeMs * MARGIN) this.needless++;
    grant.usedBy = worker;
    grant.lost = lost;
  }

  /** A used-up token: only where its successor can have been lost, and the server has to say that it is. */
  #askedAgain(grant: Grant, worker: string): void {
    // A killed worker's request may also arrive after that of whoever took over.
    const why = this.#lossOf(grant) ?? (this.#killed.has(worker) ? "killed" : undefined);
    if (why === undefined) {
      this.broken.push(`${worker} used a refresh token of ${grant.login} again, after ${grant.usedBy}`);
    } else if (this.isEnded(grant.login)) {
      this.needless++;
    } else {
      this.#end(grant.login, why);
    }
  }

  /** Why what was given for a grant may have reached nobody. */
  #lossOf(grant: Grant | undefined): Ended["why"] | undefined {
    if (grant?.lost) return "lost answer";
    return this.#killed.has(grant?.usedBy ?? "") ? "killed" : undefined;
  }

  #end(login: string, why: Ended["why"]): void {
    this.#ended.set(login, { why, renewed: Number.POSITIVE_INFINITY });
  }

  /** Whether a person has to log in again. */
  isEnded(login: string): boolean {
    return this.#ended.get(login)?.renewed === Number.POSITIVE_INFINITY;
  }

  renewed(login: string, now: number): void {
    const ended = this.#ended.get(login);
    if (ended) ended.renewed = now;
  }

  /** Accounts for a failed call, or notes a broken promise. */
  failed({ login, code, message, began }: Failure): void {
    const newest = this.#newest.get(login);
    const loss = newest?.usedBy === undefined ? this.#lossOf(newest?.before) : undefined;
    // The client may know of the loss without asking the server again.
    if (code === "interaction_required" && loss && !this.isEnded(login)) this.#end(login, loss);
    const ended = this.#ended.get(login);
    const open = this.#open.get(login) ?? 0;
    const trouble = code === "network_error" || code === "request_failed";
    let cause: string | undefined;
    if (trouble && open > 0) {
      this.#open.set(login, open - 1);
      cause = "the fault met this very call";
    } else if (ended && began <= ended.renewed) {
      cause = ended.why === "killed" ? "killed in the middle of a refresh" : "the answer was lost";
    }
    if (cause === undefined) this.broken.push(`a call for ${login} failed: ${code}: ${message}`);
    else this.excused[cause] = (this.excused[cause] ?? 0) + 1;
  }

  /** Refreshes, as a multiple of the least that would have done. */
  get ratio(): number {
    return (this.refreshes + this.needless) / Math.max(1, this.refreshes);
  }
}

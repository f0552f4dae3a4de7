import type { AuthErrorCode } from "../../src/errors.js";
import type { Cell } from "./cells.js";
import type { Nature } from "./faults.js";
import type { RequestName } from "./sites.js";

/** How often a fault is met: by the first request only, or by each. */
export type Times = "once" | "always";

/** What must come of it. */
export interface Expected {
  /** Absent: the call succeeds. */
  readonly code?: AuthErrorCode;
  readonly status?: number;
  /** How often a request is sent again, polls aside. */
  readonly retries: number;
  /** `new`: another login or none before; `lost`: the same, with a note; `gone`: nothing. */
  readonly store: "same" | "new" | "lost" | "gone";
  readonly unprocessed?: true;
  readonly answerLost?: true;
}

/** What servers and what stands in front of them say when they may answer in a moment. */
const BUSY = [429, 502, 503, 504];
/** A server that wants a longer pause (seconds) is not asked again. */
const MAX_RETRY_AFTER = 20;
const RETRIES = 2;
/** For how long (seconds) a device code is valid. */
const CODE_SECONDS = 600;
/** OAuth's own words for what went wrong, which are ours, too. */
const PROTOCOL_CODES: readonly string[] = ["invalid_request", "server_error", "temporarily_unavailable"];

/** What is used up at the server by being asked for. */
const SPENDING: readonly RequestName[] = ["poll", "exchange", "refresh"];
/** What a success leaves in the store. */
const STORES: readonly RequestName[] = ["login", "auth-ports", "key set", "poll", "exchange", "refresh"];

/**
 * The rules of what must happen where something goes wrong on the wire.
 *
 * @param processed whether the server did what it was asked, whatever became of its answer
 */
export function expected(cell: Cell, processed: boolean): Expected {
  const { request, by, fault, times } = cell;
  const { nature } = fault;
  const once = times === "once";
  const success = (retries = 0): Expected => ({ retries, store: STORES.includes(by) ? "new" : "same" });
  if (nature.kind === "readable") return success();
  if (nature.kind === "wanting") return { code: nature.code, retries: 0, store: "same" };
  if (request === "poll") return poll(cell, processed);
  const sentAgain = mayPass(cell);
  const retries = sentAgain ? (once ? 1 : RETRIES) : 0;
  if (once && sentAgain) return success(retries);
  if (request === "auth-ports") return success(retries);
  if (request === "login" && opensLoginRoute(nature)) return success(retries);
  // The other of the two standards has its document at another address.
  const second = request === "discovery" && hasNoDocument(nature);
  if (second && once) return success();
  // A token that is refused is renewed once.
  if (request === "userinfo" && isRefusedToken(cell)) {
    return once
      ? { retries, store: "new" }
      : { ...failure(cell), code: "invalid_token", store: "new", retries };
  }
  if (request === "userinfo" && cell.site !== "issuer" && fault.name.includes("an empty object"))
    return success();
  const failed = failure(cell);
  return { ...failed, retries: second ? 2 * retries : retries };
}

/** Polls go on where the trouble may pass, until the code has run out. */
function poll({ fault: { nature }, times }: Cell, processed: boolean): Expected {
  const { status = 0, retryAfter = 0 } = nature.kind === "status" ? nature : {};
  const onTheWay = ["unreached", "untrusted", "dropped", "slow"].includes(nature.kind);
  if (!onTheWay && status !== 408 && status !== 429 && status < 500) {
    return { ...told(nature), retries: 0, store: "same", ...(isLost(nature) && { answerLost: true }) };
  }
  // No poll can come in time where the server wants a longer pause than the code is valid: whoever waits is told at once,
  // rather than ten minutes later that a code ran out which they may have entered.
  if (retryAfter > CODE_SECONDS) return { code: "request_failed", status, retries: 0, store: "same" };
  // Told with what the last poll met, so that nobody looks for the fault in how they entered the code.
  if (times === "always") return { code: "expired_token", retries: 0, store: "same" };
  // The code was redeemed by the poll whose answer was lost.
  if (processed) return { code: "invalid_grant", retries: 0, store: "same" };
  return { retries: 0, store: "new" };
}

/** Whether the request is sent again at all. */
function mayPass({ site, request, fault: { nature } }: Cell): boolean {
  const spends = SPENDING.includes(request);
  if (nature.kind === "unreached") return true;
  if (nature.kind === "dropped") return !spends;
  if (nature.kind !== "status" || (nature.retryAfter ?? 0) > MAX_RETRY_AFTER) return false;
  // Some servers with the routes say it for "no device flow here".
  if (site !== "issuer" && request === "device" && nature.status === 503) return false;
  if (!spends) return BUSY.includes(nature.status);
  return nature.status === 429 || (nature.status === 503 && nature.retryAfter !== undefined);
}

/** Where the login route says nothing that a program understands, the person's browser is sent there. */
function opensLoginRoute(nature: Nature): boolean {
  if (nature.kind === "unreadable") return true;
  return nature.kind === "status" && (nature.status < 400 || [401, 403].includes(nature.status));
}

function hasNoDocument(nature: Nature): boolean {
  if (nature.kind === "unreadable" || nature.kind === "endless") return true;
  return nature.kind === "status" && nature.status < 500 && !PROTOCOL_CODES.includes(nature.error ?? "");
}

function isRefusedToken({ site, fault: { nature } }: Cell): boolean {
  if (nature.kind !== "status") return false;
  return nature.status === 401 || (nature.status === 403 && site !== "issuer");
}

/** What is told where nothing helps. */
function failure({ site, request, fault: { nature } }: Cell): Expected {
  const spends = SPENDING.includes(request);
  const status = nature.kind === "status" ? nature.status : undefined;
  if (request === "device" && status !== undefined) {
    const none = site === "issuer" ? [404, 405, 501] : [404, 405, 501, 503];
    if (none.includes(status)) return { code: "device_flow_unsupported", retries: 0, store: "same" };
  }
  // In broker mode this is how a login that has ended is told.
  if (request === "refresh" && site !== "issuer" && status === 401) {
    return { code: "interaction_required", retries: 0, store: "gone" };
  }
  const lost = spends && isLost(nature);
  const unprocessed = spends && isUnprocessed(nature);
  return {
    ...told(nature),
    retries: 0,
    store: lost && request === "refresh" ? "lost" : "same",
    ...(lost && { answerLost: true }),
    ...(unprocessed && { unprocessed: true }),
  };
}

function told(nature: Nature): Pick<Expected, "code" | "status"> {
  if (nature.kind === "unreadable" || nature.kind === "endless") return { code: "invalid_response" };
  if (nature.kind !== "status") return { code: "network_error" };
  const { status, error } = nature;
  const code = PROTOCOL_CODES.includes(error ?? "") ? (error as AuthErrorCode) : "request_failed";
  return { code, status };
}

/** Whether a refresh token or code may be spent with nothing to show for it. */
function isLost(nature: Nature): boolean {
  if (nature.kind === "status") {
    const said = nature.error !== undefined || isUnprocessed(nature);
    return nature.status >= 500 && !said;
  }
  return ["dropped", "slow", "unreadable", "endless"].includes(nature.kind);
}

function isUnprocessed(nature: Nature): boolean {
  if (nature.kind === "unreached") return true;
  if (nature.kind !== "status") return false;
  return nature.status === 429 || (nature.status === 503 && nature.retryAfter !== undefined);
}

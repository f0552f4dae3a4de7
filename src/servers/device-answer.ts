import { publish } from "../debug/channel.js";
import { MASK, maskedUrl } from "../debug/masked.js";
import { AuthError } from "../errors.js";
import { inspectedAs } from "../inspection.js";
import { isRecord } from "../jwt.js";
import { httpUrl } from "../settings/address.js";
import { cleanText } from "../text.js";
import { positive } from "../token.js";
import type { DeviceCode } from "./auth-server.js";
import { parseServerError } from "./error-answer.js";
import { type HttpAnswer, type HttpRequest, name } from "./http-message.js";

/** Where the server does not say (RFC 8628 §3.2). */
const DEFAULT_INTERVAL_SECONDS = 5;
const DEFAULT_DEVICE_SECONDS = 600;
const MAX_DEVICE_SECONDS = 24 * 3600;
/**
 * A server that asks for a longer one (seconds) is mistaken, unless its codes live for several of them: the code would
 * run out between two polls.
 */
const MAX_INTERVAL_SECONDS = 60;
const LEAST_POLLS = 4;
/** What nobody could read or type is none. */
const MAX_USER_CODE_LENGTH = 64;

/** All the ways in which servers say that they have no device flow. */
export function meansNoDeviceFlow(answer: HttpAnswer): boolean {
  if ([404, 405, 501, 503].includes(answer.status)) return true;
  const { error, description } = parseServerError(answer.json, answer.text);
  if (error === "unsupported_grant_type" || error === "unauthorized_client") return true;
  // The device endpoint has little else to forbid.
  if (
    error !== undefined &&
    /not (allowed|enabled|permitted|supported)|disabled/i.test(`${error} ${description}`)
  )
    return true;
  return answer.status === 502 && /device_authorization_endpoint.*not found/i.test(description ?? "");
}

/** The same of an endpoint that a provider names: one that is busy is there all the same. */
export function refusesDeviceFlow(answer: HttpAnswer): boolean {
  return answer.status !== 503 && meansNoDeviceFlow(answer);
}

/** Reads a device authorization answer (RFC 8628 §3.2). @throws AuthError `invalid_response` */
export function parseDeviceCode(request: HttpRequest, answer: Pick<HttpAnswer, "json">): DeviceCode {
  const body = isRecord(answer.json) ? answer.json : {};
  const broken = (field: string) =>
    new AuthError("invalid_response", `The ${name(request)} answered without a usable ${field}.`);
  const text = (field: string) => {
    const value = body[field];
    return typeof value === "string" ? value : "";
  };
  const deviceCode = text("device_code");
  const given = text("user_code");
  const userCode = given.length <= MAX_USER_CODE_LENGTH ? cleanText(given) : "";
  const uri = (field: string) => httpUrl(text(field))?.href;
  // Google still writes the name of an early draft.
  const verificationUri = uri("verification_uri") ?? uri("verification_url");
  const complete = uri("verification_uri_complete");
  if (!deviceCode) throw broken("device_code");
  if (!userCode) throw broken("user_code");
  if (!verificationUri) throw broken("verification_uri");
  const expiresIn = Math.min(positive(body["expires_in"]) ?? DEFAULT_DEVICE_SECONDS, MAX_DEVICE_SECONDS);
  const interval = Math.min(
    positive(body["interval"]) ?? DEFAULT_INTERVAL_SECONDS,
    Math.max(MAX_INTERVAL_SECONDS, expiresIn / LEAST_POLLS),
  );
  const code: DeviceCode = {
    uri: complete ?? verificationUri,
    verificationUri,
    ...(complete && { verificationUriComplete: complete }),
    userCode,
    deviceCode,
    expiresIn,
    interval,
  };
  publish(() => ({
    type: "login",
    step: "device_code",
    verificationUri: maskedUrl(verificationUri),
    expiresIn,
    interval,
  }));
  return inspectedAs(code, { ...code, deviceCode: MASK });
}

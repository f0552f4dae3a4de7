import { cleanText, withoutTokens } from "../text.js";

/** What stands for a value that is not known to be open. */
export const MASK = "…";

/**
 * Fields of forms and parameters of addresses that are no secret, and help to understand what happened. Everything else
 * is masked, so that a new field is masked, too.
 */
const OPEN_FIELDS = new Set([
  ...["acr_values", "actor_token_type", "audience", "client_assertion_type", "client_id"],
  ...["code_challenge_method", "dpop", "grant", "grant_type", "iss", "max_age", "offline_access", "prompt"],
  ...["redirect_uri", "requested_token_type", "resource", "response_mode", "response_type", "scope"],
  ...["subject_token_type", "token_type_hint"],
]);

/** Whether a field's value may be shown. */
export function isOpenField(name: string): boolean {
  return OPEN_FIELDS.has(name);
}

const MAX_VALUE_LENGTH = 200;

/** All names; of the values those that are known to be open. */
export function masked(fields: Iterable<readonly [string, string]>): Record<string, string> {
  const shown: Record<string, string> = Object.create(null);
  for (const [name, value] of fields) shown[cleanText(name, 60)] = maskedValue(name, value);
  return shown;
}

function maskedValue(name: string, value: string): string {
  if (name === "error" && isErrorCode(value)) return value;
  return isOpenField(name) ? maskedAddress(cleanText(value, MAX_VALUE_LENGTH)) : MASK;
}

/** The error codes of the standards are words; a token has digits and capitals. */
export function isErrorCode(text: string): boolean {
  return /^[a-z]+(_[a-z]+)*$/.test(text) && text.length <= 40;
}

/** A redirect URI or a resource may be an address with a secret of its own in it. */
function maskedAddress(text: string): string {
  return /^https?:\/\/[^\s]*[?#@]/i.test(text) && URL.canParse(text) ? maskedUrl(text) : text;
}

/** An address without credentials and fragment; of its parameters the names, and the values that are known to be open. */
export function maskedUrl(address: string | URL): string {
  if (!URL.canParse(String(address))) return cleanText(withoutTokens(String(address)), MAX_VALUE_LENGTH);
  const { protocol, host, pathname, searchParams } = new URL(address);
  const parameters = [...searchParams].map(
    ([name, value]) => `${cleanText(name, 60)}=${maskedValue(name, value)}`,
  );
  const query = parameters.length === 0 ? "" : `?${parameters.join("&")}`;
  return cleanText(`${protocol}//${host}${pathname}${query}`, 2000);
}

/** What is read of JSON from elsewhere, and of a JWT without checking who signed it. */

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Nested deeper than this is nothing that an auth server says. */
const MAX_DEPTH = 50;

/** Whether a value is nested so deeply that whoever walks through it, or writes it down, may run out of stack. */
export function isDeep(value: unknown): boolean {
  let level = [value];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > MAX_DEPTH) return true;
    level = level.flatMap((one) => (typeof one === "object" && one !== null ? Object.values(one) : []));
  }
  return false;
}

/** The claims of a JWT (RFC 7519), without any check of who signed it; `undefined` where it has none. */
export function unverifiedClaims(jwt: string): Record<string, unknown> | undefined {
  const parts = jwt.split(".");
  if (parts.length !== 3) return undefined;
  try {
    const claims: unknown = JSON.parse(Buffer.from(parts[1] ?? "", "base64url").toString("utf8"));
    return isRecord(claims) && !isDeep(claims) ? claims : undefined;
  } catch {
    return undefined;
  }
}

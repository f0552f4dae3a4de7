import { isRecord } from "../jwt.js";

/** What a server's error answer says, in whatever shape it came. */
export interface ServerError {
  /** The OAuth error code as the server wrote it (RFC 6749 §5.2). */
  readonly error?: string;
  readonly description?: string;
}

const UPSTREAM = "Upstream OIDC error:";

/**
 * Reads an error answer: OAuth's `{ error, error_description }`, the same wrapped in `detail` by the py-oidc-auth
 * routes (as an object, or inside a text), a list of validation failures, or plain text.
 */
export function parseServerError(json: unknown, text: string): ServerError {
  if (isRecord(json)) {
    if (typeof json["error"] === "string") {
      const description = json["error_description"] ?? json["message"];
      return { error: json["error"], ...(typeof description === "string" && { description }) };
    }
    const detail = json["detail"] ?? json["message"];
    if (isRecord(detail)) return parseServerError(detail, "");
    if (Array.isArray(detail)) return { description: detail.map(validationFailure).join("; ") };
    if (typeof detail === "string") return parseDetail(detail);
    return {};
  }
  // A page is for browsers, and half an answer is for nobody: it may be the half with a token in it.
  return text === "" || /^\s*[<{[]/.test(text) ? {} : { description: text };
}

function parseDetail(detail: string): ServerError {
  const start = detail.indexOf(UPSTREAM);
  if (start < 0) return { description: detail };
  const upstream = detail.slice(start + UPSTREAM.length).trim();
  try {
    const inner: unknown = JSON.parse(upstream);
    if (isRecord(inner)) return parseServerError(inner, "");
  } catch {
    // Not JSON: some proxy's page, told as far as it is text.
  }
  if (upstream.startsWith("<")) return { description: "the provider answered with a page" };
  return { description: /^[{[]/.test(upstream) ? "the provider's answer cannot be read" : detail };
}

/** One entry of FastAPI's list of validation failures. */
function validationFailure(entry: unknown): string {
  if (!isRecord(entry)) return typeof entry === "string" ? entry : "not valid";
  const { loc, msg } = entry;
  const names = (Array.isArray(loc) ? loc : []).filter((one) => ["string", "number"].includes(typeof one));
  return `${names.length > 0 ? `${names.join(".")}: ` : ""}${typeof msg === "string" ? msg : "not valid"}`;
}

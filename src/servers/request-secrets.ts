import { isOpenField } from "../debug/masked.js";
import type { HttpRequest } from "./http-message.js";

/** What a request bore that must not come back out in an error. */
export function secretsOf({ form = {}, headers, body }: HttpRequest): string[] {
  const authorization = headerOf(headers, "authorization");
  const secrets = Object.entries(form).flatMap(([name, value]) => (isOpenField(name) ? [] : [value]));
  const [, credentials = ""] = authorization.split(" ");
  secrets.push(credentials, headerOf(headers, "dpop"));
  if (/^basic /i.test(authorization)) {
    const [, password = ""] = /:(.*)$/s.exec(Buffer.from(credentials, "base64").toString()) ?? [];
    secrets.push(password, decodeFormValue(password));
  }
  if (body !== undefined) secrets.push(body);
  return secrets;
}

/** A header as it was given: the platform's own class refuses what cannot be sent, and quotes it. */
export function headerOf(headers: HttpRequest["headers"], name: string): string {
  const all = headers instanceof Headers ? [...headers] : Object.entries(headers ?? {});
  return all.find(([one]) => one.toLowerCase() === name)?.[1] ?? "";
}

/** A client's secret is form-encoded before it goes into the header (RFC 6749 §2.3.1). */
function decodeFormValue(value: string): string {
  return new URLSearchParams(`v=${value}`).get("v") ?? "";
}

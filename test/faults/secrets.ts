import { inspect } from "node:util";
import { isRecord } from "../../src/jwt.js";
import type { WireRequest } from "../support/fault-proxy.js";

/** Parameters and members that nobody but client and server may see. */
const SECRET = new Set([
  ...["access_token", "refresh_token", "id_token", "device_code", "client_secret"],
  ...["code", "code_verifier", "device-code", "refresh-token", "subject_token", "state"],
]);

/** All secrets that went over the wire, in either direction. */
export function secretsOf(requests: readonly WireRequest[]): string[] {
  const found = requests.flatMap(({ body, headers, path, answer }) => [
    ...marked(new URLSearchParams(body)),
    ...marked(new URLSearchParams(path.split("?")[1])),
    (headers.authorization ?? "").split(" ")[1] ?? "",
    ...(answer ? [...inJson(String(answer.body)), ...inLocation(answer.headers["location"])] : []),
  ]);
  return [...new Set(found)].filter((secret) => secret.length >= 16 && !secret.includes("://"));
}

function marked(parameters: URLSearchParams): string[] {
  return [...parameters].flatMap(([name, value]) => (SECRET.has(name) ? [value, ...value.split("|")] : []));
}

function inLocation(location: string | undefined): string[] {
  return location && URL.canParse(location) ? marked(new URL(location).searchParams) : [];
}

function inJson(text: string): string[] {
  try {
    const body: unknown = JSON.parse(text);
    if (!isRecord(body)) return [];
    return Object.entries(body).flatMap(([name, value]) =>
      SECRET.has(name) && typeof value === "string" ? [value] : [],
    );
  } catch {
    return [];
  }
}

/** All that an error says to whoever prints, logs or hands it on. */
export function saidBy(error: unknown): string {
  const said = [inspect(error, { depth: 10, showHidden: true }), JSON.stringify(error), String(error)];
  for (let one = error; one instanceof Error; one = one.cause) {
    said.push(one.message, one.stack ?? "");
  }
  return said.join("\n");
}

/** The secrets that stand in a text: as they are, encoded, or a good part of them. */
export function secretsIn(text: string, secrets: readonly string[]): string[] {
  const forms = (secret: string) => [
    secret.slice(0, 16),
    secret.slice(-16),
    encodeURIComponent(secret),
    Buffer.from(secret).toString("base64").replace(/=+$/, ""),
  ];
  return secrets.filter((secret) => forms(secret).some((form) => text.includes(form)));
}

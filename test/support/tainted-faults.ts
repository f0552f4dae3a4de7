import type { Fault, Reply, Seen } from "./tainted-server.js";

/** All that was sent, as a careless server repeats it: in the clear, and in what it came in. */
function echo({ method, url, headers, body, form }: Seen): string {
  const [, credentials = ""] = String(headers.authorization ?? "").split(" ");
  const opened = Buffer.from(credentials, "base64").toString();
  const values = [...form.values(), credentials, String(headers["dpop"] ?? ""), opened, form_decoded(opened)];
  return `${method} ${url.href} ${values.join(" ")} ${body}`;
}

function form_decoded(text: string): string {
  return new URLSearchParams(`v=${text}`).get("v") ?? "";
}

const JSON_TYPE = { "content-type": "application/json" };
const HTML = { "content-type": "text/html" };

/** The writings that a server may repeat a secret in. */
const WRITINGS: Readonly<Record<string, (seen: Seen) => string>> = {
  "in the clear": echo,
  "in percent signs": (seen) => encodeURIComponent(echo(seen)),
  "in percent signs, twice": (seen) => encodeURIComponent(encodeURIComponent(echo(seen))),
  "in JSON's escapes": (seen) => JSON.stringify(echo(seen)).replaceAll("/", "\\/"),
  "in HTML's": (seen) => echo(seen).replace(/[^a-z0-9 ]/gi, (one) => `&#${one.charCodeAt(0)};`),
  "in base64": (seen) => Buffer.from(echo(seen)).toString("base64"),
  "in hex": (seen) => Buffer.from(echo(seen)).toString("hex"),
};

const refusing =
  (status: number, write: (seen: Seen) => Partial<Reply>): Fault =>
  async (seen) => ({ status, ...write(seen) });

const oauth = (status: number, error: string, writing: (seen: Seen) => string): Fault =>
  refusing(status, (seen) => ({
    headers: JSON_TYPE,
    body: JSON.stringify({ error, error_description: `You sent ${writing(seen)}` }),
  }));

/** A proper answer, made into something else. */
const spoilt =
  (spoil: (reply: Reply) => Reply): Fault =>
  async (_seen, _raw, proper) =>
    spoil(await proper());

const half = ({ body = "" }: Reply) => body.slice(0, Math.max(40, Math.floor(body.length / 2)));

/** Everything that can go wrong with one request, with as much of what is secret in it as there can be. */
export const FAULTS: Readonly<Record<string, Fault>> = {
  "a dropped connection": async (_seen, { request }) => void request.socket.destroy(),
  "a lost answer": async (_seen, { request }, proper) => {
    await proper();
    request.socket.destroy();
    return undefined;
  },
  "an answer that is no HTTP": async (_seen, { request }, proper) => {
    const { body = "" } = await proper();
    request.socket.end(`HTTP/1.1 200 OK\r\n${body}\r\n\r\n`);
    return undefined;
  },
  ...Object.fromEntries(
    Object.entries(WRITINGS).map(([name, writing]) => [
      `400 that repeats all, ${name}`,
      oauth(400, "invalid_request", writing),
    ]),
  ),
  "401 that repeats all": oauth(401, "invalid_client", echo),
  "403 that repeats all as its error code": refusing(403, (seen) => ({
    headers: JSON_TYPE,
    body: JSON.stringify({ error: echo(seen) }),
  })),
  "500 with all in detail": refusing(500, (seen) => ({
    headers: JSON_TYPE,
    body: JSON.stringify({ detail: echo(seen) }),
  })),
  "400 with all in an upstream error": refusing(400, (seen) => {
    const inner = JSON.stringify({ error: "invalid_scope", error_description: echo(seen) });
    return { headers: JSON_TYPE, body: JSON.stringify({ detail: `Upstream OIDC error: ${inner}` }) };
  }),
  "422 with all in its list": refusing(422, (seen) => ({
    headers: JSON_TYPE,
    body: JSON.stringify({ detail: [{ loc: ["body", "code"], msg: echo(seen), input: echo(seen) }] }),
  })),
  "500 with a page of all": refusing(500, (seen) => ({ headers: HTML, body: `<p>${echo(seen)}</p>` })),
  "500 with a text of all": refusing(500, (seen) => ({
    headers: { "content-type": "text/plain" },
    body: echo(seen),
  })),
  "401 that repeats all in its challenge": refusing(401, (seen) => ({
    headers: {
      "www-authenticate": `Bearer error="invalid_token", error_description="${quotable(echo(seen))}", scope="${quotable(echo(seen))}"`,
    },
  })),
  "403 with a scope of all": refusing(403, (seen) => ({
    headers: { "www-authenticate": `Bearer error="insufficient_scope", scope="${quotable(echo(seen))}"` },
  })),
  "a redirect with all in it": refusing(307, (seen) => ({
    headers: { location: `https://elsewhere.example.org/?all=${encodeURIComponent(echo(seen))}` },
  })),
  "a proper answer, cut off": spoilt((reply) => ({ ...reply, body: half(reply) })),
  "a proper answer, cut off, as a failure": spoilt((reply) => ({ ...reply, status: 500, body: half(reply) })),
  "a proper answer, cut off, as text of a failure": spoilt((reply) => ({
    status: 502,
    headers: { "content-type": "text/plain" },
    body: `upstream said: ${half(reply)}`,
  })),
  "a proper answer that is no JSON": spoilt((reply) => ({
    ...reply,
    body: (reply.body ?? "").replaceAll('"', "'"),
  })),
  "a proper answer inside of an error": spoilt((reply) => ({
    status: 400,
    headers: JSON_TYPE,
    body: JSON.stringify({ error: "invalid_grant", error_description: `Was ${reply.body ?? ""}` }),
  })),
  "an id token of another signature": idTokens((token) => `${token.slice(0, -8)}AAAAAAAA`),
  "an id token of another issuer": idTokens((token) =>
    withClaims(token, { iss: "https://other.example.org" }),
  ),
  "an id token of another nonce": idTokens((token) => withClaims(token, { nonce: "another" })),
};

function quotable(text: string): string {
  return text.replace(/["\\\r\n]/g, "").replace(/[^\x20-\x7e]/g, "");
}

/** The same answer with another id token, where it has one. */
function idTokens(change: (token: string) => string): Fault {
  return spoilt((reply) => {
    const content: unknown = reply.body?.startsWith("{") ? JSON.parse(reply.body) : undefined;
    const answer = (content ?? {}) as Record<string, unknown>;
    if (typeof answer["id_token"] !== "string") return reply;
    return { ...reply, body: JSON.stringify({ ...answer, id_token: change(answer["id_token"]) }) };
  });
}

function withClaims(token: string, more: object): string {
  const [header, claims = "", signature] = token.split(".");
  const changed = { ...JSON.parse(Buffer.from(claims, "base64url").toString()), ...more };
  return [header, Buffer.from(JSON.stringify(changed)).toString("base64url"), signature].join(".");
}

/** Never answered. */
export const STALL: Fault = async () => undefined;

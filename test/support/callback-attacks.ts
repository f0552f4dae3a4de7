import fc from "fast-check";

/** What a stranger may send to the listener of a login, as it goes over the wire. */
export interface Attack {
  /** More than one: pipelined. */
  readonly requests: readonly string[];
  /** Where the bytes are cut into pieces, as parts of the whole. */
  readonly cuts: readonly number[];
  /** What is done after the last byte. */
  readonly end: "wait" | "half-close" | "reset" | "leave";
}

export interface Attacked {
  readonly port: number;
  /** Path of the redirect URI. */
  readonly path: string;
  /** The login's own `state`: more than a stranger knows. It is never sent alone, in a request that a browser would send. */
  readonly state: string;
}

/** Kinds that each storm must have had, by what is sent. A request may be of several. */
const KINDS: Readonly<Record<string, (request: string) => boolean>> = {
  "a code and an error": (one) => /[?&]code=/.test(one) && /[?&]error=/.test(one),
  "the state twice": (one) => /[?&]state=[^ ]*&state=/.test(one),
  "a host of another name": (one) => /^Host: \S*evil\.example/m.test(one),
  "large headers": (one) => one.length > 4000,
  "another method": (one) => /^(HEAD|POST|PUT|OPTIONS|CONNECT) /.test(one),
};

export const ATTACK_KINDS = [...Object.keys(KINDS), "pipelined"];

/** Of which kinds an attack is. */
export function kindsOf({ requests }: Attack): string[] {
  const kinds = Object.keys(KINDS).filter((kind) => requests.some((one) => KINDS[kind]?.(one)));
  return requests.length > 1 ? [...kinds, "pipelined"] : kinds;
}

/** Requests of all kinds, of which not one is the answer to the login. */
export function attacks(attacked: Attacked): fc.Arbitrary<Attack> {
  const one = fc.oneof(
    { weight: 12, arbitrary: guesses(attacked) },
    { weight: 4, arbitrary: misuses(attacked) },
    {
      weight: 1,
      // Silent connections are among the slow ones.
      arbitrary: fc
        .uint8Array({ minLength: 1, maxLength: 200 })
        .map((bytes) => Buffer.from(bytes).toString("latin1")),
    },
  );
  const cut = fc.double({ min: 0, max: 1, noNaN: true });
  return fc.record({
    requests: fc.oneof(
      { weight: 9, arbitrary: one.map((text) => [text]) },
      { weight: 1, arbitrary: fc.array(one, { minLength: 2, maxLength: 4 }) },
    ),
    cuts: fc.oneof(
      { weight: 5, arbitrary: fc.constant([]) },
      { weight: 1, arbitrary: fc.array(cut, { minLength: 1, maxLength: 3 }) },
    ),
    end: fc.constantFrom("wait", "wait", "wait", "wait", "wait", "wait", "half-close", "reset", "leave"),
  });
}

/** Names by which a browser knows us. */
const ours = (port: number) =>
  fc.constantFrom(`localhost:${port}`, `127.0.0.1:${port}`, `[::1]:${port}`, `LocalHost:${port}`);

/** Names that only point to us (DNS rebinding), and what looks like ours. */
const theirs = (port: number) =>
  fc.constantFrom(
    ...[
      `evil.example:${port}`,
      "evil.example",
      `localhost.evil.example:${port}`,
      `127.0.0.1.evil.example:${port}`,
    ],
    ...[
      `localhost:${port}@evil.example`,
      `localhost:${port} evil.example`,
      `localhost:${port + 1}`,
      "localhost",
    ],
    ...[`127.0.0.2:${port}`, `0.0.0.0:${port}`, `2130706433:${port}`, `[::ffff:127.0.0.1]:${port}`, ""],
  );

/** Requests that do not know the state, or do not say it once. */
function guesses({ port, path, state }: Attacked): fc.Arbitrary<string> {
  const method = fc.oneof(
    { weight: 12, arbitrary: fc.constant("GET") },
    { weight: 2, arbitrary: fc.constantFrom("HEAD", "POST", "PUT", "OPTIONS", "CONNECT", "PRI", "M-SEARCH") },
    { weight: 1, arbitrary: fc.constantFrom("get", "", "G ET", "GET\t", "\u0000") },
  );
  const beside = [
    `/.${path}`,
    `/x/..${path}`,
    `/${path}`,
    `${path}/`,
    path.toUpperCase(),
    `http://localhost${path}`,
  ];
  const target = fc.oneof(
    { weight: 10, arbitrary: fc.constant(path) },
    { weight: 2, arbitrary: fc.constantFrom(...beside, "*", "/%2e%2e/", "/favicon.ico", "/\u00e9", "") },
    { weight: 1, arbitrary: fc.webPath() },
  );
  const host = fc.oneof({ weight: 5, arbitrary: ours(port) }, { weight: 1, arbitrary: theirs(port) });
  const more = fc.oneof(
    { weight: 3, arbitrary: fc.constant([]) },
    { weight: 1, arbitrary: fc.array(headers, { maxLength: 4 }) },
  );
  const size = fc.oneof(
    { weight: 20, arbitrary: fc.constant(0) },
    { weight: 1, arbitrary: fc.constantFrom(100, 4000, 15_000, 17_000, 60_000) },
  );
  return fc
    .record({ method, target, query: queries(state), host, more, size })
    .map((one) =>
      request(one.method, `${one.target}?${one.query}`, [`Host: ${one.host}`, ...one.more], one.size),
    );
}

const headers = fc.oneof(
  fc.constantFrom(
    ...["Content-Length: 5", "Content-Length: -1", "Content-Length: 0", "Transfer-Encoding: chunked"],
    ...[
      "Expect: 100-continue",
      "Expect: wonders",
      "Upgrade: websocket\r\nConnection: Upgrade",
      "Connection: keep-alive",
    ],
    ...[
      "Origin: https://evil.example",
      "Cookie: a=b",
      "X: y\r\n continued",
      "no colon",
      ": no name",
      "Bad\u0001: x",
    ],
  ),
  fc
    .tuple(fc.constantFrom("X-A", "Accept", "Referer"), fc.string({ maxLength: 40 }))
    .map((pair) => pair.join(": ")),
);

/** Queries with everything but the state alone: guesses far and near, twice, together with others. */
function queries(state: string): fc.Arbitrary<string> {
  const swapped = state.replace(/[a-z]/i, (letter) =>
    letter === letter.toLowerCase() ? letter.toUpperCase() : letter.toLowerCase(),
  );
  const near = ["", state.slice(1), state.slice(0, -1), `${state}x`, ` ${state}`, `${state}\u0000`, swapped];
  const guess = fc.oneof(
    fc.base64String({ maxLength: 60 }),
    fc.string({ unit: "binary", maxLength: 20 }),
    fc.constantFrom(...near),
    fc.nat({ max: state.length - 1 }).map((at) => `${state.slice(0, at)}!${state.slice(at + 1)}`),
  );
  const states = fc.oneof(
    { weight: 4, arbitrary: guess.map((one) => [one]) },
    { weight: 1, arbitrary: fc.constant<string[]>([]) },
    { weight: 1, arbitrary: fc.tuple(guess, guess) },
    { weight: 1, arbitrary: fc.constant([state, state]) },
    { weight: 1, arbitrary: guess.map((one) => [state, one]) },
    { weight: 1, arbitrary: guess.map((one) => [one, state]) },
  );
  const name = fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom("code", "error", "error_description", "iss", "response") },
    { weight: 1, arbitrary: fc.constantFrom("__proto__", "constructor", "State", "state[]", "state\u0000") },
    { weight: 1, arbitrary: fc.string({ maxLength: 12 }) },
  );
  const value = fc.oneof(fc.string({ maxLength: 30 }), fc.string({ unit: "binary", maxLength: 10 }));
  return fc
    .tuple(fc.array(fc.tuple(name, value), { maxLength: 6 }), states, fc.boolean())
    .map(([more, own, first]) => {
      const mine = own.map((one): [string, string] => ["state", one]);
      return (first ? [...mine, ...more] : [...more, ...mine]).map(
        ([key, text]) => `${encoded(key)}=${encoded(text)}`,
      );
    })
    .map((pairs) => pairs.join("&"))
    .filter((query) => new URLSearchParams(query).getAll("state").join("\n") !== state);
}

/** The true state, in a request that no browser sends when it comes back. */
function misuses({ port, path, state }: Attacked): fc.Arbitrary<string> {
  const way = fc.constantFrom<
    [method: string, target: string, hosts: "our" | "their" | "two" | "no", more: string[]]
  >(
    ["POST", path, "our", []],
    ["HEAD", path, "our", []],
    ["GET", `${path}/`, "our", []],
    ["GET", `http://localhost:${port}${path}`, "our", []],
    ["GET", path, "their", []],
    ["GET", path, "two", []],
    ["GET", path, "no", []],
    ["GET", path, "our", ["Content-Length: 3"]],
    ["GET", path, "our", ["Transfer-Encoding: chunked"]],
    ["GET", path, "our", ["Expect: 100-continue"]],
  );
  return fc.tuple(way, ours(port), theirs(port)).map(([[method, target, hosts, more], our, their]) => {
    const named = { our: [our], their: [their], two: [our, our], no: [] }[hosts];
    const lines = [...named.map((one) => `Host: ${one}`), ...more];
    return request(method, `${target}?code=stolen&state=${encoded(state)}`, lines, 0);
  });
}

function request(method: string, target: string, lines: readonly string[], size: number): string {
  const all = size > 0 ? [...lines, `X-Long: ${"x".repeat(size)}`] : lines;
  return `${method} ${target} HTTP/1.1\r\n${all.map((line) => `${line}\r\n`).join("")}\r\n`;
}

/** As browsers write it, so that what is tried arrives. */
function encoded(text: string): string {
  return encodeURIComponent(Buffer.from(text).toString());
}

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { Server, ServerCredentials, type ServerUnaryCall, type sendUnaryData, status } from "@grpc/grpc-js";
import { buildSchema, graphql } from "graphql";
import { describe, expect, it, onTestFinished } from "vitest";
import { people, type Who, type WhoRequest } from "../../examples/http-clients/people-service.js";
import { TokenStore } from "../../src/store/token-store.js";
import { startAuthServer } from "../../src/testing/index.js";
import { type Answer, startApi } from "../support/api.js";
import { localCertificate } from "../support/certificates.js";
import { outcomeOf, runExample } from "../support/examples.js";
import { logIn } from "../support/login.js";
import { tempFolder } from "../support/temp-folder.js";
import { me } from "../support/tool-world.js";

const HTTP_CLIENTS = ["axios", "got", "ky", "openapi-fetch", "undici"];

/** Somebody has logged in with the default store of a home; APIs refuse the token of that login, or any. */
async function world(refuses: "the first" | "all" = "the first") {
  const server = await startAuthServer();
  onTestFinished(() => server.close());
  const home = tempFolder();
  const token = await logIn(server.host, new TokenStore({ env: { XDG_CACHE_HOME: home } }));
  server.resetCounts();
  const seen: (string | undefined)[] = [];
  /** Whom a header belongs to; nobody where it is refused. */
  const who = async (authorization: string | undefined): Promise<string | undefined> => {
    seen.push(authorization);
    if (refuses === "all" || !authorization || authorization === token.headers.Authorization)
      return undefined;
    return (await me(server, { authorization })).username;
  };
  /** An API that answers as `answer` does to whom it knows, and 401 to others. */
  const api = (answer: (username: string, body: string) => Answer | Promise<Answer>) =>
    startApi(({ headers, body }, { response }) => {
      void who(headers.authorization).then(async (username) => {
        const [code, more, text] = username === undefined ? REFUSED : await answer(username, body);
        response.writeHead(code, more).end(text);
      });
      return undefined;
    });
  const run = (name: string, more: Record<string, string>) =>
    outcomeOf(
      runExample(`http-clients/${name}.ts`, [], { AUTH_HOST: server.host, XDG_CACHE_HOME: home, ...more }),
    );
  return { server, token, seen, who, api, run };
}

const REFUSED: Answer = [401, { "www-authenticate": 'Bearer error="invalid_token"' }, "{}"];
const json = (body: unknown): Answer => [200, { "content-type": "application/json" }, JSON.stringify(body)];

describe.each(HTTP_CLIENTS)("%s", (name) => {
  it("goes on with a renewed token where the API refuses the first", async () => {
    const { server, token, seen, api, run } = await world();
    const { url } = await api((username) => json({ username }));
    expect(await run(name, { API_URL: url })).toEqual({ code: 0, out: `${name}: alice`, err: "" });
    expect(seen).toEqual([token.headers.Authorization, expect.stringMatching(/^Bearer /)]);
    expect(seen[1]).not.toBe(seen[0]);
    expect(server.counts).toMatchObject({ "token:refresh": 1, refreshes: 1 });
  });

  it("asks twice, and no more, where the API goes on refusing", async () => {
    const { server, seen, api, run } = await world("all");
    const { url } = await api((username) => json({ username }));
    const { code, out } = await run(name, { API_URL: url });
    expect([code, out]).toEqual([1, ""]);
    expect(seen).toHaveLength(2);
    expect(server.counts["token:refresh"]).toBe(1);
  });

  it("sends the token nowhere else, also where the API redirects there", async () => {
    const { seen, api, run } = await world();
    const elsewhere = await startApi(() => json({ username: "somebody else" }));
    const { url } = await api(() => [302, { location: `${elsewhere.url}/me` }]);
    const { code } = await run(name, { API_URL: url });
    // undici follows no redirects: for that program the redirect is an answer that it does not expect.
    expect(code).toBe(name === "undici" ? 1 : 0);
    expect(elsewhere.asked).toHaveLength(name === "undici" ? 0 : 1);
    expect(elsewhere.asked.map(({ headers }) => headers.authorization).filter(Boolean)).toEqual([]);
    expect(seen).toHaveLength(2);
  });
});

it("graphql-request: the query is sent again with a renewed token", async () => {
  const { server, seen, api, run } = await world();
  const schema = buildSchema("type Query { me: Person! } type Person { username: String! }");
  const { url } = await api(async (username, body) => {
    const { query } = JSON.parse(body) as { query: string };
    return json(await graphql({ schema, source: query, rootValue: { me: { username } } }));
  });
  expect(await run("graphql-request", { GRAPHQL_URL: `${url}/graphql` })).toEqual({
    code: 0,
    out: "graphql-request: alice",
    err: "",
  });
  expect(seen).toHaveLength(2);
  expect(server.counts["refreshes"]).toBe(1);
});

/** A gRPC server over TLS, and the file of who signed its certificate. */
async function startGrpc(who: (authorization: string) => Promise<string | undefined>) {
  const { ca, cert, key } = await localCertificate();
  const server = new Server();
  const whoAmI = (call: ServerUnaryCall<WhoRequest, Who>, answer: sendUnaryData<Who>): void => {
    void who(String(call.metadata.get("authorization")[0])).then((username) => {
      if (username === undefined) answer({ code: status.UNAUTHENTICATED, details: "The token is not good." });
      else answer(null, { username });
    });
  };
  server.addService(people, { whoAmI });
  const pair = { cert_chain: Buffer.from(cert), private_key: Buffer.from(key) };
  const tls = ServerCredentials.createSsl(null, [pair]);
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync("localhost:0", tls, (error, bound) => (error ? reject(error) : resolve(bound))),
  );
  onTestFinished(() => server.forceShutdown());
  const roots = join(tempFolder(), "roots.pem");
  writeFileSync(roots, ca);
  return { GRPC_ADDRESS: `localhost:${port}`, GRPC_ROOTS: roots };
}

describe("grpc", () => {
  it("calls again with a renewed token where the service refuses the first", async () => {
    const { server, token, seen, who, run } = await world();
    const { code, out, err } = await run("grpc", await startGrpc(who));
    expect({ code, out, err }).toEqual({ code: 0, out: "grpc: alice", err: "" });
    expect(seen).toEqual([token.headers.Authorization, expect.stringMatching(/^Bearer /)]);
    expect(server.counts["refreshes"]).toBe(1);
  });

  it("calls twice, and no more, where the service goes on refusing", async () => {
    const { seen, who, run } = await world("all");
    const { code, err } = await run("grpc", await startGrpc(who));
    expect(code).toBe(1);
    expect(err).toContain("UNAUTHENTICATED");
    expect(seen).toHaveLength(2);
  });
});

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { NATIVE, startIssuer } from "../support/issuer.js";
import { issuerWorld } from "../support/issuer-world.js";
import { runNode } from "../support/processes.js";
import { tempFolder } from "../support/temp-folder.js";

const WORKER = join(import.meta.dirname, "workers/authenticate-issuer.mjs");
const PROCESSES = 8;
const SECRET = "a-secret-of-a-test";
const SERVICE = {
  client_id: "service",
  client_secret: SECRET,
  id_token_signed_response_alg: "ES256" as const,
  redirect_uris: [],
  response_types: [],
  grant_types: ["client_credentials", "urn:ietf:params:oauth:grant-type:token-exchange"],
  scope: "read",
};

/** Sets the clock of all stored logins forward. */
function expire(path: string): void {
  const content = JSON.parse(readFileSync(path, "utf8"));
  for (const entry of Object.values<{ token: { expires: number } }>(content))
    entry.token.expires = 1_700_000_000;
  writeFileSync(path, JSON.stringify(content), { mode: 0o600 });
}

async function runFleet(target: object, path: string, ...more: string[]): Promise<string> {
  const children = Array.from({ length: PROCESSES }, () =>
    runNode(WORKER, [JSON.stringify(target), path, ...more]),
  );
  await Promise.all(children.map((child) => child.line((line) => line === "ready")));
  for (const child of children) child.process.stdin?.write("go\n");
  const outcomes = await Promise.all(
    children.map((child) => child.line((line) => /^(token|failed) /.test(line))),
  );
  await Promise.all(children.map((child) => child.ended()));
  expect(new Set(outcomes).size, outcomes.join("\n")).toBe(1);
  return outcomes[0] ?? "";
}

it(`${PROCESSES} processes refresh a person's login at an issuer once, in one request`, {
  timeout: 120_000,
}, async () => {
  const { issuer, requests } = await startIssuer({ clients: [NATIVE] });
  const target = { issuer, clientId: "cli" };
  const { login, store } = issuerWorld(target);
  await login();
  const path = store.path ?? "";
  const seen = new Set<string>();
  for (let round = 0; round < 5; round++) {
    expire(path);
    requests.length = 0;
    seen.add(await runFleet(target, path, "none"));
    expect(requests).toEqual(["POST /token"]);
  }
  expect([...seen].every((line) => line.startsWith("token Bearer "))).toBe(true);
  expect(seen.size).toBe(5);
});

it(`${PROCESSES} processes without any token ask once, by a client's credentials or a job's token`, {
  timeout: 120_000,
}, async () => {
  const { issuer, count, jobToken } = await startIssuer({ clients: [SERVICE] });
  const target = { issuer, clientId: "service", clientSecret: SECRET };
  const file = join(tempFolder(), "job-token");
  writeFileSync(file, await jobToken());
  for (const [index, way] of [["client"], ["file", file]].entries()) {
    const path = join(tempFolder(), "store.json");
    expect(await runFleet(target, path, ...way)).toMatch(/^token Bearer /);
    expect(count("/token")).toBe(2 * index + 1);
    expire(path);
    expect(await runFleet(target, path, ...way)).toMatch(/^token Bearer /);
    expect(count("/token")).toBe(2 * index + 2);
  }
});

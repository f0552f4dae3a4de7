import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { beforeEach, expect, it } from "vitest";
import { tempFolder } from "../support/temp-folder.js";

/** The entry for tests as the authors of tools have it: from the package, installed alone. */

const ROOT = join(import.meta.dirname, "../..");
const { dependencies } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));

let project = "";
beforeEach(() => {
  project = tempFolder();
  const modules = join(project, "node_modules");
  mkdirSync(modules);
  execFileSync("npm", ["pack", "--silent", "--ignore-scripts", "--pack-destination", project], { cwd: ROOT });
  const { version } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
  execFileSync("tar", ["-xzf", join(project, `oidc-auth-client-${version}.tgz`), "-C", modules]);
  execFileSync("mv", [join(modules, "package"), join(modules, "oidc-auth-client")]);
  for (const name of [...Object.keys(dependencies), "@types/node", "undici-types"]) install(name);
});

/** As a package manager would, without one. */
function install(name: string): void {
  const place = join(project, "node_modules", name);
  mkdirSync(dirname(place), { recursive: true });
  symlinkSync(join(ROOT, "node_modules", name), place);
}

function run(file: string, program: string, ...flags: string[]) {
  writeFileSync(join(project, file), program);
  const { status, stdout, stderr } = spawnSync(process.execPath, [...flags, file], {
    cwd: project,
    encoding: "utf8",
    env: { PATH: process.env["PATH"] ?? "", HOME: project },
  });
  return { status, stdout, stderr };
}

const LOGIN_TEST = `
import assert from "node:assert/strict";
import { test } from "node:test";
import { authenticate } from "oidc-auth-client";
import { fakeClock, memoryStore, scriptedPerson, startAuthServer } from "oidc-auth-client/testing";

test("a person logs in, and the login is renewed", async () => {
  const server = await startAuthServer();
  const clock = fakeClock();
  const options = { ...clock, store: memoryStore(clock), ...scriptedPerson() };
  const token = await authenticate(server.host, options);
  const me = await fetch(server.meUrl, { headers: token.headers });
  assert.equal((await me.json()).username, "alice");
  clock.advanceSeconds(290);
  await authenticate(server.host, options);
  assert.equal(server.counts.refreshes, 1);
  await server.close();
});
`;

it("works under Node's own test runner, with the package of the provider beside it", () => {
  install("oidc-provider");
  const { status, stdout, stderr } = run("login.test.mjs", LOGIN_TEST, "--test");
  expect(status, stdout + stderr).toBe(0);
  expect(stdout).toMatch(/pass 1/);
});

it("without the package of the provider: the server says what to install, all else is there", () => {
  const { status, stdout, stderr } = run(
    "without.mjs",
    `import { memoryStore, startAuthServer, storeContract, testToken } from "oidc-auth-client/testing";
    const store = memoryStore({ tokens: { "https://auth.example.org": testToken() } });
    console.log(await store.hosts(), storeContract(async () => [store.backend, store.backend]).length > 5);
    await startAuthServer().catch((error) => console.log(error.name, error.code, error.message));`,
  );
  expect([status, stderr]).toEqual([0, ""]);
  expect(stdout).toContain("[ 'https://auth.example.org' ] true");
  expect(stdout).toContain(
    "AuthError not_supported The package oidc-provider cannot be loaded. Install it: npm install --save-dev oidc-provider",
  );
});

it("has types that need no other package's, with all of them checked", { timeout: 60_000 }, () => {
  const program = `
import { authenticate, type LoginOptions } from "oidc-auth-client";
import { type AuthServer, failures, fakeClock, memoryStore, scriptedPerson, startAuthServer } from "oidc-auth-client/testing";
await using server: AuthServer = await startAuthServer({ mode: "broker" });
server.fail("token", failures.rateLimited(3), 2, "refresh");
const options: LoginOptions = { ...fakeClock(), ...scriptedPerson({ name: "bea" }), store: memoryStore() };
const count: number | undefined = server.counts["refreshes"];
await authenticate({ issuer: server.issuer, clientId: server.clientId }, options);
export { count };
`;
  writeFileSync(join(project, "tool.mts"), program);
  const settings = {
    compilerOptions: {
      ...{ strict: true, noEmit: true, exactOptionalPropertyTypes: true, skipLibCheck: false },
      ...{ target: "ES2022", module: "NodeNext", types: ["node"], noPropertyAccessFromIndexSignature: true },
    },
    files: ["tool.mts"],
  };
  writeFileSync(join(project, "tsconfig.json"), JSON.stringify(settings));
  const tsc = join(ROOT, "node_modules/typescript/bin/tsc");
  const { stdout } = spawnSync(process.execPath, [tsc, "-p", project], { encoding: "utf8" });
  expect(stdout).toBe("");
});

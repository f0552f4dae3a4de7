import { randomBytes } from "node:crypto";
import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { authenticate } from "../../src/authenticate.js";
import { memoryBackend } from "../../src/store/memory-backend.js";
import { TokenStore } from "../../src/store/token-store.js";
import { approveDevice, startAuthServer } from "../../src/testing/index.js";
import { runNode, runtimeWords } from "../support/processes.js";
import { tempFolder } from "../support/temp-folder.js";

/** What the hint of `interaction_required` says is done here as it is written, in a shell, and has to help. */

const PROGRAM = resolve(import.meta.dirname, "../../dist/cli/oidc-auth.cjs");

/** A machine with the command `oidc-auth`, and its folder for caches. */
async function world() {
  const server = await startAuthServer({ deviceInterval: 0.05, enforceInterval: false });
  onTestFinished(server.close);
  const folder = tempFolder();
  const program = join(folder, "oidc-auth");
  const words = runtimeWords(PROGRAM).map((word) => `'${word}'`);
  writeFileSync(program, `#!/bin/sh\nexec ${words.join(" ")} "$@"\n`);
  chmodSync(program, 0o755);
  const env = { XDG_CACHE_HOME: folder, HOME: folder };
  return {
    ...{ server, folder, env },
    /** Types a line, and approves the login that it asks for. */
    async type(line: string) {
      const more = { PATH: `${folder}:${process.env["PATH"]}`, INTERACTIVE_SESSION: "1" };
      const child = runNode(line, [], { ...env, ...more }, { runtime: ["sh", "-c"], cwd: folder });
      await approveDevice(await child.error((text) => /^https?:\S+user_code=/.test(text)));
      expect(await child.ended()).toMatchObject({ code: 0 });
    },
    /** The lines of the hint that a job of a program gets. */
    async hint(options: object, target: Parameters<typeof authenticate>[0] = server.host): Promise<string[]> {
      const error = await authenticate(target, { env, ...options, interactive: false }).catch(
        (caught) => caught,
      );
      expect(error).toMatchObject({ code: "interaction_required" });
      return (error as { hint: string }).hint.split("\n").map((line) => line.trim());
    },
  };
}

const commandsOf = (hint: readonly string[]) => hint.filter((line) => /^(\w+=\S+ )?oidc-auth /.test(line));

describe("each command of the hint is a login that the program finds", () => {
  it.each(["the default store", "a store of an application", "a file of its own", "another account"])(
    "%s",
    async (which) => {
      const { server, folder, env, type, hint } = await world();
      const account = which === "another account" ? "bob" : undefined;
      const open = (more: Record<string, string> = {}) => {
        const all = { ...env, ...more };
        if (which === "a file of its own")
          return new TokenStore({ path: join(folder, "own.json"), env: all });
        const appName = which === "a store of an application" ? "my-app" : undefined;
        return new TokenStore({ appName, env: all });
      };
      const [here, elsewhere, device] = commandsOf(await hint({ store: open(), account }));
      const login = (store: TokenStore) =>
        authenticate(server.host, { store, account, env, interactive: false }).then(
          ({ accessToken }) => accessToken,
        );
      await type(here ?? "");
      const first = await login(open());
      expect(first).toBeTruthy();
      await open().clear();
      await type(device ?? "");
      const second = await login(open());
      expect(second).not.toBe(first);
      await open().clear();
      await type(elsewhere ?? "");
      const file = join(folder, "token.json");
      if (which === "a file of its own")
        writeFileSync(join(folder, "own.json"), readFileSync(file), { mode: 0o600 });
      expect(await login(open({ OIDC_TOKEN_FILE: file }))).not.toBe(second);
      // The other logins of that file are nobody else's.
      expect(await open({ OIDC_TOKEN_FILE: file }).get("https://another.example.org")).toBeUndefined();
    },
  );
});

describe("the hint", () => {
  it("names the account, and the key that the token is bound to", async () => {
    const { hint } = await world();
    const target = { issuer: "https://login.example.org", clientId: "cli", dpop: true };
    const commands = commandsOf(await hint({ account: "bob" }, target));
    expect(commands).toHaveLength(3);
    for (const command of commands) {
      expect(command).toContain("oidc-auth https://login.example.org --client-id cli --dpop --account bob");
    }
  });

  it("names the program's own command in place of ours", async () => {
    const { server, hint } = await world();
    const told = await hint({ loginCommand: `my-tool login ${server.host}` });
    expect(told).toContain(`my-tool login ${server.host}`);
    expect(told).toContain(`OIDC_TOKEN_FILE=token.json my-tool login ${server.host}`);
    expect(told.join("\n")).not.toContain("oidc-auth ");
  });

  it("names no command of ours for a store that it cannot write", async () => {
    const { folder, env, hint } = await world();
    const encryptionKey = randomBytes(32);
    const sealed = new TokenStore({ path: join(folder, "sealed.json"), encryptionKey });
    const named = new TokenStore({ appName: "my-app", encryptionKey, env });
    for (const store of [sealed, named, new TokenStore({ backend: memoryBackend() })]) {
      const told = (await hint({ store })).join("\n");
      expect(told).not.toMatch(/oidc-auth |OIDC_TOKEN_FILE/);
      expect(told).toContain(store.path ?? store.backend.description);
      expect(told).toContain("INTERACTIVE_SESSION=1");
    }
  });

  it("never says to overwrite a file with logins to several servers without a word about it", async () => {
    const { folder, hint } = await world();
    const told = (await hint({ store: new TokenStore({ path: join(folder, "own.json") }) })).join("\n");
    expect(told).toContain(`bring token.json to ${join(folder, "own.json")}, in place of what is there`);
  });
});

import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { TokenStore } from "../../src/store/token-store.js";
import { Token } from "../../src/token.js";
import { tempFolder } from "../support/temp-folder.js";

const ROOT = join(import.meta.dirname, "../..");
const { version } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
const HOST = "https://auth.example.org";

/** A home with a good token, and what a program prints there. */
async function home() {
  const folder = tempFolder();
  const store = new TokenStore({ path: join(folder, "py-oidc-auth/token-store.json") });
  await store.put(HOST, new Token({ accessToken: "the-token", expiresAt: 9e9 }));
  const env = {
    HOME: folder,
    XDG_CACHE_HOME: folder,
    XDG_CONFIG_HOME: folder,
    PATH: process.env["PATH"] ?? "",
  };
  const run = (program: string, ...args: string[]) =>
    execFileSync(program, args, { env, encoding: "utf8", cwd: folder }).trim();
  return { folder, run };
}

describe("the program as one file", () => {
  let file = "";
  beforeAll(() => {
    const folder = join(ROOT, "node_modules/.cache");
    mkdirSync(folder, { recursive: true });
    file = join(folder, "oidc-auth.mjs");
    execFileSync(process.execPath, [join(ROOT, "scripts/one-file.mjs"), file]);
  });

  it("works where nothing else is", async () => {
    const { folder, run } = await home();
    const alone = join(folder, "oidc-auth.mjs");
    copyFileSync(file, alone);
    expect(run(process.execPath, alone, "--version")).toBe(version);
    expect(run(process.execPath, alone, "token", HOST)).toBe("the-token");
    expect(run(process.execPath, alone, "status", HOST)).toContain("good");
    expect(run(process.execPath, alone, "doctor")).toMatch(/^ok/m);
    // Reaches for a provider, and with it for the packages that are inside.
    expect(() =>
      run(
        process.execPath,
        alone,
        "token",
        "http://127.0.0.1:2",
        "--client-id",
        "x",
        "--credentials",
        "client",
      ),
    ).toThrow(/cannot be reached/);
  });
});

describe.runIf(process.platform === "linux")("the program as a single executable", () => {
  it("works without Node", { timeout: 120_000 }, async () => {
    const { folder, run } = await home();
    const program = join(folder, "oidc-auth");
    execFileSync(process.execPath, [join(ROOT, "scripts/executable.mjs"), program], { stdio: "pipe" });
    expect(run(program, "--version")).toBe(version);
    expect(run(program, "token", HOST)).toBe("the-token");
    expect(run(program, "--list")).toBe(HOST);
    expect(() =>
      run(program, "token", "http://127.0.0.1:2", "--client-id", "x", "--credentials", "client"),
    ).toThrow(/cannot be reached/);
  });
});

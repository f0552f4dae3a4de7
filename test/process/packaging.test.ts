import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { COMMANDS } from "../../src/cli/registry.js";
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
  return { folder, run, env };
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
        "http://127.0.0.1:9",
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
      run(program, "token", "http://127.0.0.1:9", "--client-id", "x", "--credentials", "client"),
    ).toThrow(/cannot be reached/);
  });
});

describe("the package", () => {
  it("has a program for npx, a manual page of all commands, and nothing that is not named", async () => {
    const { folder, env } = await home();
    const packed = execFileSync("npm", ["pack", "--json", "--ignore-scripts", "--pack-destination", folder], {
      cwd: ROOT,
      env,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });
    const [{ filename, files }] = JSON.parse(packed) as [{ filename: string; files: { path: string }[] }];
    const paths = files.map(({ path }) => path);
    expect(
      paths.filter((path) => !/^(dist\/|README\.md|CHANGELOG\.md|LICENSE|package\.json)/.test(path)),
    ).toEqual([]);
    expect(existsSync(join(folder, filename))).toBe(true);
    const { bin, man } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
    expect(Object.keys(bin)).toContain("oidc-auth-client");
    for (const path of [...Object.values<string>(bin), ...man]) expect(paths).toContain(path);
    const page = readFileSync(join(ROOT, man[0]), "utf8");
    for (const name of Object.keys(COMMANDS))
      expect(page).toContain(`.SS oidc\\-auth ${name.replaceAll("-", "\\-")}`);
    expect(page).toContain("\\-\\-client\\-id");
    writeFileSync(join(folder, "done"), "");
  });
});

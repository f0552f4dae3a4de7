// Installs a packed tarball alone in an empty folder, with the versions of the lockfile, and uses what it offers.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { production } from "./production.mjs";

/**
 * Gives its entries, its programs, and where the packages of others are that came along.
 *
 * @throws Error where one of its entries cannot be loaded, or one of its programs does not start
 */
export async function smokeTest(tarball) {
  const folder = await mkdtemp(join(tmpdir(), "oidc-auth-smoke-"));
  const run = (program, ...args) =>
    execFileSync(program, args, {
      cwd: folder,
      encoding: "utf8",
      env: { ...process.env, HOME: folder },
      stdio: "pipe",
    });
  try {
    const { name, version, exports, bin } = await install(resolve(tarball), folder);
    // Fails for a package that is missing, and for one that nobody asked for.
    run("npm", "ls", "--all");
    const installed = JSON.parse(await readFile(join(folder, "node_modules/.package-lock.json"), "utf8"));
    const packages = Object.keys(installed.packages).filter((path) => path !== `node_modules/${name}`);
    const entries = Object.keys(exports).filter((entry) => !entry.endsWith(".json"));
    const imports = entries.map((entry) => `await import(${JSON.stringify(name + entry.slice(1))});`);
    run(process.execPath, "--input-type=module", "-e", imports.join("\n"));
    for (const program of Object.keys(bin)) {
      const help = run(join(folder, "node_modules/.bin", program), "--help");
      if (!help.includes("oidc-auth")) throw new Error(`${program} --help says:\n${help}`);
    }
    const said = run(join(folder, "node_modules/.bin/oidc-auth"), "--version").trim();
    if (said !== version) throw new Error(`oidc-auth --version says ${said}, not ${version}.`);
    return { entries, programs: Object.keys(bin), packages };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Gives the package.json of what was installed. */
async function install(tarball, folder) {
  const { manifest, head, packages } = await production();
  const { name, version, license, dependencies, bin } = manifest;
  const resolved = `file:${tarball}`;
  const integrity = `sha512-${createHash("sha512")
    .update(await readFile(tarball))
    .digest("base64")}`;
  const project = { private: true, dependencies: { [name]: resolved } };
  const lock = {
    ...head,
    name: undefined,
    version: undefined,
    packages: {
      "": project,
      [`node_modules/${name}`]: { version, resolved, integrity, license, dependencies, bin },
      ...packages,
    },
  };
  await writeFile(join(folder, "package.json"), JSON.stringify(project));
  await writeFile(join(folder, "package-lock.json"), JSON.stringify(lock));
  execFileSync("npm", ["ci", "--ignore-scripts", "--prefer-offline", "--no-audit", "--no-fund"], {
    cwd: folder,
    stdio: "pipe",
  });
  return JSON.parse(await readFile(join(folder, "node_modules", name, "package.json"), "utf8"));
}

// Makes the software bill of materials: what the package is made of, as CycloneDX and SPDX documents.
import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { production } from "./production.mjs";

/**
 * Writes `<name>-<version>.cdx.json` and `<name>-<version>.spdx.json` into a folder. They are made where no package of
 * ours but those of users is named: `npm sbom --omit dev` leaves out, too, what both need.
 */
export async function writeSboms(folder) {
  const { manifest, head, packages } = await production();
  const { devDependencies, peerDependencies, peerDependenciesMeta, ...own } = manifest;
  const { name, version, license, dependencies } = own;
  const temp = await mkdtemp(join(tmpdir(), "oidc-auth-sbom-"));
  try {
    // The documents name the package by its folder.
    const project = join(temp, name);
    await mkdir(project);
    const lock = { ...head, packages: { "": { name, version, license, dependencies }, ...packages } };
    await writeFile(join(project, "package.json"), JSON.stringify(own));
    await writeFile(join(project, "package-lock.json"), JSON.stringify(lock));
    return await Promise.all(
      Object.entries({ cyclonedx: "cdx", spdx: "spdx" }).map(async ([format, ending]) => {
        const text = execFileSync("npm", ["sbom", "--package-lock-only", "--sbom-format", format], {
          cwd: project,
          encoding: "utf8",
          stdio: "pipe",
        });
        const file = `${name}-${version}.${ending}.json`;
        await writeFile(join(folder, file), text);
        return file;
      }),
    );
  } finally {
    await rm(temp, { recursive: true, force: true });
  }
}

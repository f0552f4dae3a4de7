// What a user of the package gets of others' packages: the lockfile without what only we need.
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";

const root = resolve(import.meta.dirname, "..");

/** Our package.json, and the lockfile's entries of all packages that an installation of ours brings along. */
export async function production() {
  const [manifest, lock] = await Promise.all(
    ["package.json", "package-lock.json"].map(async (name) =>
      JSON.parse(await readFile(resolve(root, name), "utf8")),
    ),
  );
  const { packages, ...head } = lock;
  const ours = Object.entries(packages).filter(
    ([path, { dev, peer, devOptional }]) => path !== "" && !dev && !peer && !devOptional,
  );
  return { manifest, head, packages: Object.fromEntries(ours) };
}

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../guards/imports.js";

/** What the lockfile says of one package. */
export interface Locked {
  readonly version?: string;
  readonly resolved?: string;
  readonly integrity?: string;
  readonly license?: string;
  readonly link?: boolean;
  readonly dev?: boolean;
  readonly inBundle?: boolean;
  readonly hasInstallScript?: boolean;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

export interface Lockfile {
  readonly lockfileVersion: number;
  /** By folder: "" is ours, "node_modules/jose" another one. */
  readonly packages: Readonly<Record<string, Locked>>;
}

export function readJson<T>(file: string): T {
  return JSON.parse(readFileSync(join(ROOT, file), "utf8"));
}

/** Where a package that another one names is, as Node looks for it: in its own folder, then in those above. */
export function locate({ packages }: Lockfile, from: string, name: string): string | undefined {
  for (let folder = from; ; folder = folder.slice(0, Math.max(0, folder.lastIndexOf("node_modules/") - 1))) {
    const candidate = `${folder && `${folder}/`}node_modules/${name}`;
    if (packages[candidate]) return candidate;
    if (folder === "") return undefined;
  }
}

/** The folders of all packages that an installation of ours brings along: found by walking, whatever their flags say. */
export function productionFolders(lock: Lockfile): string[] {
  const found = new Set<string>();
  const queue = [""];
  for (let folder = queue.pop(); folder !== undefined; folder = queue.pop()) {
    const { dependencies = {}, optionalDependencies = {} } = lock.packages[folder] ?? {};
    for (const name of Object.keys({ ...dependencies, ...optionalDependencies })) {
      const next = locate(lock, folder, name);
      if (next === undefined)
        throw new Error(`${folder || "We"} need ${name}, which the lockfile does not have.`);
      if (!found.has(next)) queue.push(next);
      found.add(next);
    }
  }
  return [...found].sort();
}

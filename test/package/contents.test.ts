import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, posix } from "node:path";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { SHOWN } from "../../docs/.vitepress/repository-links.mjs";
import { COMMANDS } from "../../src/cli/registry.js";
import { linksIn, pages, readPage } from "../docs/pages.js";
import { filesIn, ROOT } from "../guards/imports.js";
import { readJson } from "./lockfile.js";

interface Manifest {
  readonly bin: Record<string, string>;
  readonly man: string[];
  readonly exports: Record<string, string | { types: string; default: string }>;
}

const manifest = readJson<Manifest>("package.json");
const folder = mkdtempSync(join(tmpdir(), "oidc-auth-contents-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let tarball = "";
let files: { path: string; mode: number }[] = [];
beforeAll(() => {
  const answer = execFileSync("npm", ["pack", "--json", "--ignore-scripts", "--pack-destination", folder], {
    cwd: ROOT,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  });
  const [packed] = JSON.parse(answer);
  tarball = join(folder, packed.filename);
  files = packed.files;
});

/** Pages that only the site needs: its first one, and those that show a file of the package there. */
const OF_THE_SITE = ["index.md", ...Object.keys(SHOWN)].map((name) => `docs/${name}`);

/** The built form of each source file, what is made beside them, and what people read. */
function expectedFiles(): string[] {
  const built = filesIn("src", /\.ts$/).flatMap((file) => {
    const path = file.replace(/^src/, "dist").replace(/\.ts$/, "");
    return [`${path}.js`, `${path}.d.ts`];
  });
  const made = ["dist/core.js", "dist/cli/oidc-auth.cjs", "dist/man/oidc-auth.1"];
  const read = pages().filter((page) => page !== "CONTRIBUTING.md" && !OF_THE_SITE.includes(page));
  const examples = filesIn("examples", /\.\w+$/);
  return [...new Set([...built, ...made, ...read, ...examples, "LICENSE", "package.json"])].sort();
}

describe("the packed package", () => {
  it("holds what was built from src, its papers, and no other file", () => {
    expect(files.map(({ path }) => path).sort()).toEqual(expectedFiles());
  });

  it("holds all that its pages link to, so that they can be read where it is installed", () => {
    const paths = files.map(({ path }) => path);
    const links = paths
      .filter((path) => path.endsWith(".md"))
      .flatMap((path) => linksIn(readPage(path)).map((href) => [path, href.replace(/#.*/, "")] as const))
      .filter(([, href]) => href !== "");
    expect(links.length).toBeGreaterThan(50);
    const leadsNowhere = ([page, href]: readonly [string, string]) => {
      const target = posix.join(posix.dirname(page), href);
      return href.startsWith("/") || !paths.some((path) => path === target || path.startsWith(`${target}/`));
    };
    expect(links.filter(leadsNowhere)).toEqual([]);
    expect(
      ["/docs/start.md", "src/token.ts", "docs/index.md"].map((href) => leadsNowhere(["README.md", href])),
    ).toEqual([true, true, true]);
  });

  it("holds everything that package.json points to, and its programs can be run", () => {
    const modes = new Map(files.map(({ path, mode }) => [`./${path}`, mode]));
    const targets = Object.values(manifest.exports).flatMap((target) =>
      typeof target === "string" ? [target] : Object.values(target),
    );
    for (const target of [...targets, ...manifest.man.map((page) => `./${page}`)])
      expect(modes.has(target), target).toBe(true);
    expect(Object.keys(manifest.bin), "for npx").toContain("oidc-auth-client");
    for (const program of Object.values(manifest.bin)) {
      // npm makes a program executable where it is installed; its first line says by what it is run.
      expect(readFileSync(join(ROOT, program), "utf8"), program).toMatch(/^#!\/usr\/bin\/env node\n/);
      expect(modes.has(`./${program}`), program).toBe(true);
    }
  });

  it("holds no path of the machine that it was built on, and no source map", () => {
    const texts = files.map(({ path }) => [path, readFileSync(join(ROOT, path), "utf8")] as const);
    const telling = texts.filter(([, text]) => text.includes(ROOT) || /^\/\/# sourceMappingURL/m.test(text));
    expect(telling.map(([path]) => path)).toEqual([]);
  });

  it("has a manual page of all commands", () => {
    const page = readFileSync(join(ROOT, manifest.man[0] ?? ""), "utf8");
    for (const name of Object.keys(COMMANDS))
      expect(page).toContain(`.SS oidc\\-auth ${name.replaceAll("-", "\\-")}`);
    expect(page).toContain("\\-\\-client\\-id");
  });

  it("has nothing that publint would mend", async () => {
    const data = readFileSync(tarball);
    const { messages, pkg = {} } = await publint({
      pack: { tarball: data.buffer.slice(data.byteOffset, data.byteOffset + data.length) },
      strict: true,
    });
    expect(messages.map((message) => formatMessage(message, pkg))).toEqual([]);
  });

  it("has types that fit its code, wherever ES modules are resolved (attw)", () => {
    const attw = join(ROOT, "node_modules/.bin/attw");
    const { status, stdout } = spawnSync(
      attw,
      [tarball, "--profile", "esm-only", "--format", "table-flipped", "--no-emoji", "--no-color"],
      { encoding: "utf8", cwd: folder },
    );
    expect(stdout).toContain("oidc-auth-client/testing");
    expect(status, stdout).toBe(0);
  });

  it("names types first, and only one way to each entry", () => {
    const { "./package.json": own, ...entries } = manifest.exports;
    expect(own).toBe("./package.json");
    for (const [entry, target] of Object.entries(entries))
      expect(Object.keys(target), entry).toEqual(["types", "default"]);
  });
});

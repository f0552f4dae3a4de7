import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { filesIn, importsOf, loadedBy, ROOT, resolveImport } from "./imports.js";

/**
 * The layers, lowest first. A file may import from its own layer's folder and from lower layers; files of one layer
 * in different folders do not know each other.
 */
const LAYERS: readonly (readonly string[])[] = [
  ["src/text.ts"],
  ["src/errors.ts"],
  ["src/jwt.ts", "src/abort.ts", "src/inspection.ts", "src/files/"],
  ["src/secrets.ts"],
  ["src/foreign-error.ts"],
  ["src/token.ts", "src/environment.ts", "src/context.ts"],
  ["src/debug/"],
  ["src/token-response.ts", "src/retry.ts"],
  ["src/grant.ts"],
  ["src/settings/"],
  ["src/config.ts"],
  ["src/servers/", "src/store/"],
  ["src/credentials/"],
  ["src/login-ui.ts"],
  ["src/loopback/", "src/terminal/"],
  ["src/options.ts"],
  ["src/network.ts"],
  ["src/flows/"],
  ["src/shell-word.ts"],
  ["src/interaction-hint.ts"],
  ["src/authenticate.ts"],
  ["src/fetch/", "src/userinfo.ts", "src/logout.ts"],
  ["src/mcp/"],
  ["src/testing/"],
  ["src/index.ts", "src/cli/"],
];

const SOURCES = filesIn("src", /\.ts$/);

function placeOf(file: string): { layer: number; folder: string } {
  const layer = LAYERS.findIndex((places) => places.some((place) => file.startsWith(place)));
  const folder = LAYERS[layer]?.find((place) => file.startsWith(place));
  if (folder === undefined) throw new Error(`${file} stands in no layer: add it to the table.`);
  return { layer, folder };
}

describe("the layers", () => {
  it("are imported downwards only", () => {
    const upward: string[] = [];
    for (const file of SOURCES) {
      const from = placeOf(file);
      for (const { specifier } of importsOf(file)) {
        if (!specifier.startsWith(".")) continue;
        const target = resolveImport(file, specifier, ".ts");
        const to = placeOf(target);
        if (to.layer < from.layer || to.folder === from.folder) continue;
        upward.push(`${file} imports ${target}`);
      }
    }
    expect(upward).toEqual([]);
  });
});

describe("what is loaded", () => {
  const heavy =
    /(debug\/(lines|told-request)|flows\/(browser-login|callback-answer|pasted-callback)|loopback\/|terminal\/|servers\/|file-writer|file-lock|kept-text)/;
  // Part of Node's own start-up, so that naming them costs nothing.
  const free = ["node:fs", "node:os", "node:path"];

  it("by the library's entry holds no server, no listener, no terminal, no lock and no package", () => {
    const { modules, packages } = loadedBy("src/index.ts");
    expect(modules.filter((module) => heavy.test(module))).toEqual([]);
    expect(packages.filter((name) => !free.includes(name))).toEqual([]);
  });

  it("by the CLI's entry is as little", () => {
    const { modules, packages } = loadedBy("src/cli/main.ts");
    expect(modules.filter((module) => heavy.test(module))).toEqual([]);
    expect(packages.filter((name) => !name.startsWith("node:"))).toEqual([]);
  });

  it("of packages is named in few files, and reached by import()", () => {
    const named = new Map<string, string[]>();
    // What tests load need not start quickly.
    for (const file of SOURCES.filter((one) => !one.startsWith("src/testing/"))) {
      for (const { specifier, lazy, typeOnly } of importsOf(file)) {
        if (specifier.startsWith(".") || specifier.startsWith("node:")) continue;
        expect(lazy || typeOnly, `${file} imports ${specifier} at once`).toBe(true);
        if (!typeOnly) named.set(specifier, [...new Set([...(named.get(specifier) ?? []), file])]);
      }
    }
    expect(Object.fromEntries(named)).toEqual({
      "@napi-rs/keyring": ["src/store/keychain-process.ts"],
      jose: [
        "src/credentials/grants.ts",
        "src/servers/client-auth.ts",
        "src/servers/dpop.ts",
        "src/store/sealed-backend.ts",
      ],
      oauth4webapi: [
        "src/servers/challenges.ts",
        "src/servers/dpop-request.ts",
        "src/servers/resource-metadata.ts",
      ],
      open: ["src/flows/open-browser.ts"],
      "openid-client": ["src/servers/discovery.ts", "src/servers/openid.ts", "src/servers/registration.ts"],
      pg: ["src/store/postgres-client.ts"],
      "undici/index.js": ["src/network.ts"],
      uqr: ["src/terminal/qr-code.ts"],
    });
  });
});

describe("packages that src names", () => {
  it("are dependencies, or optional peers: never only at hand here", () => {
    const { dependencies, peerDependencies } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
    const declared = new Set([...Object.keys(dependencies), ...Object.keys(peerDependencies)]);
    const named = SOURCES.flatMap((file) => importsOf(file).map(({ specifier }) => specifier));
    const packages = named.filter((name) => !name.startsWith(".") && !name.startsWith("node:"));
    const packageOf = (name: string) => /^(@[^/]+\/)?[^/]+/.exec(name)?.[0] ?? name;
    expect(packages.filter((name) => !declared.has(packageOf(name)))).toEqual([]);
    expect(Object.keys(dependencies)).toEqual([
      "jose",
      "oauth4webapi",
      "open",
      "openid-client",
      "undici",
      "uqr",
    ]);
  });
});

describe("files of src", () => {
  it("stay under 250 lines", () => {
    const long = SOURCES.map(
      (file) => [file, readFileSync(join(ROOT, file), "utf8").split("\n").length] as const,
    );
    expect(long.filter(([, lines]) => lines > 251)).toEqual([]);
  });

  it("are no utils, and export no default", () => {
    expect(SOURCES.filter((file) => /utils?\.ts$|helpers?\.ts$/.test(file))).toEqual([]);
    const defaults = SOURCES.filter((file) =>
      /^export default/m.test(readFileSync(join(ROOT, file), "utf8")),
    );
    expect(defaults).toEqual([]);
  });
});

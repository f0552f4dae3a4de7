import { readFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { describe, expect, it } from "vitest";
import { ROOT } from "./imports.js";

/** The TypeScript blocks of a page, each with the line it begins at. */
function codeBlocks(page: string): { line: number; code: string }[] {
  const text = readFileSync(join(ROOT, page), "utf8");
  return [...text.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map((match) => ({
    line: text.slice(0, match.index).split("\n").length + 1,
    code: match[1] ?? "",
  }));
}

/** What the compiler says of a program that uses the library by its name. */
function diagnose(files: ReadonlyMap<string, string>): string[] {
  const options: ts.CompilerOptions = {
    strict: true,
    noEmit: true,
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    moduleDetection: ts.ModuleDetectionKind.Force,
    exactOptionalPropertyTypes: true,
    skipLibCheck: true,
    types: ["node"],
    paths: {
      "oidc-auth-client": [join(ROOT, "src/index.ts")],
      "oidc-auth-client/mcp": [join(ROOT, "src/mcp/index.ts")],
      "oidc-auth-client/testing": [join(ROOT, "src/testing/index.ts")],
      "oidc-auth-client/*": [join(ROOT, "src/store/*-backend.ts")],
    },
  };
  const host = ts.createCompilerHost(options);
  const { getSourceFile, fileExists, readFile } = host;
  host.fileExists = (name) => files.has(name) || fileExists(name);
  host.readFile = (name) => files.get(name) ?? readFile(name);
  host.getSourceFile = (name, version) => {
    const code = files.get(name);
    return code === undefined ? getSourceFile(name, version) : ts.createSourceFile(name, code, version);
  };
  const program = ts.createProgram([...files.keys()], options, host);
  return ts.getPreEmitDiagnostics(program).map((found) => {
    const text = ts.flattenDiagnosticMessageText(found.messageText, "\n");
    const line = found.file ? found.file.getLineAndCharacterOfPosition(found.start ?? 0).line + 1 : 0;
    return `${found.file?.fileName}:${line} ${text}`;
  });
}

describe("the code in our pages", () => {
  it.each([
    ["README.md", 6],
    ["docs/stores.md", 6],
    ["docs/issuers.md", 7],
    ["docs/providers.md", 15],
  ])("compiles, block by block: %s", { timeout: 60_000 }, (page, least) => {
    const blocks = codeBlocks(page);
    expect(blocks.length).toBeGreaterThanOrEqual(least);
    const name = page.replace(/\W/g, "-");
    const files = new Map(blocks.map(({ line, code }) => [join(ROOT, `${name}-line-${line}.mts`), code]));
    expect(diagnose(files)).toEqual([]);
  });

  it("would not, were it wrong", { timeout: 60_000 }, () => {
    const wrong = 'import { authenticate } from "oidc-auth-client";\nawait authenticate(5);\n';
    expect(diagnose(new Map([[join(ROOT, "wrong.mts"), wrong]]))).toHaveLength(1);
  });
});

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
    paths: { "oidc-auth-client": [join(ROOT, "src/index.ts")] },
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

describe("the README's code", () => {
  const blocks = codeBlocks("README.md");

  it("compiles, block by block", { timeout: 60_000 }, () => {
    expect(blocks.length).toBeGreaterThan(5);
    const files = new Map(blocks.map(({ line, code }) => [join(ROOT, `readme-line-${line}.mts`), code]));
    expect(diagnose(files)).toEqual([]);
  });

  it("would not, were it wrong", { timeout: 60_000 }, () => {
    const wrong = 'import { authenticate } from "oidc-auth-client";\nawait authenticate(5);\n';
    expect(diagnose(new Map([[join(ROOT, "wrong.mts"), wrong]]))).toHaveLength(1);
  });
});

import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { describe, expect, it } from "vitest";
import { parseAllDocuments } from "yaml";
import { allBlocks, type Block, blocksIn, pages, ROOT } from "../docs/pages.js";

/** The package's entries, by the names that programs import, as the sources that they are made from. */
function entries(): Record<string, string[]> {
  const { name, exports } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as {
    name: string;
    exports: Record<string, { types?: string }>;
  };
  return Object.fromEntries(
    Object.entries(exports).flatMap(([path, { types }]) => {
      const source = types?.replace("./dist/", "src/").replace(/\.d\.ts$/, ".ts");
      return source === undefined ? [] : [[path.replace(".", name), [join(ROOT, source)]]];
    }),
  );
}

/** What the compiler says of programs that use the library by its name. */
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
    paths: entries(),
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

const place = ({ page, line }: Block) => `${page}:${line}`;
const file = ({ page, line }: Block) => join(ROOT, `${page.replace(/\W/g, "-")}-line-${line}.mts`);

/** What bash says of lines that it reads and does not run. */
function shellFault(script: string): string {
  return spawnSync("bash", ["-n"], { input: script, encoding: "utf8" }).stderr;
}

/** The lines of a shell that a CI system's file holds: `run` of GitHub's, `script` of GitLab's. */
function scriptsIn(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(scriptsIn);
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, one]) => {
    if (name === "run" && typeof one === "string") return [one];
    if (name === "script" && Array.isArray(one)) return [one.join("\n")];
    return scriptsIn(one);
  });
}

/** Languages that are read by nobody but people. */
const PROSE = ["", "text", "ini"];

describe("the code in our pages", () => {
  it("compiles, block by block", { timeout: 120_000 }, () => {
    const blocks = allBlocks("ts");
    expect(blocks.length).toBeGreaterThan(60);
    expect(diagnose(new Map(blocks.map((block) => [file(block), block.code])))).toEqual([]);
  });

  it("would not, were it wrong", { timeout: 60_000 }, () => {
    const wrong = 'import { authenticate } from "oidc-auth-client";\nawait authenticate(5);\n';
    expect(diagnose(new Map([[join(ROOT, "wrong.mts"), wrong]]))).toHaveLength(1);
  });

  it("is read by the shell", () => {
    const faults = allBlocks("sh").map((block) => [place(block), shellFault(block.code)]);
    expect(faults.filter(([, fault]) => fault)).toEqual([]);
    expect(faults.length).toBeGreaterThan(15);
    expect(shellFault("if true; then")).toContain("syntax error");
  });

  it("is read as JSON and YAML, and the shell reads what stands in it", () => {
    for (const block of allBlocks("json")) expect(() => JSON.parse(block.code), place(block)).not.toThrow();
    const documents = allBlocks("yaml").flatMap((block) =>
      parseAllDocuments(block.code).map((document) => [place(block), document] as const),
    );
    for (const [where, { errors, warnings }] of documents)
      expect([...errors, ...warnings], where).toEqual([]);
    const scripts = documents.flatMap(([, document]) => scriptsIn(document.toJS()));
    expect(scripts.length).toBeGreaterThan(1);
    expect(scripts.map(shellFault).filter(Boolean)).toEqual([]);
  });

  it("is read by Python", (context) => {
    const program = "import ast, sys; ast.parse(sys.stdin.read())";
    try {
      execFileSync("python3", ["-c", ""], { stdio: "ignore" });
    } catch {
      context.skip("python3 is not installed");
    }
    for (const { code } of allBlocks("py")) execFileSync("python3", ["-c", program], { input: code });
  });

  it("is of a language that is looked at", () => {
    const known = ["ts", "sh", "json", "yaml", "py", ...PROSE];
    expect(
      allBlocks()
        .filter(({ language }) => !known.includes(language))
        .map(place),
    ).toEqual([]);
  });

  it("is found on all pages, also in lists", () => {
    expect(pages()).toEqual(expect.arrayContaining(["README.md", "docs/start.md", "docs/unattended.md"]));
    const text = "a\n\n<!-- not run: it is a test -->\n\n- b\n\n  ```ts\n  const a = 1;\n\n  a;\n  ```\n";
    expect(blocksIn("x.md", text)).toEqual([
      {
        page: "x.md",
        line: 8,
        language: "ts",
        code: "const a = 1;\n\na;\n",
        notRun: undefined,
        variables: {},
      },
    ]);
    expect(blocksIn("x.md", text.replace("- b\n\n", ""))[0]?.notRun).toBe("it is a test");
    expect(blocksIn("x.md", "<!-- run with: A=1 B= -->\n```sh\na\n```\n")[0]?.variables).toEqual({
      A: "1",
      B: "",
    });
    expect(() => blocksIn("x.md", "```ts\nconst a = 1;\n")).toThrow("does not end");
  });
});

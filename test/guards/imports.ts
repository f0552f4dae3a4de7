import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import ts from "typescript";

export const ROOT = resolve(import.meta.dirname, "../..");

export interface Import {
  /** As written. */
  readonly specifier: string;
  readonly typeOnly: boolean;
  /** Reached by `import()`, at the moment it is needed. */
  readonly lazy: boolean;
}

/** All files of a folder with one of the endings, relative to the root. */
export function filesIn(folder: string, ending: RegExp): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => ending.test(name))
    .map((name) => join(folder, name))
    .sort();
}

export function importsOf(file: string): Import[] {
  const source = ts.createSourceFile(file, readFileSync(join(ROOT, file), "utf8"), ts.ScriptTarget.Latest);
  const found: Import[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node) && ts.isStringLiteral(node.moduleSpecifier)) {
      const typeOnly = node.importClause?.isTypeOnly ?? false;
      found.push({ specifier: node.moduleSpecifier.text, typeOnly, lazy: false });
    } else if (
      ts.isExportDeclaration(node) &&
      node.moduleSpecifier &&
      ts.isStringLiteral(node.moduleSpecifier)
    ) {
      found.push({ specifier: node.moduleSpecifier.text, typeOnly: node.isTypeOnly, lazy: false });
    } else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      const [argument] = node.arguments;
      if (!argument || !ts.isStringLiteral(argument))
        throw new Error(`${file}: an import() of no fixed name`);
      found.push({ specifier: argument.text, typeOnly: false, lazy: true });
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

/** The file that a relative import means, relative to the root. */
export function resolveImport(from: string, specifier: string, ending: ".ts" | ".js"): string {
  return relative(ROOT, resolve(ROOT, dirname(from), specifier)).replace(/\.js$/, ending);
}

/** Everything that is loaded when a module is: the project's own, and what they name from elsewhere. */
export function loadedBy(entry: string): { modules: string[]; packages: string[] } {
  const modules = new Set<string>();
  const packages = new Set<string>();
  const queue = [entry];
  for (let file = queue.pop(); file !== undefined; file = queue.pop()) {
    if (modules.has(file)) continue;
    modules.add(file);
    for (const { specifier, typeOnly, lazy } of importsOf(file)) {
      if (typeOnly || lazy) continue;
      if (specifier.startsWith(".")) queue.push(resolveImport(file, specifier, ".ts"));
      else packages.add(specifier);
    }
  }
  return { modules: [...modules].sort(), packages: [...packages].sort() };
}

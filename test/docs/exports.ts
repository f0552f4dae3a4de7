import { join } from "node:path";
import ts from "typescript";
import { ROOT } from "./pages.js";

/** What modules of the source export, by the compiler. */
export class Exports {
  readonly #checker: ts.TypeChecker;
  readonly #program: ts.Program;

  /** @param files relative to the root */
  constructor(...files: string[]) {
    this.#program = ts.createProgram(
      files.map((file) => join(ROOT, file)),
      {
        strict: true,
        module: ts.ModuleKind.NodeNext,
        moduleResolution: ts.ModuleResolutionKind.NodeNext,
        skipLibCheck: true,
        types: ["node"],
      },
    );
    this.#checker = this.#program.getTypeChecker();
  }

  names(file: string): string[] {
    return this.#symbols(file).map(({ name }) => name);
  }

  /** The members of exported types. */
  members(file: string, ...types: string[]): string[] {
    const exported = this.#symbols(file);
    const members = types.flatMap((type) => {
      const symbol = exported.find(({ name }) => name === type);
      if (!symbol) throw new Error(`${file} exports no ${type}.`);
      return this.#checker.getPropertiesOfType(this.#checker.getDeclaredTypeOfSymbol(symbol));
    });
    return [...new Set(members.map(({ name }) => name))];
  }

  #symbols(file: string): ts.Symbol[] {
    const source = this.#program.getSourceFile(join(ROOT, file));
    const module = source && this.#checker.getSymbolAtLocation(source);
    if (!module) throw new Error(`${file} is no module.`);
    return this.#checker.getExportsOfModule(module);
  }
}

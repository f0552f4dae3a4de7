import { spawn } from "node:child_process";
import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import ts from "typescript";
import { type Block, ROOT } from "../pages.js";
import type { World } from "./world.js";

/** How a block ended. */
export interface Outcome {
  readonly code: number | null;
  /** All that it printed. */
  readonly output: string;
}

const TIMEOUT_MS = 60_000;
const VITEST = join(ROOT, "node_modules/vitest/vitest.mjs");
const STAGE = join(import.meta.dirname, "stage.mjs");

/** Runs blocks of pages as a reader would, each in a home of its own. */
export class Runner {
  readonly #world: World;
  readonly #folder: string;
  /** Inside the project, so that the library is found by its name, as `exports` has it. */
  readonly #programs = mkdtempSync(join(ROOT, ".docs-blocks-"));
  #homes = 0;

  constructor(world: World, folder: string) {
    this.#world = world;
    this.#folder = folder;
    writeFileSync(
      join(this.#programs, "vitest.config.mjs"),
      'export default { test: { include: ["*"], testTimeout: 30_000 } };\n',
    );
    this.#tool("oidc-auth", `exec node ${join(ROOT, "dist/cli/oidc-auth.cjs")} "$@"`);
    this.#tool("npx", 'shift\nexec oidc-auth "$@"');
  }

  /** A program of TypeScript, in an empty home unless it says otherwise, with a person at a desktop. */
  async runTypeScript({ page, line, code, variables }: Block): Promise<Outcome> {
    const { outputText } = ts.transpileModule(code, {
      compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 },
    });
    const isTest = /from "vitest"/.test(code);
    const name = `${page.replace(/\W/g, "-")}-${line}${isTest ? ".test" : ""}.mjs`;
    writeFileSync(join(this.#programs, name), outputText);
    const words = isTest ? [VITEST, "run", "--root", this.#programs, name] : [join(this.#programs, name)];
    const { HOME, ARGS = "", ...others } = variables;
    const home = this.#home(HOME === "logged-in" ? await this.#loggedIn() : undefined);
    return this.#run(process.execPath, [...words, ...ARGS.split(" ").filter(Boolean)], home, others);
  }

  /** Lines of a shell, in the home of somebody who has logged in. */
  async runShell({ code, variables }: Block): Promise<Outcome> {
    return this.#run("bash", ["-euo", "pipefail", "-c", code], this.#home(await this.#loggedIn()), variables);
  }

  close(): void {
    rmSync(this.#programs, { recursive: true, force: true });
  }

  #prepared: Promise<string> | undefined;
  /** A home with the logins and the names that the pages take for granted. */
  #loggedIn(): Promise<string> {
    this.#prepared ??= (async () => {
      const home = this.#home();
      const profiles = {
        HOST: { host: "https://auth.example.org" },
        prod: { issuer: "https://login.example.org/realms/x", clientId: "my-cli" },
      };
      mkdirSync(join(home, ".config/oidc-auth"), { recursive: true });
      writeFileSync(join(home, ".config/oidc-auth/config.json"), JSON.stringify({ profiles }));
      for (const name of ["HOST", "prod"]) {
        const { code, output } = await this.#run("oidc-auth", ["login", name], home, {});
        if (code !== 0) throw new Error(`Nobody could log in at ${name}:\n${output}`);
      }
      return home;
    })();
    return this.#prepared;
  }

  #home(from?: string): string {
    const home = join(this.#folder, `home-${this.#homes++}`);
    if (from === undefined) mkdirSync(home, { mode: 0o700 });
    else cpSync(from, home, { recursive: true });
    writeFileSync(join(home, "job.py"), "import os\nprint(len(os.environ['OIDC_ACCESS_TOKEN']))\n");
    writeFileSync(join(home, ".curlrc"), this.#world.curlrc);
    return home;
  }

  /** Puts a program into the PATH. */
  #tool(name: string, script: string): void {
    const file = join(this.#folder, "bin", name);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, `#!/bin/sh\n${script}\n`);
    chmodSync(file, 0o755);
  }

  #run(
    program: string,
    words: readonly string[],
    home: string,
    variables: Readonly<Record<string, string>>,
  ): Promise<Outcome> {
    const child = spawn(program, words, {
      cwd: home,
      stdio: ["ignore", "pipe", "pipe"],
      env: {
        PATH: `${join(this.#folder, "bin")}:${dirname(process.execPath)}:${process.env["PATH"] ?? ""}`,
        HOME: home,
        TMPDIR: tmpdir(),
        // Somebody sits in front of a desktop, whose browser is the person of the stage.
        INTERACTIVE_SESSION: "1",
        DISPLAY: ":0",
        BROWSER: "true",
        NODE_OPTIONS: `--import=${pathToFileURL(STAGE)}`,
        ...this.#world.env,
        ...variables,
      },
    });
    let output = "";
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding("utf8").on("data", (text: string) => {
        output += text;
      });
    const timer = setTimeout(() => {
      output += `\nIt did not end within ${TIMEOUT_MS / 1000} s.`;
      child.kill("SIGKILL");
    }, TIMEOUT_MS);
    return new Promise((resolve, reject) => {
      child.once("error", reject);
      child.once("close", (code) => {
        clearTimeout(timer);
        resolve({ code, output });
      });
    });
  }
}

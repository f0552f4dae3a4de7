import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";

export const ROOT = resolve(import.meta.dirname, "../..");

/** A fenced block of a page. */
export interface Block {
  readonly page: string;
  /** The line at which its code begins, as an editor counts. */
  readonly line: number;
  /** `ts`, `sh`, … ; empty where the fence names none. */
  readonly language: string;
  readonly code: string;
  /** Why it is not run, where the page says so: `<!-- not run: it needs a cluster -->` above the fence. */
  readonly notRun: string | undefined;
  /**
   * Variables that it is run with: `<!-- run with: SLURM_JOB_ID=7 -->` above the fence. Two mean more: `ARGS` are a
   * program's arguments, `HOME=logged-in` is the home of somebody who has logged in.
   */
  readonly variables: Readonly<Record<string, string>>;
}

/** Pages beside those in docs/, as far as they are there. */
const OUTSIDE = ["README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md", "examples/README.md"];
/** Made by the build of the site. */
const GENERATED = ["docs/api/", "docs/.vitepress/"];

/** All pages that people wrote, relative to the root. */
export function pages(): string[] {
  const inDocs = readdirSync(join(ROOT, "docs"), { recursive: true, encoding: "utf8" })
    .map((name) => `docs/${name.replaceAll("\\", "/")}`)
    .filter((name) => name.endsWith(".md") && !GENERATED.some((folder) => name.startsWith(folder)));
  return [...OUTSIDE.filter((name) => existsSync(join(ROOT, name))), ...inDocs.sort()];
}

export function readPage(page: string): string {
  return readFileSync(join(ROOT, page), "utf8");
}

const NOT_RUN = /^<!-- not run: (.+) -->$/;
const RUN_WITH = /^<!-- run with: (.+) -->$/;

/** The fenced blocks of a text; a fence may stand in a list, and its code is then taken out of it. */
export function blocksIn(page: string, text: string): Block[] {
  const blocks: Block[] = [];
  const lines = text.split("\n");
  for (let at = 0; at < lines.length; at++) {
    const [, indent = "", fence = "", language = ""] = /^( *)(`{3,})(\S*)/.exec(lines[at] ?? "") ?? [];
    if (fence === "") continue;
    const end = lines.findIndex((line, index) => index > at && line.trim() === fence);
    if (end < 0) throw new Error(`${page}:${at + 1} begins a block that does not end.`);
    const marker = lines.slice(0, at).findLast((line) => line.trim() !== "") ?? "";
    blocks.push({
      page,
      line: at + 2,
      language,
      code: lines
        .slice(at + 1, end)
        .map((line) => `${line.slice(indent.length)}\n`)
        .join(""),
      notRun: NOT_RUN.exec(marker.trim())?.[1],
      variables: Object.fromEntries(
        (RUN_WITH.exec(marker.trim())?.[1] ?? "").split(" ").flatMap((one) => {
          const [name = "", ...value] = one.split("=");
          return name === "" ? [] : [[name, value.join("=")]];
        }),
      ),
    });
    at = end;
  }
  return blocks;
}

/** All blocks of all pages in some languages. */
export function allBlocks(...languages: string[]): Block[] {
  return pages()
    .flatMap((page) => blocksIn(page, readPage(page)))
    .filter(({ language }) => languages.length === 0 || languages.includes(language));
}

/** A page without its fenced blocks, in which nothing is a link. */
export const prose = (text: string) => text.replace(/^( *)(`{3,})[\s\S]*?^\1\2$/gm, "");

/** The links of a page, but for those to other sites. */
export function linksIn(text: string): string[] {
  return [...prose(text).matchAll(/\[(?:[^\]]|`[^`]*`)*\]\(([^)\s]+)\)/g)]
    .map(([, href = ""]) => href)
    .filter((href) => !/^[a-z]+:/i.test(href));
}

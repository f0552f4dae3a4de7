import { dirname, join, relative } from "node:path/posix";
import type { MarkdownRenderer } from "vitepress";
import { GUIDES } from "./guides.mjs";

/** Pages that show a file of the repository: its links are those of its own place. */
export const SHOWN: Readonly<Record<string, string>> = {
  "security.md": "SECURITY.md",
  "changes.md": "CHANGELOG.md",
  "examples.md": "examples/README.md",
};

/** Files of the repository that have another page than the one that shows them. */
const PAGES: Readonly<Record<string, string>> = {
  "README.md": "docs/index.md",
  ...Object.fromEntries(Object.entries(SHOWN).map(([page, file]) => [file, `docs/${page}`])),
};

/**
 * Where a link of a page leads on the site. The same links are read in the repository, where they are files.
 *
 * @returns the link from the page's own place, `undefined` where it leads to a file that the site does not have
 */
export function siteLink(page: string, href: string): string | undefined {
  if (/^([a-z][a-z0-9+.-]*:|#|\/)/i.test(href)) return href;
  const [path = "", anchor = ""] = href.split(/(?=#)/);
  const file = join(dirname(SHOWN[page] ?? `docs/${page}`), decodeURI(path));
  const target = PAGES[file] ?? file;
  if (!target.startsWith("docs/")) return undefined;
  const link = relative(dirname(`docs/${page}`), target);
  return `${link.startsWith(".") ? link : `./${link}`}${anchor}`;
}

/** The name by which a heading is linked, as hosts of repositories make it: both read the same links. */
export function anchorOf(title: string): string {
  return title
    .trim()
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, "")
    .replaceAll(/\s/g, "-");
}

/** The title of the guide that a text names as a file, such as `stores.md`. */
function titleOf(text: string): string | undefined {
  return GUIDES.find(({ name }) => text === `${name}.md` || text === `docs/${name}.md`)?.title;
}

/**
 * Rewrites the links of pages. A link to a file that the site does not have becomes plain text, and one that is called
 * by its file gets that guide's title.
 */
export function repositoryLinks(markdown: MarkdownRenderer): void {
  markdown.core.ruler.push("repository_links", ({ tokens, env }) => {
    const page = String(env.relativePath);
    // What is generated knows its links.
    if (page.startsWith("api/")) return;
    for (const { children } of tokens) {
      let outside = false;
      for (const [index, token] of (children ?? []).entries()) {
        if (token.type === "link_open") {
          const href = token.attrGet("href") ?? "";
          const link = siteLink(page, href);
          outside = link === undefined;
          if (link === undefined) {
            token.tag = "span";
            token.type = "span_open";
            token.attrs = [
              ["class", "in-repository"],
              ["title", "a file of the repository"],
            ];
          } else token.attrSet("href", link);
          const text = children?.[index + 1];
          if (text?.type === "text") text.content = titleOf(text.content) ?? text.content;
        } else if (token.type === "link_close" && outside) {
          token.tag = "span";
          token.type = "span_close";
        }
      }
    }
  });
}

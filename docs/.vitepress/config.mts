import { existsSync, readFileSync } from "node:fs";
import { defineConfig } from "vitepress";
import { GUIDES, SECTIONS, SUMMARY } from "./guides.mjs";
import { HOME } from "./home.mjs";
import { writeTexts } from "./llms.mjs";
import { anchorOf, repositoryLinks } from "./repository-links.mjs";

/** Below which path the site is served, such as `/oidc-auth-client/`. */
const base = process.env["DOCS_BASE"] ?? "/";

/** What TypeDoc made, if it has run. */
const apiFile = new URL("../api/typedoc-sidebar.json", import.meta.url);
const api = existsSync(apiFile) ? JSON.parse(readFileSync(apiFile, "utf8")) : [];

const guides = SECTIONS.map(({ title, guides }) => ({
  text: title,
  items: guides.map(({ title, name }) => ({ text: title, link: `/${name}` })),
}));

export default defineConfig({
  base,
  title: "oidc-auth-client",
  description: SUMMARY,
  lang: "en",
  // What all pages know stands in one file, not in each of them.
  metaChunk: true,
  markdown: { config: repositoryLinks, anchor: { slugify: anchorOf } },
  themeConfig: {
    nav: [
      { text: "Start", link: "/start" },
      { text: "Guides", link: "/strategies", activeMatch: "^/(?!start|api/|$)" },
      { text: "API", link: "/api/", activeMatch: "^/api/" },
    ],
    sidebar: {
      "/": [...guides, { text: "API reference", link: "/api/" }],
      "/api/": [
        { text: "Guides", link: "/start" },
        { text: "API reference", link: "/api/", items: api },
      ],
    },
    outline: { level: [2, 3] },
    search: { provider: "local" },
    externalLinkIcon: true,
  },
  transformPageData: ({ relativePath }) => {
    if (relativePath === "index.md") return { frontmatter: HOME };
    // Its tables are wide, and its pages short.
    if (relativePath.startsWith("api/") && relativePath !== "api/commands.md")
      return { frontmatter: { aside: false } };
    const guide = GUIDES.find(({ name }) => `${name}.md` === relativePath);
    return guide ? { description: guide.about } : undefined;
  },
  buildEnd: ({ srcDir, outDir }) => writeTexts({ docs: srcDir, out: outDir, base }),
});

import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { anchorOf, siteLink } from "../../docs/.vitepress/repository-links.mjs";
import { linksIn, pages, prose, ROOT, readPage } from "./pages.js";

/** The names that the headings of a page can be linked by. */
function anchorsIn(text: string): Set<string> {
  return new Set(
    [...prose(text).matchAll(/^#{1,6} (.+)$/gm)].map(([, title = ""]) =>
      anchorOf(title.replace(/[`*]/g, "").replace(/\[([^\]]*)\]\([^)]*\)/g, "$1")),
    ),
  );
}

/** The links of a page that lead nowhere. */
function deadLinks(page: string, text = readPage(page)): string[] {
  return linksIn(text).filter((href) => {
    const [path = "", anchor] = href.split("#");
    const file = path === "" ? page : join(dirname(page), path);
    if (!existsSync(join(ROOT, file))) return true;
    return anchor !== undefined && !anchorsIn(file === page ? text : readPage(file)).has(anchor);
  });
}

describe("the links of our pages", () => {
  it.each(pages())("%s leads to files and headings that are there", (page) => {
    expect(deadLinks(page)).toEqual([]);
  });

  it("would be found, were they dead", () => {
    const text =
      "# A b\n\n[a](#a-b) [b](#c) [c](docs/start.md#start) [d](docs/start.md#no) [e](no.md) [f](https://x.org)";
    expect(deadLinks("README.md", text)).toEqual(["#c", "docs/start.md#no", "no.md"]);
    expect(linksIn("```md\n[a](b)\n```\n[`c`](d)")).toEqual(["d"]);
  });

  it("lead on the site to the page that shows a file, and elsewhere to none", () => {
    expect(siteLink("stores.md", "cli.md#aws")).toBe("./cli.md#aws");
    expect(siteLink("stores.md", "../examples/README.md")).toBe("./examples.md");
    expect(siteLink("stores.md", "../src/errors.ts")).toBeUndefined();
    expect(siteLink("security.md", "docs/stores.md#redis")).toBe("./stores.md#redis");
    expect(siteLink("examples.md", "../docs/start.md")).toBe("./start.md");
    expect(siteLink("examples.md", "slurm/job.sh")).toBeUndefined();
    expect(siteLink("stores.md", "https://example.org/")).toBe("https://example.org/");
    expect(siteLink("stores.md", "#redis")).toBe("#redis");
  });
});

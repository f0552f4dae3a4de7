import { readdirSync, readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { dirname, extname, join, normalize } from "node:path";
import { ROOT } from "./pages.js";

/** Where the build puts the site. */
export const SITE = join(ROOT, "docs/.vitepress/dist");

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".css": "text/css",
  ".woff2": "font/woff2",
  ".json": "application/json",
};

/** Serves the site's files as they are, and nothing else. */
export async function serveSite(): Promise<{ origin: string; close(): Promise<void> }> {
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url ?? "/", "http://site");
    const name = normalize(decodeURI(pathname.endsWith("/") ? `${pathname}index.html` : pathname));
    try {
      const body = await readFile(join(SITE, name));
      response.writeHead(200, { "content-type": TYPES[extname(name)] ?? "text/plain" }).end(body);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** The site's files with an ending, relative to it. */
export function siteFiles(ending: string): string[] {
  return readdirSync(SITE, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(ending))
    .sort();
}

export function readSite(name: string): string {
  return readFileSync(join(SITE, name), "utf8");
}

const attributes = (html: string, pattern: RegExp) =>
  [...html.matchAll(pattern)].map(([, value = ""]) => value);

/** Links inside the site that lead to no page, or to no place on it. */
export function deadLinksIn(files: readonly string[]): string[] {
  const places = new Map(files.map((name) => [name, new Set(attributes(readSite(name), /\sid="([^"]+)"/g))]));
  return files.flatMap((from) =>
    attributes(readSite(from), /<a\s[^>]*href="([^"]+)"/g)
      .filter((href) => {
        if (/^[a-z]+:/i.test(href)) return false;
        const [path = "", anchor = ""] = href.replaceAll("&amp;", "&").split("#");
        const file = path === "" ? from : join(path.startsWith("/") ? "." : dirname(from), decodeURI(path));
        const page = places.get(file) ?? places.get(join(file, "index.html"));
        return !page || (anchor !== "" && !page.has(decodeURIComponent(anchor)));
      })
      .map((href) => `${from}: ${href}`),
  );
}

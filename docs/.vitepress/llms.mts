import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { GUIDES, SECTIONS, SUMMARY } from "./guides.mjs";
import { SHOWN } from "./repository-links.mjs";

/**
 * For programs that read: the guides as they were written, a list of them (`llms.txt`), and all of them in one file
 * (`llms-full.txt`).
 */
export async function writeTexts(options: { docs: string; out: string; base: string }): Promise<void> {
  const { docs, out, base } = options;
  const texts = await Promise.all(
    GUIDES.map(async ({ name }) => {
      const shown = SHOWN[`${name}.md`];
      const text = await readFile(shown ? join(docs, "..", shown) : join(docs, `${name}.md`), "utf8");
      // What the tests are told is of no use to a reader.
      return text.replaceAll(/^<!-- (not run|run with): .* -->\n\n?/gm, "");
    }),
  );
  const list = SECTIONS.map(({ title, guides }) =>
    [
      `## ${title}`,
      "",
      ...guides.map((guide) => `- [${guide.title}](${base}${guide.name}.md): ${guide.about}`),
    ].join("\n"),
  );
  const api = [
    "## API",
    "",
    `- [API reference](${base}api/index.html): every export, from the doc comments.`,
  ];
  const files = new Map([
    ["llms.txt", `# oidc-auth-client\n\n> ${SUMMARY}\n\n${list.join("\n\n")}\n\n${api.join("\n")}\n`],
    ["llms-full.txt", `# oidc-auth-client\n\n> ${SUMMARY}\n\n${texts.join("\n")}`],
    ...GUIDES.map(({ name }, index) => [`${name}.md`, texts[index] ?? ""] as const),
  ]);
  for (const [name, text] of files) {
    await mkdir(dirname(join(out, name)), { recursive: true });
    await writeFile(join(out, name), text);
  }
}

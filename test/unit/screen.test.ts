import { describe, expect, it } from "vitest";
import { HOSTILE_TEXTS } from "../support/hostile-text.js";
import { troubles, troublesIn } from "../support/screen.js";

/** The judge of what may come to a screen: it must see what it is there for. */

/** Harmless on a screen: they are meant for a shell, a page or a parser. */
const PLAIN = /shell|option|page|percent|prototype/;
/** Lines are what a program writes; in one text of an error or a step they are an attack. */
const LINES = "lines of its own";

describe("the judge of screens", () => {
  it.each(Object.entries(HOSTILE_TEXTS))("sees %s, in text and in bytes", (name, text) => {
    const seen = !PLAIN.test(name) && name !== LINES;
    expect(troubles(`before ${text} after`).length > 0).toBe(seen);
    // Halves of characters do not get so far: they become another one on the way.
    if (name !== "half a character") expect(troubles(Buffer.from(text)).length > 0).toBe(seen);
    for (const value of [{ deep: [{ [text]: 1 }] }, { deep: [{ a: text }] }, new Error(text)])
      expect(troublesIn(value).length > 0).toBe(seen || name === LINES);
  });

  it("knows the sequences of our own, and none that is nearly one", () => {
    const own = "\u001b[1mx\u001b[22m \u001b[38;5;16;48;5;231m▀\u001b[0m\r\u001b[2K\u001b[?25l\u001b[?25h";
    const link = (url: string) => `\u001b]8;;${url}\u001b\\\\x\u001b]8;;\u001b\\\\`.replaceAll("\\\\", "\\");
    expect(troubles(own + link("https://good.example/"))).toEqual([]);
    for (const url of ["file:///etc/passwd", "javascript:x", "https://a\u0007b", "https://ä"])
      expect(troubles(link(url))).not.toEqual([]);
    for (const other of [
      "\u001b[3m",
      "\u001b[2J",
      "\u001b[38;5;1m",
      "\u001b[?1049h",
      "\r",
      "\u001b[2K",
      "\u001b",
    ])
      expect(troubles(other), JSON.stringify(other)).not.toEqual([]);
    const copied = `\u001b]52;c;${Buffer.from("AB").toString("base64")}\u0007`;
    expect(troubles(copied)).not.toEqual([]);
    expect(troubles(copied, { copies: ["AB"] })).toEqual([]);
    expect(troubles(copied, { copies: ["AC"] })).not.toEqual([]);
  });

  it("sees what is too long, and bytes that are no text", () => {
    expect(troubles("x".repeat(9000))).toHaveLength(1);
    expect(troubles("x\n".repeat(40_000))).toHaveLength(1);
    expect(troubles(Uint8Array.of(0xff, 0xfe))).not.toEqual([]);
    expect(troubles(Buffer.from("ä").subarray(0, 1), { terminal: true })).toEqual([]);
    expect(troubles("a\r\nb\n", { terminal: true })).toEqual([]);
    expect(troubles("a\rb", { terminal: true })).not.toEqual([]);
  });
});

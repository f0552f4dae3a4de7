import { isRecord } from "../jwt.js";
import { sameEntry } from "./entry.js";

/** One member of a JSON object, as its text has it. */
interface Member {
  readonly key: string;
  /** The key in quotes. */
  readonly name: string;
  readonly value: string;
}

/**
 * The text of an object that was read and changed: what is as it was keeps its very text. So numbers keep their digits,
 * members their order, and what is nested too deep to be written anew is not written anew.
 *
 * @param next the members as they are to be
 * @param before the members as they were read from `text`
 * @param text valid JSON of an object
 * @param indent of the line that the object begins on
 */
export function changedText(
  next: ReadonlyMap<string, unknown>,
  before: Readonly<Record<string, unknown>>,
  text: string,
  indent = "",
): string {
  const inner = `${indent}  `;
  const members = membersOf(text);
  // Where a key stands twice, the last one is what was read.
  const last = new Map(members.map((member) => [member.key, member]));
  const lines: string[] = [];
  for (const member of members) {
    const { key, name, value } = member;
    const wanted = next.get(key);
    if (wanted === undefined) continue;
    if (sameEntry(wanted, before[key])) lines.push(`${name}: ${value}`);
    else if (last.get(key) === member) {
      lines.push(`${name}: ${textFor(wanted, before[key], value, inner)}`);
    }
  }
  for (const [key, wanted] of next) {
    if (wanted === undefined || last.has(key)) continue;
    lines.push(`${JSON.stringify(key)}: ${textOf(wanted, inner)}`);
  }
  return lines.length === 0 ? "{}" : `{\n${inner}${lines.join(`,\n${inner}`)}\n${indent}}`;
}

function textFor(wanted: unknown, before: unknown, text: string, indent: string): string {
  if (!isRecord(wanted) || !isRecord(before)) return textOf(wanted, indent);
  return changedText(new Map(Object.entries(wanted)), before, text, indent);
}

function textOf(value: unknown, indent: string): string {
  // No string of JSON holds a line break.
  return JSON.stringify(value, null, 2).replaceAll("\n", `\n${indent}`);
}

/** The members of an object, in their order. Nothing is checked: the text was parsed before. */
function membersOf(text: string): Member[] {
  const members: Member[] = [];
  let [depth, from, name] = [0, 0, ""];
  for (let at = 0; at < text.length; at++) {
    const char = text[at];
    if (char === '"') at = endOfString(text, at);
    else if (char === "{" || char === "[") {
      if (++depth === 1) from = at + 1;
    } else if (depth === 1 && char === ":") {
      name = text.slice(from, at).trim();
      from = at + 1;
    } else if (depth === 1 && (char === "," || char === "}")) {
      if (name) members.push({ key: JSON.parse(name), name, value: text.slice(from, at).trim() });
      [from, name] = [at + 1, ""];
    }
    if (char === "}" || char === "]") depth--;
  }
  return members;
}

/** @param at where it begins */
function endOfString(text: string, at: number): number {
  let end = at + 1;
  while (text[end] !== '"') end += text[end] === "\\" ? 2 : 1;
  return end;
}

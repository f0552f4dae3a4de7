import { AuthError } from "../errors.js";
import { cleanText, withoutTokens } from "../text.js";

/** Checks of single settings: each throws `invalid_config`, naming the field and the value. */

export function boolean(field: string, value: unknown, fallback: boolean): boolean {
  if (value === undefined) return fallback;
  if (typeof value !== "boolean") throw invalid(field, "must be true or false", value);
  return value;
}

/** Checks that an option is one of the allowed words. */
export function oneOf<T extends string>(
  field: string,
  value: unknown,
  allowed: readonly T[],
  fallback: T,
): T {
  if (value === undefined) return fallback;
  const found = allowed.find((word) => word === value);
  if (found === undefined) throw invalid(field, `must be one of ${allowed.join(", ")}`, value);
  return found;
}

/** A text that is not empty; `undefined` where it is not given. */
export function text(field: string, value: unknown): string | undefined {
  if (value === undefined) return undefined;
  if (typeof value !== "string" || value.trim() === "")
    throw invalid(field, "must be a text that is not empty", value);
  return value;
}

/** The same for a secret, which no message may show. */
export function secret(field: string, value: unknown): string | undefined {
  if (value === undefined) return undefined;
  if (typeof value !== "string" || value.trim() === "") {
    throw invalid(field, "must be a text that is not empty", undefined);
  }
  return value;
}

/** Checks a length of time: one that is no number, or none, would be waited for without a pause, or for ever. */
export function duration(field: string, value: unknown, unit: "seconds" | "milliseconds" = "seconds"): void {
  if (typeof value === "number" && Number.isFinite(value) && value > 0) return;
  throw invalid(field, `must be a number of ${unit} above 0`, value);
}

/** The same for those of some options that are given. */
export function durations<N extends string>(
  options: Readonly<Partial<Record<N, unknown>>>,
  names: readonly N[],
  unit?: "seconds" | "milliseconds",
): void {
  for (const name of names) {
    if (options[name] !== undefined) duration(name, options[name], unit);
  }
}

export function portList(field: string, value: readonly number[] | undefined): readonly number[] | undefined {
  if (value === undefined) return undefined;
  if (!Array.isArray(value) || value.length === 0) {
    throw invalid(field, "must be a list of at least one port", value);
  }
  for (const port of value) {
    if (!Number.isInteger(port) || port < 1 || port > 65_535) {
      throw invalid(field, "must hold whole numbers from 1 to 65535", port);
    }
  }
  return Object.freeze([...new Set(value)]);
}

export function scopeList(
  field: string,
  value: readonly string[] | undefined,
): readonly string[] | undefined {
  if (value === undefined) return undefined;
  // RFC 6749 §3.3: visible ASCII without blank, quote and backslash.
  const bad = Array.isArray(value)
    ? value.find((scope) => typeof scope !== "string" || !/^[\x21\x23-\x5b\x5d-\x7e]+$/.test(scope))
    : value;
  if (bad !== undefined) throw invalid(field, "must be a list of scope names", bad);
  return Object.freeze([...value]);
}

/** Names and values of parameters: a plain object of texts. */
export function parameterMap(field: string, value: unknown): Readonly<Record<string, string>> {
  if (value === undefined) return Object.freeze({});
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw invalid(field, "must be an object of texts", value);
  }
  for (const [name, one] of Object.entries(value)) {
    if (typeof one !== "string") throw invalid(`${field}.${name}`, "must be a text", one);
  }
  return Object.freeze({ ...(value as Record<string, string>) });
}

/** Refuses members that mean nothing: a misspelt setting must not be silently without effect. */
export function onlyKnown(init: object, known: readonly string[], whose: string): void {
  for (const [name, value] of Object.entries(init)) {
    if (value !== undefined && !known.includes(name))
      throw invalid(name, `is not a setting of ${whose}`, undefined);
  }
}

/** The error for a wrong argument: names the field and the value. */
export function invalid(field: string, what: string, value: unknown): AuthError {
  const shown = value === undefined ? "" : ` (it is ${cleanText(withoutTokens(describe(value)), 120)})`;
  return new AuthError("invalid_config", `${field} ${what}${shown}.`);
}

function describe(value: unknown): string {
  try {
    // In JSON what is no number, or without end, is null.
    return typeof value === "number" ? String(value) : (JSON.stringify(value) ?? String(value));
  } catch {
    return typeof value;
  }
}

/** An object without its undefined members, so that spreading it over another one keeps that one's values. */
export function dropUndefined<T extends object>(options: T): Partial<T> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as Partial<T>;
}

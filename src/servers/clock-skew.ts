import type { Context } from "../context.js";

/** How far (milliseconds) the clock of each origin was ahead of ours when it last answered. */
const measured = new Map<string, number>();
const MAX_ORIGINS = 100;

/** A difference up to this (milliseconds) is none: `Date` has whole seconds, and answers take time. */
const NEGLIGIBLE_MS = 2000;
/** Past this (milliseconds) people should know: other programs will not allow for it. */
const WARN_MS = 30_000;

/** Who was already told. */
const warned = new WeakMap<Context, Set<string>>();

/**
 * Measures a server's clock by the `Date` of its answer (RFC 9110 §6.6.1), and warns where ours is far off.
 *
 * @param asked Unix milliseconds at which the request was sent
 */
export function measureSkew(url: URL, headers: Headers, asked: number, context: Context): void {
  const date = Date.parse(headers.get("date") ?? "");
  const age = Number(headers.get("age") ?? 0);
  // What a cache answers says when it was asked, not what time it is.
  if (Number.isNaN(date) || age > 0) return;
  // The header drops the fraction of a second: half of one is the best guess.
  const skew = date + 500 - (asked + context.now()) / 2;
  if (measured.size >= MAX_ORIGINS) measured.clear();
  measured.set(url.origin, Math.abs(skew) <= NEGLIGIBLE_MS ? 0 : skew);
  if (Math.abs(skew) <= WARN_MS) return;
  const told = warned.get(context) ?? new Set();
  warned.set(context, told);
  if (told.has(url.origin)) return;
  told.add(url.origin);
  const seconds = Math.round(Math.abs(skew) / 1000);
  const direction = skew > 0 ? "behind" : "ahead of";
  const message = `The clock of this machine is ${seconds} s ${direction} that of ${url.origin}. It is allowed for, but set it right (NTP).`;
  context.emit({ type: "warning", message });
}

/** How far (milliseconds) the clock of a server is ahead of ours; 0 where that is not known. */
export function skewOf(url: URL): number {
  return measured.get(url.origin) ?? 0;
}

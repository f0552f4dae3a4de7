import type { Context } from "../context.js";

/** How far (milliseconds) the clock of each origin was ahead of ours when it last answered. */
const measured = new Map<string, { readonly skew: number; readonly real: number }>();
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
  const skew = note(url, headers, (asked + context.now()) / 2);
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

/** The same where only the time for what we sign is wanted. */
export function noteServerTime(url: URL, headers: Headers): void {
  note(url, headers, Date.now());
}

/** Keeps what time it is at a server. @returns how far (milliseconds) its clock is ahead of `now` */
function note(url: URL, headers: Headers, now: number): number {
  const date = Date.parse(headers.get("date") ?? "");
  // What a cache answers says when it was asked, not what time it is.
  if (Number.isNaN(date) || Number(headers.get("age") ?? 0) > 0) return 0;
  // The header drops the fraction of a second: half of one is the best guess.
  const [skew, real] = [date + 500 - now, date + 500 - Date.now()];
  const effective = (ms: number) => (Math.abs(ms) <= NEGLIGIBLE_MS ? 0 : ms);
  if (measured.size >= MAX_ORIGINS) measured.clear();
  measured.set(url.origin, { skew: effective(skew), real: effective(real) });
  return skew;
}

/** How far (milliseconds) the clock of a server is ahead of ours; 0 where that is not known. */
export function skewOf(url: URL): number {
  return measured.get(url.origin)?.skew ?? 0;
}

/** What time it is at a server (Unix seconds), for what libraries sign: they read the real clock, not a caller's own. */
export function serverSeconds(url: URL): number {
  return Math.floor((Date.now() + (measured.get(url.origin)?.real ?? 0)) / 1000);
}

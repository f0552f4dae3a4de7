import { openText } from "./secrets.js";

const MAX_DEPTH = 5;
const MAX_ERRORS = 10;
/** What the system's errors have beside their message. */
const FACTS = ["code", "errno", "syscall", "hostname", "address", "port"] as const;

/** Makes text of somebody else's fit to be shown. */
type Open = (text: string) => string;

/**
 * What is kept of somebody else's error as a cause: what it says, where it was thrown, and the system's codes. Nothing
 * else of it: databases keep the statement and its values in their errors, `undici` what it could not parse.
 *
 * @param open hides what its messages must not show; default: what looks like a token
 */
export function foreignCause(error: unknown, open: Open = openText, depth = 0): Error | undefined {
  if (error === undefined || error === null || depth >= MAX_DEPTH) return undefined;
  const inner = error instanceof Error ? foreignCause(error.cause, open, depth + 1) : undefined;
  const kept = new Error(foreignMessage(error, open), inner && { cause: inner });
  if (!(error instanceof Error)) return kept;
  kept.name = open(error.name);
  for (const name of FACTS) {
    const value = (error as unknown as Record<string, unknown>)[name];
    if (typeof value === "number") Object.assign(kept, { [name]: value });
    if (typeof value === "string") Object.assign(kept, { [name]: open(value) });
  }
  if (error instanceof AggregateError) {
    const errors = error.errors.slice(0, MAX_ERRORS).map((one) => foreignCause(one, open, depth + 1));
    Object.assign(kept, { errors });
  }
  kept.stack = [`${kept.name}: ${kept.message}`, ...framesOf(error)].join("\n");
  return kept;
}

/** The lines of a stack that follow the message, which may be of several lines itself. */
function framesOf({ stack = "", message }: Error): string[] {
  const at = typeof message === "string" ? stack.indexOf(message) : -1;
  const frames = at < 0 ? "" : stack.slice(at + message.length);
  return frames.split("\n").filter((line) => /^\s+at /.test(line));
}

/** An error of several, as of a host with several addresses, often says nothing itself. */
function wordsOf(error: Error): string {
  const { code } = error as NodeJS.ErrnoException;
  const first =
    error instanceof AggregateError ? error.errors.find((one) => one instanceof Error) : undefined;
  const said = [error.message, code, first?.message].find((one) => typeof one === "string" && one !== "");
  return said ?? "it does not say why";
}

/** What somebody else's error says, as far as it can be shown. */
export function foreignMessage(error: unknown, open: Open = openText): string {
  if (!(error instanceof Error)) return "something was thrown that is no error";
  const message = wordsOf(error);
  // `fetch` quotes a header that it cannot send.
  const [first, last] = [message.indexOf('"'), message.lastIndexOf('" is an invalid header')];
  return open(first >= 0 && last > first ? `${message.slice(0, first)}"…${message.slice(last)}` : message);
}

import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { AuthEvent } from "../../src/context.js";
import type { Places } from "./taint.js";

/** What a call of the library is given, so that all that it tells can be searched. */
export interface Ears {
  onEvent(event: AuthEvent): void;
  explain(step: string): void;
  /** For what a run finds by itself, such as the pages that its browser was shown. */
  keep(place: string, content: unknown): void;
}

/** Runs something, and gives all that came out of it in whatever way, within this process. */
export async function heard(run: (ears: Ears) => Promise<unknown>): Promise<Places> {
  const places: Record<string, unknown> = {};
  const list = (place: string): unknown[] => {
    const known = (places[place] ?? []) as unknown[];
    places[place] = known;
    return known;
  };
  const onMessage = (message: unknown) => void list("diagnostics").push(message);
  const onWarning = (warning: Error) => void list("warnings").push(warning.stack, { ...warning });
  const streams = { stdout: process.stdout, stderr: process.stderr };
  const restore = Object.entries(streams).map(([name, stream]) => {
    const { write } = stream;
    stream.write = ((text: string | Uint8Array) => {
      list(name).push(String(text));
      return true;
    }) as typeof write;
    return () => void Object.assign(stream, { write });
  });
  subscribe("oidc-auth-client", onMessage);
  process.on("warning", onWarning);
  try {
    places["result"] = await run({
      onEvent: (event) => void list("events").push(event),
      explain: (step) => void list("explain").push(step),
      keep: (place, content) => void list(place).push(content),
    });
  } catch (error) {
    places["error"] = error;
  } finally {
    // A warning is told in the next turn.
    await new Promise((resolve) => setImmediate(resolve));
    process.off("warning", onWarning);
    unsubscribe("oidc-auth-client", onMessage);
    for (const undo of restore) undo();
  }
  return places;
}

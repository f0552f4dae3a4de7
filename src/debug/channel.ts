import type { DebugFact, DebugMessage } from "./message.js";

type Channel = import("node:diagnostics_channel").Channel;

let opened: Channel | undefined;

/** Loaded at the first message, not with the library: it costs 0.2 ms, once. */
function channel(): Channel {
  opened ??= process.getBuiltinModule("node:diagnostics_channel").channel("oidc-auth-client");
  return opened;
}

/** Whether anybody wants to be told. */
export function isObserved(): boolean {
  return channel().hasSubscribers;
}

/** Tells a fact to whoever wants to know it; otherwise it is not even made. */
export function publish(fact: () => DebugFact): void {
  if (isObserved()) channel().publish({ time: Date.now(), ...fact() } satisfies DebugMessage);
}

/** Whether `OIDC_AUTH_DEBUG` asks for lines on standard error. */
export function wantsDebugLines(env: Readonly<Record<string, string | undefined>>): boolean {
  const value = env["OIDC_AUTH_DEBUG"];
  return value !== undefined && value !== "" && value !== "0";
}

/** Where lines go: such as standard error, which somebody may close. */
export interface LineStream {
  write(text: string): unknown;
  on?(event: "error", listener: () => void): unknown;
  off?(event: "error", listener: () => void): unknown;
}

let printing = false;

/**
 * Prints all messages as lines, from now on; once, however many ask for it.
 *
 * @returns what ends it, when the printing is ready
 */
export async function printDebugLines(stream: LineStream): Promise<() => void> {
  if (printing) return () => {};
  printing = true;
  const begun = Date.now();
  // What happens until the printer is loaded is printed then.
  const waiting: DebugMessage[] = [];
  let take = (message: DebugMessage): void => void waiting.push(message);
  const onMessage = (message: unknown) => take(message as DebugMessage);
  // Where nobody reads the lines, what they are about goes on.
  const onError = () => {};
  const end = () => {
    channel().unsubscribe(onMessage);
    stream.off?.("error", onError);
    printing = false;
  };
  channel().subscribe(onMessage);
  stream.on?.("error", onError);
  try {
    const { debugLine } = await import("./lines.js");
    take = (message) => void stream.write(`${debugLine(message, begun)}\n`);
    waiting.forEach(take);
    return end;
  } catch (error) {
    end();
    throw error;
  }
}

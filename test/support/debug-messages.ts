import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { onTestFinished } from "vitest";
import type { DebugMessage } from "../../src/debug/message.js";

/** All messages that are published until the test has finished. */
export function debugMessages(): DebugMessage[] {
  const messages: DebugMessage[] = [];
  const keep = (message: unknown) => void messages.push(message as DebugMessage);
  subscribe("oidc-auth-client", keep);
  onTestFinished(() => void unsubscribe("oidc-auth-client", keep));
  return messages;
}

import type { AuthEvent } from "../context.js";
import { cleanText } from "../text.js";
import type { DebugMessage, LoginMessage, RequestMessage, StoreMessage } from "./message.js";

const MAX_LENGTH = 2000;

/**
 * A message as one line.
 *
 * @param begun Unix milliseconds that its time is told from
 */
export function debugLine(message: DebugMessage, begun: number): string {
  return cleanText(`oidc-auth [+${Math.max(0, message.time - begun)} ms] ${textOf(message)}`, MAX_LENGTH);
}

function textOf(message: DebugMessage): string {
  switch (message.type) {
    case "request":
      return requestText(message);
    case "event":
      return eventText(message.event);
    case "explain":
      return message.text;
    case "store":
      return storeText(message);
    case "login":
      return loginText(message);
    case "failed":
      return `failed: ${message.code}: ${message.message}`;
  }
}

function requestText(message: RequestMessage): string {
  const { method, url, form = {}, authorization, status, contentType, error, reason, durationMs } = message;
  const parts = [
    ...fields(form),
    ...(authorization === undefined ? [] : [`authorization: ${authorization} …`]),
    ...(status === undefined ? [] : [String(status)]),
    ...[contentType, error, reason].filter((part) => part !== undefined && part !== ""),
    ms(durationMs),
  ];
  return `${method} ${url} (${parts.join(", ")})`;
}

function eventText({ type, ...told }: AuthEvent): string {
  return [`event ${type}`, ...fields(told)].join(", ");
}

function storeText({ action, store, key, account, done, holder, durationMs }: StoreMessage): string {
  const parts = [
    ...(key === undefined ? [] : [key]),
    ...(account === undefined ? [] : [`account ${account}`]),
    ...(done === false ? [action === "read" ? "nothing is there" : "not done"] : []),
    ...(holder === undefined ? [] : [`held by ${holder}`]),
    ...(durationMs === undefined ? [] : [`after ${ms(durationMs)}`]),
  ];
  return `store ${action.replaceAll("_", " ")} (${[...parts, store].join(", ")})`;
}

function loginText(message: LoginMessage): string {
  switch (message.step) {
    case "listening":
      return `login: listening at ${message.redirectUri}`;
    case "browser":
      return `login: the browser is to open ${message.url}`;
    case "device_code":
      return `login: a code for ${message.verificationUri}, valid for ${message.expiresIn} s, asked for every ${message.interval} s`;
    case "callback":
      return `login: ${message.ours ? "the browser came back" : "a callback of another login was ignored"} (${fields(message.parameters).join(", ")})`;
  }
}

function fields(values: object): string[] {
  return Object.entries(values).map(
    ([name, value]) => `${name}=${String(typeof value === "number" ? Math.round(value) : value)}`,
  );
}

function ms(duration: number): string {
  return `${Math.round(duration)} ms`;
}

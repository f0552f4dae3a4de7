import { dirname } from "node:path";
import type { Config } from "../config.js";
import type { Context } from "../context.js";
import type { TokenStore } from "../store/token-store.js";

/** Who is to be spoken to, and what is known of it. */
export interface ServerQuestion {
  readonly config: Config;
  readonly store: TokenStore;
  readonly account: string | undefined;
  readonly context: Context;
  /** Ends the asking. */
  readonly signal: AbortSignal;
  /** Whether the server has forgotten the client that the stored login is of. */
  readonly forgotten: boolean;
}

/** Beside the store's file lies what providers say of themselves. */
export function folderOf(store: TokenStore): string | undefined {
  return store.path === undefined ? undefined : dirname(store.path);
}

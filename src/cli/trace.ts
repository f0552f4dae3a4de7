import { AuthError } from "../errors.js";
import { foreignCause } from "../foreign-error.js";

const MAX_DEPTH = 10;

/** Where an error comes from: its stack, and those of what caused it. */
export function traceOf(error: unknown): string {
  const traces: string[] = [];
  for (let one = error; one instanceof Error && traces.length < MAX_DEPTH; one = one.cause) {
    // Ours holds no secret; what else there is may.
    const { stack = String(one) } = one instanceof AuthError ? one : (foreignCause(one) ?? one);
    traces.push(stack);
  }
  return traces.join("\nCaused by: ");
}

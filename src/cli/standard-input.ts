import { UsageError } from "./command.js";
import type { CliIo } from "./io.js";

/** No program that asks for credentials has more to say. */
const MAX_INPUT = 64 * 1024;

/**
 * What another program says on standard input.
 *
 * @param isWhole whether it has said all: it may leave the pipe open
 * @throws UsageError where it is longer than any such question
 */
export async function readInput(
  { stdin }: CliIo,
  isWhole: (text: string) => boolean = () => false,
): Promise<string> {
  let text = "";
  for await (const chunk of stdin ?? []) {
    text += typeof chunk === "string" ? chunk : Buffer.from(chunk).toString("utf8");
    if (text.length > MAX_INPUT) throw new UsageError("what stands on standard input is too long");
    if (isWhole(text)) break;
  }
  return text;
}

/**
 * The number of the user as whom this process reads and writes files.
 *
 * @returns undefined where there is none (Windows), or where it is not told: on Deno without `--allow-sys=uid`
 */
export function ownUid(): number | undefined {
  try {
    return process.geteuid?.();
  } catch {
    return undefined;
  }
}

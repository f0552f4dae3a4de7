/** For how many texts an answer is kept. */
const MAX_KNOWN = 100;

/**
 * The answer for a text, worked out once: a program asks for the same few servers again and again. What throws is not
 * kept.
 *
 * @param known the answers so far
 */
export function remembered<T>(known: Map<string, T>, text: string, workOut: (text: string) => T): T {
  const before = known.get(text);
  if (before !== undefined) return before;
  const answer = workOut(text);
  if (known.size >= MAX_KNOWN) known.clear();
  known.set(text, answer);
  return answer;
}

/** Up to this length a name is short: one wrong letter is all that it can bear. */
const SHORT = 4;

/** The one of some names that a mistyped word most likely means; without the dashes that some begin with. */
export function nearName(word: string, names: readonly string[]): string | undefined {
  const most = word.length > SHORT ? 2 : word.length > 1 ? 1 : 0;
  for (let edits = 0; edits <= most; edits++) {
    const found = names.find((name) => isNear(word.toLowerCase(), name.replace(/^-+/, ""), edits));
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Whether one becomes the other by so many letters at most that are added, left out, exchanged, or swapped. */
function isNear(one: string, other: string, edits: number): boolean {
  if (one === other) return true;
  const [first, next] = [one.slice(1), other.slice(1)];
  if (one !== "" && one[0] === other[0]) return isNear(first, next, edits);
  if (edits === 0) return false;
  const swapped = one.length > 1 && one[0] === other[1] && one[1] === other[0];
  return (
    isNear(first, other, edits - 1) ||
    isNear(one, next, edits - 1) ||
    isNear(first, next, edits - 1) ||
    (swapped && isNear(one.slice(2), other.slice(2), edits - 1))
  );
}

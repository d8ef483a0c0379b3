/** Spelling help: the word somebody may have meant. */

/** More differences than this are another word. */
const MOST_DIFFERENCES = 2;

/** The word of `known` that differs least from `wanted`, if it is near enough to be meant; the first of equals. */
export function nearestWord(wanted: string, known: readonly string[]): string | undefined {
  let nearest: string | undefined;
  let least = MOST_DIFFERENCES + 1;
  for (const word of known) {
    const distance = editDistance(word, wanted);
    if (distance < least) {
      nearest = word;
      least = distance;
    }
  }
  return nearest;
}

/** Levenshtein distance of two short words. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const substituted = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, substituted));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}

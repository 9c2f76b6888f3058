/**
 * What somebody may have meant who wrote something else.
 *
 * @module
 */

/** How many letters may be wrong, missing or too many. */
const MAX_DISTANCE = 2;

/**
 * The nearest of the accepted words, as the end of an error text.
 *
 * @param word What was written.
 * @param accepted What is accepted.
 * @returns `did you mean …?`, or `see --help` if none is near.
 */
export function didYouMean(word: string, accepted: readonly string[]): string {
  const [nearest] = accepted
    .map((candidate) => ({ candidate, by: distance(word, candidate) }))
    .filter(({ by }) => by <= MAX_DISTANCE)
    .sort((a, b) => a.by - b.by);
  return nearest === undefined
    ? "see --help"
    : `did you mean ${nearest.candidate}?`;
}

/** How many letters must be put in, taken out or changed (Levenshtein). */
function distance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, i) => i);
  for (const [i, letter] of [...from].entries()) {
    const next = [i + 1];
    for (const [j, other] of [...to].entries()) {
      next.push(Math.min(
        (next[j] ?? 0) + 1,
        (row[j + 1] ?? 0) + 1,
        (row[j] ?? 0) + (letter === other ? 0 : 1),
      ));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}

// How much of a live transcript was taken back. Knows the hypotheses of one utterance in order; knows no dialect.

/**
 * What was taken back of an utterance, or of many if both fields are added up. Erased ÷ final words is 0 for a transcript
 * that never changed and 1 for one that was rewritten once; above 1 is possible. Never average ratios.
 */
export interface Erasure {
  /** Words that were shown and then removed or changed. */
  readonly erasedWords: number;
  /** Words of the last hypothesis. */
  readonly finalWords: number;
}

/**
 * Counts the words that each hypothesis takes back of the one before (normalized erasure; Arivazhagan et al. 2020,
 * "Re-translation versus streaming for simultaneous translation"):
 *
 *     erased = Σ_j max(0, |o_{j−1}| − |LCP(o_{j−1}, o_j)|)
 *
 * with LCP the longest common prefix in words. If the last word of a hypothesis only grew (`recog`, `recognise`), nothing
 * that was shown was taken back and it counts as kept. So a server that only appends characters erases nothing.
 *
 * @param hypotheses - The whole text so far at each event, in normalised words, the final transcript last.
 */
export function countErasure(hypotheses: readonly (readonly string[])[]): Erasure {
  let erasedWords = 0;
  for (let index = 1; index < hypotheses.length; index++) {
    const before = hypotheses[index - 1] ?? [];
    erasedWords += before.length - keptWords(before, hypotheses[index] ?? []);
  }
  return { erasedWords, finalWords: hypotheses.at(-1)?.length ?? 0 };
}

function keptWords(before: readonly string[], after: readonly string[]): number {
  let kept = 0;
  while (kept < before.length && before[kept] === after[kept]) kept++;
  const hasOnlyGrown =
    kept === before.length - 1 && after[kept]?.startsWith(before[kept] ?? "") === true;
  return hasOnlyGrown ? kept + 1 : kept;
}

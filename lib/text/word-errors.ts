// Word alignment of two transcripts. Knows Levenshtein's distance over words and the path behind it; refuses to know
// what a word is: lib/text/normalise.ts decides that.

/** How a hypothesis lies against its reference, word by word. */
export interface WordAlignment {
  /** Words of the reference that the hypothesis has as another word. */
  readonly substitutions: number;
  /** Words of the reference that the hypothesis lacks. */
  readonly deletions: number;
  /** Words of the hypothesis that the reference lacks. */
  readonly insertions: number;
  /** Words that are equal. `hits + substitutions + deletions` is the length of the reference. */
  readonly hits: number;
  /**
   * The path from the first word to the last: `[reference index, hypothesis index]`, with -1 for the missing side of
   * a deletion `[i, -1]` or an insertion `[-1, j]`. Indices that are not -1 rise by one on each side.
   */
  readonly pairs: ReadonlyArray<readonly [number, number]>;
}

type Pair = readonly [number, number];

const NO_PAIR: Pair = [-1, -1];
const HIT = 0;
const SUBSTITUTION = 1;
const DELETION = 2;
const INSERTION = 3;

/**
 * Aligns two transcripts with the fewest substitutions, deletions and insertions (each costs 1).
 *
 * Several alignments may be equally short. Equal words at the start and at the end of both texts are hits; between
 * them the choice is made from the end: at each step back a hit is preferred to a substitution, that to a deletion,
 * and that to an insertion. So the same words always give the same pairs.
 *
 * Time and memory grow with the product of the lengths between the equal ends if these have a common word, hence
 * linearly for equal texts and for a few wrong words in one place. A cell takes one byte (100 MB for two texts of
 * 10 000 different words) and 0.6 µs in k6's engine (measured: 25 by 25 words 0.5 ms, 300 by 300 words 58 ms).
 *
 * @param reference - What was said, in normalised words.
 * @param hypothesis - What was recognised, in words normalised by the same rules.
 */
export function alignWords(
  reference: readonly string[],
  hypothesis: readonly string[],
): WordAlignment {
  const lead = equalAtStart(reference, hypothesis);
  if (lead === reference.length && lead === hypothesis.length) return allHits(lead);
  const tail = equalAtEnd(reference, hypothesis, lead);
  const rows = reference.slice(lead, reference.length - tail);
  const columns = hypothesis.slice(lead, hypothesis.length - tail);
  const moves = hasCommonWord(rows, columns) ? bestMoves(rows, columns) : undefined;
  const core = walkBack(moves, rows.length, columns.length);
  const pairs: Pair[] = [];
  for (let i = 0; i < lead; i++) pairs.push([i, i]);
  for (let k = core.path.length - 1; k >= 0; k--) {
    const [i, j] = core.path[k] ?? NO_PAIR;
    pairs.push([i < 0 ? i : i + lead, j < 0 ? j : j + lead]);
  }
  for (let k = tail; k > 0; k--) pairs.push([reference.length - k, hypothesis.length - k]);
  const [hits, substitutions, deletions, insertions] = core.counts;
  return { hits: hits + lead + tail, substitutions, deletions, insertions, pairs };
}

function allHits(hits: number): WordAlignment {
  const pairs: Pair[] = [];
  for (let i = 0; i < hits; i++) pairs[i] = [i, i];
  return { hits, substitutions: 0, deletions: 0, insertions: 0, pairs };
}

/**
 * Word errors of one hypothesis: substitutions + deletions + insertions. Divide sums over many utterances
 * (`wer = Σ errors / Σ reference words`), never average the ratios. Costs as much as {@link alignWords}.
 *
 * @param reference - What was said, in normalised words.
 * @param hypothesis - What was recognised, in words normalised by the same rules.
 * @returns A whole number, 0 for equal texts. It can exceed the length of the reference.
 */
export function wordErrors(reference: readonly string[], hypothesis: readonly string[]): number {
  const { substitutions, deletions, insertions } = alignWords(reference, hypothesis);
  return substitutions + deletions + insertions;
}

function equalAtStart(reference: readonly string[], hypothesis: readonly string[]): number {
  const most = Math.min(reference.length, hypothesis.length);
  let count = 0;
  while (count < most && reference[count] === hypothesis[count]) count += 1;
  return count;
}

/** Equal words at the end, not counting the `lead` words that were found equal at the start. */
function equalAtEnd(
  reference: readonly string[],
  hypothesis: readonly string[],
  lead: number,
): number {
  const most = Math.min(reference.length, hypothesis.length) - lead;
  let count = 0;
  while (count < most && reference.at(-1 - count) === hypothesis.at(-1 - count)) count += 1;
  return count;
}

function hasCommonWord(reference: readonly string[], hypothesis: readonly string[]): boolean {
  if (reference.length === 0 || hypothesis.length === 0) return false;
  const words = new Set(reference);
  return hypothesis.some((word) => words.has(word));
}

/**
 * The preferred last move of a shortest path to each cell (i, j), row after row. Rows and columns start at word 1,
 * for the moves along the edges are known: only insertions in row 0, only deletions in column 0.
 *
 * One row of costs is kept and overwritten from left to right; the local variables hold what was overwritten. This
 * reads each cost once, which matters in k6's engine.
 */
function bestMoves(reference: readonly string[], hypothesis: readonly string[]): Uint8Array {
  const columns = hypothesis.length;
  const moves = new Uint8Array(reference.length * columns);
  const costs = new Uint32Array(columns).map((_, j) => j + 1);
  let index = 0;
  for (let i = 0; i < reference.length; i++) {
    const word = reference[i];
    let diagonal = i;
    let left = i + 1;
    for (let j = 0; j < columns; j++) {
      const above = costs[j] ?? 0;
      const isHit = word === hypothesis[j];
      let cost = isHit ? diagonal : diagonal + 1;
      let move = isHit ? HIT : SUBSTITUTION;
      if (above + 1 < cost) {
        cost = above + 1;
        move = DELETION;
      }
      if (left + 1 < cost) {
        cost = left + 1;
        move = INSERTION;
      }
      costs[j] = cost;
      moves[index++] = move;
      diagonal = above;
      left = cost;
    }
  }
  return moves;
}

/**
 * Follows the moves from the last cell to the first: how often each was made, and the pairs, last first.
 *
 * @param moves - None for texts without a common word: then as many substitutions as there can be.
 */
function walkBack(
  moves: Uint8Array | undefined,
  rows: number,
  columns: number,
): { readonly counts: readonly [number, number, number, number]; readonly path: readonly Pair[] } {
  const counts: [number, number, number, number] = [0, 0, 0, 0];
  const path: Pair[] = [];
  let i = rows;
  let j = columns;
  while (i > 0 || j > 0) {
    const inside = moves === undefined ? SUBSTITUTION : moves[(i - 1) * columns + j - 1];
    const move = i === 0 ? INSERTION : j === 0 ? DELETION : inside;
    if (move === INSERTION) {
      j -= 1;
      path.push([-1, j]);
      counts[INSERTION] += 1;
    } else if (move === DELETION) {
      i -= 1;
      path.push([i, -1]);
      counts[DELETION] += 1;
    } else {
      i -= 1;
      j -= 1;
      path.push([i, j]);
      counts[move === HIT ? HIT : SUBSTITUTION] += 1;
    }
  }
  return { counts, path };
}

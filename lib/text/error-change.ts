// How the error rate changed between two runs that spoke the same clips. Knows counts a clip; knows no transcript.

import {
  type BootstrapInterval,
  type BootstrapOptions,
  bootstrapRatio,
} from "../stats/bootstrap.ts";

/** The errors of one utterance, or of a session with several, and what was said. */
export interface ClipErrors {
  /** Name of the clip: utterances of the same clip are no independent evidence. */
  readonly clip: string;
  /** Wrong words, or characters. */
  readonly errors: number;
  /** Words or characters of the reference. */
  readonly length: number;
}

/** A change of the error rate. */
export interface ErrorChange {
  /** Rate of the candidate − rate of the baseline, over the clips that both spoke: 0.01 is one point more. */
  readonly change: number;
  /** Its confidence interval; absent for a single clip, which says nothing of others. */
  readonly interval?: BootstrapInterval;
  /** Clips that both runs spoke: the sample size. */
  readonly clips: number;
  /** Clips that only one of the runs spoke, left out. */
  readonly unpairedClips: number;
}

/**
 * Compares the error rates of two runs clip by clip (paired bootstrap, Bisani and Ney 2004; drawn in blocks of one
 * clip's utterances, Liu and Peng 2019).
 *
 *     change = Σ over clips of L_c · (b_c ÷ m_c − a_c ÷ n_c) ÷ Σ L_c
 *
 * with a and b the errors of all utterances of clip c in the baseline and in the candidate, n and m their reference
 * lengths, L the clip's own. For runs that spoke each clip equally often that is the difference of the pooled rates;
 * otherwise a run is not judged by the clips it happened to speak more often.
 *
 * Six clips spoken a thousand times are a sample of six: use the change as an alarm that audio is lost, not as a claim
 * about the recogniser.
 *
 * @returns `undefined` if no clip with a reference was spoken in both runs.
 * @throws {RangeError} If an option is not in its range.
 */
export function compareErrors(
  baseline: readonly ClipErrors[],
  candidate: readonly ClipErrors[],
  options: BootstrapOptions,
): ErrorChange | undefined {
  const before = poolByClip(baseline);
  const after = poolByClip(candidate);
  const weighted: number[] = [];
  const lengths: number[] = [];
  before.forEach((a, clip) => {
    const b = after.get(clip);
    if (b === undefined) return;
    const length = a.length / a.utterances;
    weighted.push(length * (b.errors / b.length - a.errors / a.length));
    lengths.push(length);
  });
  if (lengths.length === 0) return undefined;
  const interval = lengths.length < 2 ? undefined : bootstrapRatio(weighted, lengths, options);
  return {
    change: sumOf(weighted) / sumOf(lengths),
    ...(interval === undefined ? {} : { interval }),
    clips: lengths.length,
    unpairedClips: before.size + after.size - 2 * lengths.length,
  };
}

interface ClipTotal {
  errors: number;
  length: number;
  utterances: number;
}

/** The totals of each clip, those without a reference left out. */
function poolByClip(utterances: readonly ClipErrors[]): ReadonlyMap<string, ClipTotal> {
  const totals = new Map<string, ClipTotal>();
  utterances.forEach(({ clip, errors, length }) => {
    if (length === 0) return;
    const total = totals.get(clip) ?? { errors: 0, length: 0, utterances: 0 };
    total.errors += errors;
    total.length += length;
    total.utterances += 1;
    totals.set(clip, total);
  });
  return totals;
}

function sumOf(list: readonly number[]): number {
  return list.reduce((total, each) => total + each, 0);
}

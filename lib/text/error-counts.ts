// Word and character errors of transcripts, pooled over utterances. Knows the normaliser and the alignment; knows no
// record and no run.

import { normaliseWords } from "./normalise.ts";
import { alignWords } from "./word-errors.ts";

/** Errors of one or many transcripts against their references, in words or in characters. */
export interface ErrorCounts {
  readonly substitutions: number;
  readonly deletions: number;
  readonly insertions: number;
  /** Words or characters of the references. */
  readonly referenceLength: number;
}

/**
 * Counts the word errors of a transcript, both texts normalised by the rules of `NORMALISER_VERSION`.
 *
 * @param reference - What was said, as it is written.
 * @param hypothesis - What was recognised.
 */
export function countWordErrors(reference: string, hypothesis: string): ErrorCounts {
  return countErrors(normaliseWords(reference), normaliseWords(hypothesis));
}

/**
 * Counts the character errors of a transcript: what a word error rate is for languages without spaces. Both texts are
 * normalised as for words, and the words then joined without spaces, so that it does not matter where a writer puts them.
 * A character is a Unicode code point. A cell of the alignment takes one byte: 2 MB for 1,500 characters, two minutes of
 * speech.
 */
export function countCharacterErrors(reference: string, hypothesis: string): ErrorCounts {
  return countErrors(charactersOf(reference), charactersOf(hypothesis));
}

function charactersOf(text: string): string[] {
  return Array.from(normaliseWords(text).join(""));
}

function countErrors(reference: readonly string[], hypothesis: readonly string[]): ErrorCounts {
  const { substitutions, deletions, insertions } = alignWords(reference, hypothesis);
  return { substitutions, deletions, insertions, referenceLength: reference.length };
}

/** Adds the counts of many utterances. All zero for none. */
export function poolErrors(parts: readonly ErrorCounts[]): ErrorCounts {
  let substitutions = 0;
  let deletions = 0;
  let insertions = 0;
  let referenceLength = 0;
  parts.forEach((part) => {
    substitutions += part.substitutions;
    deletions += part.deletions;
    insertions += part.insertions;
    referenceLength += part.referenceLength;
  });
  return { substitutions, deletions, insertions, referenceLength };
}

/**
 * The error rate (substitutions + deletions + insertions) ÷ reference length: of pooled counts, never a mean of rates.
 *
 * @returns 0 for no errors; above 1 if there are more errors than the reference is long; `undefined` for an empty
 *   reference.
 */
export function errorRatio(counts: ErrorCounts): number | undefined {
  if (counts.referenceLength === 0) return undefined;
  return errorsOf(counts) / counts.referenceLength;
}

/** Errors of all three kinds. */
export function errorsOf({ substitutions, deletions, insertions }: ErrorCounts): number {
  return substitutions + deletions + insertions;
}

/**
 * Length of the hypotheses ÷ length of the references. Below about 0.8 text is missing (audio was dropped), above
 * about 1.2 there is too much of it (a recogniser that repeats itself).
 */
export function lengthRatio(counts: ErrorCounts): number | undefined {
  const { insertions, deletions, referenceLength } = counts;
  if (referenceLength === 0) return undefined;
  return (referenceLength - deletions + insertions) / referenceLength;
}

// Word and character errors of a transcript. Knows normalised words; knows no record and no run.

import { editDistance } from "./edit-distance.ts";

/** Word errors of one or many transcripts against their references, by kind. */
export interface ErrorCounts {
  /** Words of the references that came out as another word. */
  readonly substitutions: number;
  /** Words of the references that are missing. */
  readonly deletions: number;
  /** Words that were not said. */
  readonly insertions: number;
  /** Words of the references. */
  readonly referenceLength: number;
}

/** Errors of all three kinds. */
export function errorsOf({ substitutions, deletions, insertions }: ErrorCounts): number {
  return substitutions + deletions + insertions;
}

/** Character errors of a transcript. Add up both fields over many; never average their ratios. */
export interface CharacterErrors {
  /** The fewest substitutions, deletions and insertions of a character. It can exceed the length of the reference. */
  readonly errors: number;
  /** Characters of the reference. */
  readonly characters: number;
}

/**
 * Counts character errors: what word errors are for languages without spaces. The words are joined without spaces, so that
 * it does not matter where a writer puts them. A character is a Unicode code point. Costs as much as `editDistance`, and next to
 * nothing for equal texts.
 *
 * @param reference - What was said, in normalised words.
 * @param hypothesis - What was recognised, in words normalised by the same rules.
 */
export function countCharacterErrors(
  reference: readonly string[],
  hypothesis: readonly string[],
): CharacterErrors {
  const said = reference.join("");
  const heard = hypothesis.join("");
  // Most transcripts are right, and lists of characters cost more than they tell then.
  if (said === heard) return { errors: 0, characters: said.length - countOf(said, BEYOND_16_BITS) };
  const characters = Array.from(said);
  return { errors: editDistance(characters, Array.from(heard)), characters: characters.length };
}

/** Characters of two UTF-16 units. */
const BEYOND_16_BITS = /[\u{10000}-\u{10ffff}]/gu;

function countOf(text: string, pattern: RegExp): number {
  return text.match(pattern)?.length ?? 0;
}

// Follows the words of one utterance: which delta completed each, whether it stayed, and when it was spoken.
// Knows transcripts and alignments; knows no metric.

import type { UtteranceRecord, WordSpan } from "../record.ts";
import { normaliseWords } from "./normalise.ts";
import { alignWords } from "./word-errors.ts";

/** A word of the transcript that the server sent. */
export interface TrackedWord {
  /** The normalised word. */
  readonly word: string;
  /**
   * The delta that completed it; `undefined` for a word that did not stand, with all words before it, unchanged in the
   * final transcript.
   */
  readonly deltaIndex: number | undefined;
  /** Whether it stands, with all words before it, unchanged in the final transcript. */
  readonly isStable: boolean;
  /** When it ends in the audio, in milliseconds from the start; `undefined` where the reference has no such word. */
  readonly spokenEndMs: number | undefined;
}

/** The words of an utterance and how they compare with the reference. */
export interface WordTrack {
  readonly words: readonly TrackedWord[];
  readonly basis?: "alignment" | "uniform";
  /** Word errors and words of the reference; absent without a reference text. */
  readonly errors?: number;
  readonly referenceCount?: number;
}

interface Token {
  readonly words: readonly string[];
  readonly deltaIndex: number | undefined;
  readonly isStable: boolean;
}

/**
 * Tracks the words of an utterance.
 *
 * A word is completed by the delta with which the text first holds its last character. Deltas append, so a word is
 * stable from then on if the final transcript has the same words up to it; otherwise it is stable at the final.
 * Words are matched with the reference by alignment, and only hits get a spoken time. Without a word alignment
 * the words are laid out evenly: the end of word i of N is ON + i/N · (EOS − ON).
 */
export function trackWords(utterance: UtteranceRecord): WordTrack {
  const tokens = tokensOf(utterance);
  const hypothesis = tokens.flatMap((token) => token.words);
  const { asset } = utterance;
  const spans = asset.words;
  const reference = asset.text === undefined ? undefined : normaliseWords(asset.text);
  const alignment = reference === undefined ? undefined : alignWords(reference, hypothesis);
  const errors =
    alignment === undefined || reference === undefined
      ? {}
      : {
          errors: alignment.substitutions + alignment.deletions + alignment.insertions,
          referenceCount: reference.length,
        };

  let spokenEnds: readonly (number | undefined)[] = [];
  let basis: { basis?: "alignment" | "uniform" } = {};
  if (spans !== undefined) {
    const pairs =
      alignment !== undefined && isSameWords(reference, spans)
        ? alignment.pairs
        : alignSpans(spans, hypothesis);
    spokenEnds = endsByAlignment(spans, hypothesis, pairs);
    basis = { basis: "alignment" };
  } else if (asset.onset_ms !== undefined && asset.speech_end_ms !== undefined) {
    spokenEnds = uniformEnds(hypothesis.length, asset.onset_ms, asset.speech_end_ms);
    basis = { basis: "uniform" };
  }
  return { words: trackedWords(tokens, spokenEnds), ...basis, ...errors };
}

function trackedWords(
  tokens: readonly Token[],
  spokenEnds: readonly (number | undefined)[],
): TrackedWord[] {
  const tracked: TrackedWord[] = [];
  tokens.forEach(({ words, deltaIndex, isStable }) =>
    words.forEach((word) =>
      tracked.push({ word, deltaIndex, isStable, spokenEndMs: spokenEnds[tracked.length] }),
    ),
  );
  return tracked;
}

/** The tokens of the final transcript, each with the delta that completed it. */
function tokensOf(utterance: UtteranceRecord): Token[] {
  const streamed = utterance.delta_text.join("");
  const finalText = utterance.final_text ?? streamed;
  const streamedTokens = splitTokens(streamed);
  const completedBy = completions(utterance.delta_text, streamed, streamedTokens);
  const finalTokens = finalText === streamed ? streamedTokens : splitTokens(finalText);
  let isStable = true;
  return finalTokens.map((token, index) => {
    isStable = isStable && streamedTokens[index] === token;
    return {
      words: normaliseWords(token),
      deltaIndex: isStable ? completedBy[index] : undefined,
      isStable,
    };
  });
}

function splitTokens(text: string): string[] {
  return text.split(/\s+/).filter((token) => token !== "");
}

/** For each token of the streamed text, the index of the delta with which the text first holds all of it. */
function completions(
  deltas: readonly string[],
  streamed: string,
  tokens: readonly string[],
): number[] {
  let end = 0;
  let delta = -1;
  let length = 0;
  return tokens.map((token) => {
    end = streamed.indexOf(token, end) + token.length;
    while (length < end) length += deltas[++delta]?.length ?? end;
    return delta;
  });
}

function isSameWords(
  reference: readonly string[] | undefined,
  spans: readonly WordSpan[],
): boolean {
  return (
    reference?.length === spans.length && spans.every(([word], index) => word === reference[index])
  );
}

function alignSpans(
  spans: readonly WordSpan[],
  hypothesis: readonly string[],
): readonly (readonly [number, number])[] {
  return alignWords(
    spans.map(([word]) => word),
    hypothesis,
  ).pairs;
}

function endsByAlignment(
  spans: readonly WordSpan[],
  hypothesis: readonly string[],
  pairs: readonly (readonly [number, number])[],
): (number | undefined)[] {
  const ends: (number | undefined)[] = Array.from({ length: hypothesis.length });
  pairs.forEach(([referenceIndex, hypothesisIndex]) => {
    const span = spans[referenceIndex];
    if (span !== undefined && span[0] === hypothesis[hypothesisIndex])
      ends[hypothesisIndex] = span[2];
  });
  return ends;
}

function uniformEnds(count: number, onsetMs: number, speechEndMs: number): number[] {
  return Array.from(
    { length: count },
    (_, index) => onsetMs + ((index + 1) / count) * (speechEndMs - onsetMs),
  );
}

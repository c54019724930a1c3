// Follows the words of one utterance: which delta completed each, whether it stayed, and when it was spoken.
// Knows transcripts and alignments; knows no metric.

import type { UtteranceRecord, WordSpan } from "../record.ts";
import type { ErrorCounts } from "./error-counts.ts";
import { isPlain, normaliseWords } from "./normalise.ts";
import { countErasure, type Erasure } from "./stability.ts";
import { alignWords, type WordAlignment } from "./word-errors.ts";

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
  /** Words of the reference; absent without a reference text. */
  readonly reference?: readonly string[];
  /** Of these words against it. */
  readonly errors?: ErrorCounts;
  /** What the final transcript took back of the text that the deltas had made; absent without a final. */
  readonly erasure?: Erasure;
}

/**
 * Tracks the words of an utterance.
 *
 * A word is completed by the delta with which the text first holds its last character. Deltas append, so a word is
 * stable from then on if the final transcript has the same words up to it; otherwise it is stable at the final.
 * Words are matched with the reference by alignment, and only hits get a spoken time. Without a word alignment
 * the words are laid out evenly: the end of word i of N is ON + i/N · (EOS − ON).
 *
 * Since deltas append, only the final transcript can take back what was shown: the erasure is that of two hypotheses, all
 * deltas together and the final.
 */
export function trackWords(utterance: UtteranceRecord): WordTrack {
  const streamed = streamedWords(utterance.delta_text);
  const shownWords = streamed.map(({ word }) => word);
  const { final_text: finalText } = utterance;
  const hypothesis = finalText === undefined ? shownWords : normaliseWords(finalText);
  const erasure =
    finalText === undefined ? {} : { erasure: countErasure([shownWords, hypothesis]) };
  const { asset } = utterance;
  const spans = asset.words;
  const reference = asset.text === undefined ? undefined : normaliseWords(asset.text);
  const alignment = reference === undefined ? undefined : alignWords(reference, hypothesis);
  const errors =
    alignment === undefined || reference === undefined
      ? {}
      : { reference, errors: errorCounts(alignment, reference.length) };

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
  const words: TrackedWord[] = [];
  let isStable = true;
  for (let index = 0; index < hypothesis.length; index++) {
    const word = hypothesis[index] ?? "";
    const shown = streamed[index];
    isStable = isStable && shown?.word === word;
    const deltaIndex = isStable ? shown?.deltaIndex : undefined;
    words[index] = { word, isStable, deltaIndex, spokenEndMs: spokenEnds[index] };
  }
  return { words, ...basis, ...errors, ...erasure };
}

function errorCounts(alignment: WordAlignment, referenceLength: number): ErrorCounts {
  const { substitutions, deletions, insertions } = alignment;
  return { substitutions, deletions, insertions, referenceLength };
}

/** A piece of a text that normalises by itself: no white space but inside an annotation. */
const PIECE = /(?:\[[^[\]]*\]|\([^()]*\)|<[^<>]*>|[\S\ufeff])+/g;
/** What makes a piece more than a run of characters without white space. */
const ANNOTATED = /[[(<\ufeff]/;

interface CompletedWord {
  readonly word: string;
  readonly deltaIndex: number;
}

/** The words of the text that the deltas make, each with the delta from which on it stood there as it is. */
function streamedWords(deltas: readonly string[]): CompletedWord[] {
  const text = deltas.join("");
  if (isPlain(text)) return plainStreamedWords(text, deltas);
  const pieces = ANNOTATED.test(text) ? (text.match(PIECE) ?? []) : text.split(/\s+/);
  let length = 0;
  const ends = deltas.map((delta) => (length += delta.length));
  let first = 0;
  let end = 0;
  const words: CompletedWord[] = [];
  pieces.forEach((piece) => {
    if (piece === "") return;
    const start = text.indexOf(piece, end);
    end = start + piece.length;
    while ((ends[first] ?? length) <= start) first++;
    const pieceWords = normaliseWords(piece);
    const since =
      (ends[first] ?? length) >= end ? [] : firstStands(text, start, end, ends, first, pieceWords);
    pieceWords.forEach((word, index) => words.push({ word, deltaIndex: since[index] ?? first }));
  });
  return words;
}

/** The same of a text that is all words and single spaces, as most are: a word stands when its last character does. */
function plainStreamedWords(text: string, deltas: readonly string[]): CompletedWord[] {
  const words: CompletedWord[] = [];
  let delta = 0;
  let shown = deltas[0]?.length ?? 0;
  let end = -1;
  const pieces = text.split(" ");
  for (let index = 0; index < pieces.length; index++) {
    const word = pieces[index] ?? "";
    end += word.length + 1;
    if (word === "") continue;
    while (shown < end) shown += deltas[++delta]?.length ?? Infinity;
    words.push({ word, deltaIndex: delta });
  }
  return words;
}

/** For each word of a piece that several deltas make, the delta from which on it stood there as it is. */
function firstStands(
  text: string,
  start: number,
  end: number,
  ends: readonly number[],
  first: number,
  pieceWords: readonly string[],
): (number | undefined)[] {
  let since: (number | undefined)[] = pieceWords.map(() => undefined);
  for (let at = first, seenTo = 0; seenTo < end && at < ends.length; at++) {
    seenTo = ends[at] ?? end;
    const seen = seenTo >= end ? pieceWords : normaliseWords(text.slice(start, seenTo));
    since = pieceWords.map((word, index) =>
      seen[index] === word ? (since[index] ?? at) : undefined,
    );
  }
  return since;
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

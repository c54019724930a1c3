// Word errors by kind and character errors of the measured sessions, from the readings alone: full and compact records count
// alike. Knows the catalogue's sums; knows no text.

import type { MetricName } from "../metrics.ts";
import type { Results } from "../results.ts";
import { NORMALISER_VERSION } from "../text/normalise.ts";
import type { MetricData } from "./samples.ts";

/**
 * Adds up the errors of some sessions. A session counts if its record has the errors in question: records of an older
 * version may lack them.
 *
 * @param chosen - The measured sessions.
 */
export function transcriptErrors(
  data: ReadonlyMap<MetricName, MetricData>,
  chosen: Uint32Array,
): Pick<Results, "word_errors" | "character_errors"> {
  const having = (name: MetricName): Uint32Array =>
    data.get(name)?.samples.select(chosen)?.sessions ?? new Uint32Array(0);
  const total = (name: MetricName, sessions: Uint32Array): number => {
    const { mean = 0, count = 0 } = data.get(name)?.samples.select(sessions) ?? {};
    return Math.round(mean * count);
  };
  const worded = having("wer_substitutions");
  const lettered = having("cer_errors");
  const words = total("wer_words", worded);
  const characters = total("cer_characters", lettered);
  const wordErrors = {
    substitutions: total("wer_substitutions", worded),
    deletions: total("wer_deletions", worded),
    insertions: total("wer_insertions", worded),
    words,
    sessions: worded.length,
    normaliser: NORMALISER_VERSION,
  };
  const characterErrors = {
    errors: total("cer_errors", lettered),
    characters,
    sessions: lettered.length,
    normaliser: NORMALISER_VERSION,
  };
  return {
    ...(words === 0 ? {} : { word_errors: wordErrors }),
    ...(characters === 0 ? {} : { character_errors: characterErrors }),
  };
}

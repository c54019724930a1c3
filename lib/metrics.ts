// The catalogue of metrics: the one place that gives each its name, unit, kind, formula and better direction.
// Knows no k6 and computes nothing; lib/readings.ts does. docs/METRICS.md is made from it.

/** What a metric counts in. */
export type Unit = "ms" | "ms_per_s" | "count" | "ratio";

/** What one value of a metric belongs to. */
export type Per = "session" | "utterance" | "frame" | "delta" | "word";

/** One row of the catalogue. */
export interface MetricDefinition {
  readonly unit: Unit;
  /** k6's metric type. `derived` exists in summaries and results only. */
  readonly kind: "trend" | "counter" | "rate" | "derived";
  readonly per: Per;
  /** Which direction is an improvement; "none" where the value has no good side. */
  readonly better: "lower" | "higher" | "none";
  /** One line for people, without the formula. */
  readonly title: string;
  /** The formula, in the notation of docs/METRICS.md. */
  readonly formula: string;
  /** What a reading needs beyond a finished session, in words. Absent: nothing. */
  readonly needs?: string;
}

const PACED = "paced audio (speed above 0)";
const ONSET = "the asset's annotated speech onset";
const SPEECH_END = "the asset's annotated end of speech";
const ANNOTATED =
  "the asset's word alignment; with onset and end only, words at a uniform rate (tag basis:uniform)";

const lag = (per: Per, title: string, formula: string, needs?: string): MetricDefinition => {
  const row: MetricDefinition = { unit: "ms", kind: "trend", per, better: "lower", title, formula };
  return needs === undefined ? row : { ...row, needs };
};
const count = (
  per: Per,
  title: string,
  formula: string,
  better: "lower" | "higher" | "none" = "none",
): MetricDefinition => {
  return { unit: "count", kind: "counter", per, better, title, formula };
};

/** Every metric of the suite, in the order in which tables show them. */
export const METRICS = {
  final_ms: lag(
    "utterance",
    "final transcript after the end of the audio",
    "r_F − (T0 + A)",
    PACED,
  ),
  commit_to_final_ms: lag(
    "utterance",
    "final transcript after the commit: the server alone",
    "r_F − t_c",
  ),
  speech_end_to_final_ms: lag(
    "utterance",
    "final transcript after the end of speech; can be negative",
    "r_F − (T0 + EOS)",
    `${PACED}; ${SPEECH_END}`,
  ),
  first_text_ms: lag("utterance", "first text after the first frame", "r_1 − s*_0", PACED),
  first_text_from_onset_ms: lag(
    "utterance",
    "first text after the onset of speech",
    "r_1 − (T0 + ON)",
    `${PACED}; ${ONSET}`,
  ),
  delta_lag_ms: lag(
    "delta",
    "text behind the speech: arrival of a delta after the end of the last word it completes",
    "r_j − (T0 + e_i), i the last word completed by delta j",
    `${PACED}; ${ANNOTATED}`,
  ),
  word_lag_ms: lag(
    "word",
    "words behind the speech: first stable appearance of a word after its end",
    "h_i − (T0 + e_i)",
    `${PACED}; ${ANNOTATED}`,
  ),
  text_gap_ms: lag(
    "delta",
    "pause between two deltas with text, while speech goes on",
    "r_j − r_(j−1), both within [T0 + ON, T0 + EOS]",
    `${PACED}; ${ONSET}; ${SPEECH_END}`,
  ),
  text_gap_max_ms: lag(
    "utterance",
    "the longest such pause of an utterance",
    "max over j of text_gap_ms",
    `${PACED}; ${ONSET}; ${SPEECH_END}`,
  ),
  backlog_ms: lag(
    "delta",
    "audio sent and not yet processed, on servers with one delta per 80 ms of audio",
    "sentPos(r_j) − 80·j, less its minimum in the utterance; deltas before the commit",
    `${PACED}; blank deltas, and 5 to 20 deltas more than A / 80 ms`,
  ),
  backlog_slope_ms_per_s: {
    unit: "ms_per_s",
    kind: "trend",
    per: "utterance",
    better: "lower",
    title: "growth of the backlog: above 0 the server falls behind real time",
    formula: "least-squares slope of backlog_ms over r_j",
    needs: "three readings of backlog_ms",
  },
  connect_ms: lag("session", "dial to open connection, handshake included", "opened − start"),
  session_ready_ms: lag("session", "open connection to the server's ready event", "ready − opened"),
  start_lag_ms: lag(
    "session",
    "own lateness: session started after its intended start",
    "start − intended start",
  ),
  send_lag_ms: lag("frame", "own lateness: frame sent after its schedule", "s_k − s*_k", PACED),
  send_lag_max_ms: lag(
    "utterance",
    "the latest frame of an utterance",
    "max over k of send_lag_ms",
    PACED,
  ),
  stamp_wait_ms: lag(
    "delta",
    "own lateness: handler ran after the message's arrival stamp",
    "callback − r_j",
  ),
  wer_errors: count(
    "utterance",
    "word errors against the reference",
    "substitutions + deletions + insertions",
    "lower",
  ),
  wer_words: count(
    "utterance",
    "words of the references",
    "N, over utterances with a reference text",
  ),
  wer_ratio: {
    unit: "ratio",
    kind: "derived",
    per: "utterance",
    better: "lower",
    title: "word error rate, pooled over all utterances",
    formula: "wer_errors ÷ wer_words",
    needs: "reference texts",
  },
  deltas_blank: count("utterance", "deltas without text", "number of deltas whose text is blank"),
  sessions_started: count("session", "sessions started", "1 per session"),
  sessions_finished: count(
    "session",
    "sessions with all their final transcripts",
    "1 per finished session",
    "higher",
  ),
  sessions_open: count(
    "session",
    "sessions without an end",
    "+1 at a start, −1 at any end",
    "lower",
  ),
  session_failed: {
    unit: "ratio",
    kind: "rate",
    per: "session",
    better: "lower",
    title: "share of ended sessions that failed (tag kind)",
    formula: "failed ÷ (finished + failed)",
  },
} as const satisfies Record<string, MetricDefinition>;

/** Name of a metric: the same in k6, records, JSON, CSV and docs. */
export type MetricName = keyof typeof METRICS;

/** All names, in the order of the catalogue. */
export const METRIC_NAMES = Object.keys(METRICS) as MetricName[];

/** The catalogue with every row as the general type. */
export function metricDefinition(name: MetricName): MetricDefinition {
  return METRICS[name];
}

// The catalogue of metrics: the one place that gives each its name, unit, kind, formula and better direction.
// Knows no k6 and computes nothing; lib/readings.ts does. docs/METRICS.md is made from it.

import type { ScenarioName } from "./scenario.ts";

/** What a metric counts in. */
export type Unit = "ms" | "ms_per_s" | "count" | "ratio" | "bytes" | "tokens" | "tokens_per_s";

/** What one value of a metric belongs to. */
export type Per = "session" | "utterance" | "frame" | "delta" | "word" | "event";

/** One row of the catalogue. */
export interface MetricDefinition {
  readonly unit: Unit;
  /** k6's metric type. `derived` exists in results only, and where k6 counted all that it takes, in its summary. */
  readonly kind: "trend" | "counter" | "rate" | "derived";
  readonly per: Per;
  /** The scenarios that measure it. */
  readonly scenarios: readonly ScenarioName[];
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

/** A row before it is known which scenarios measure it. */
type Row = Omit<MetricDefinition, "scenarios">;

const lag = (per: Per, title: string, formula: string, needs?: string): Row => {
  const row: Row = { unit: "ms", kind: "trend", per, better: "lower", title, formula };
  return needs === undefined ? row : { ...row, needs };
};
const count = (
  per: Per,
  title: string,
  formula: string,
  better: "lower" | "higher" | "none" = "none",
): Row => {
  return { unit: "count", kind: "counter", per, better, title, formula };
};

function measuredBy<R extends Record<string, Row>>(
  scenarios: readonly ScenarioName[],
  rows: R,
): { [Name in keyof R]: MetricDefinition } {
  const entries = Object.entries(rows).map(([name, row]) => [name, { ...row, scenarios }]);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the same names, each with one field more
  return Object.fromEntries(entries) as { [Name in keyof R]: MetricDefinition };
}

const STREAM = "a streamed reply";
const ONE_CHOICE = "a streamed reply of one choice; the server's usage";

const SPEECH_METRICS = {
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
} as const satisfies Record<string, Row>;

const TEXT_METRICS = {
  ttft_ms: lag(
    "session",
    "time to first token: first text of any kind after the start, connecting included",
    "r_1 − start",
  ),
  ttft_wire_ms: lag(
    "session",
    "first text after the request was written: the server alone",
    "r_1 − written",
  ),
  ttft_scheduled_ms: lag("session", "first text after the intended start", "r_1 − intended start"),
  ttfo_ms: lag(
    "session",
    "first text that is not reasoning, after the start",
    "first content − start",
  ),
  icl_ms: lag(
    "event",
    "pause between two events with text (k6 gets up to 5 of a reply, evenly spread)",
    "r_i − r_(i−1)",
    STREAM,
  ),
  icl_max_ms: lag("session", "the longest such pause of a reply", "max over i of icl_ms", STREAM),
  e2e_ms: lag("session", "last text after the start", "r_n − start"),
  e2e_scheduled_ms: lag("session", "last text after the intended start", "r_n − intended start"),
  headers_ms: lag(
    "session",
    "response headers after the request was written; not a time to first token",
    "headers − written",
  ),
  first_byte_ms: lag(
    "session",
    "first byte of the body after the request was written",
    "first byte − written",
  ),
  output_tokens_per_s: {
    unit: "tokens_per_s",
    kind: "trend",
    per: "session",
    better: "higher",
    title: "output tokens per second of a reply's stream",
    formula: "output tokens ÷ (r_n − r_1)",
    needs: ONE_CHOICE,
  },
  body_bytes: {
    unit: "bytes",
    kind: "trend",
    per: "session",
    better: "none",
    title: "size of a reply's body",
    formula: "bytes of the body",
  },
} as const satisfies Record<string, Row>;

const TOKEN_METRICS = {
  tpot_ms: lag(
    "session",
    "time per output token after the first",
    "(r_n − r_1) ÷ (output tokens − 1); probe: (many − one) ÷ (output tokens − 1)",
    "the server's usage; chat: a streamed reply of one choice",
  ),
  input_tokens: {
    unit: "tokens",
    kind: "trend",
    per: "session",
    better: "none",
    title: "prompt tokens, as the server counted them",
    formula: "usage",
    needs: "the server's usage",
  },
  output_tokens: {
    unit: "tokens",
    kind: "trend",
    per: "session",
    better: "none",
    title: "output tokens, as the server counted them",
    formula: "usage",
    needs: "the server's usage",
  },
} as const satisfies Record<string, Row>;

const PROBE_METRICS = {
  ttft_upper_bound_ms: lag(
    "session",
    "whole time of a request for one token: the time to first token is at most this",
    "end − start of the request for one token",
  ),
} as const satisfies Record<string, Row>;

const CONNECTION_METRICS = {
  connect_ms: lag("session", "dial to open connection, handshakes included", "opened − start"),
} as const satisfies Record<string, Row>;

const READY_METRICS = {
  session_ready_ms: lag("session", "open connection to the server's ready event", "ready − opened"),
} as const satisfies Record<string, Row>;

const PACING_METRICS = {
  send_lag_ms: lag("frame", "own lateness: frame sent after its schedule", "s_k − s*_k", PACED),
  send_lag_max_ms: lag(
    "utterance",
    "the latest frame of an utterance",
    "max over k of send_lag_ms",
    PACED,
  ),
} as const satisfies Record<string, Row>;

const STAMP_METRICS = {
  stamp_wait_ms: lag(
    "event",
    "own lateness: the message's handler (text: the reader) ran after its arrival stamp",
    "callback − r_j; text: wake-up − r_i, up to 20 of a reply (k6: 5)",
  ),
} as const satisfies Record<string, Row>;

const READER_METRICS = {
  stamp_wait_max_ms: lag(
    "session",
    "the latest wake-up of a reply's reader",
    "max over i of stamp_wait_ms",
    STREAM,
  ),
} as const satisfies Record<string, Row>;

const REFERENCE = "reference texts";

/** A ratio of sums over the run: never a mean of ratios. */
const pooled = (title: string, formula: string, needs: string): Row => {
  return {
    unit: "ratio",
    kind: "derived",
    per: "utterance",
    better: "lower",
    title,
    formula,
    needs,
  };
};

/** A count that k6 does not make: it costs milliseconds an utterance in its engine. */
const derivedCount = (row: Row): Row => ({ ...row, kind: "derived", needs: "records" });

const WORD_METRICS = {
  wer_substitutions: count(
    "utterance",
    "words of the references that came out as another word",
    "substitutions",
    "lower",
  ),
  wer_deletions: count(
    "utterance",
    "words of the references that are missing",
    "deletions",
    "lower",
  ),
  wer_insertions: count("utterance", "words that were not said", "insertions", "lower"),
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
  wer_ratio: pooled(
    "word error rate, pooled over all utterances",
    "wer_errors ÷ wer_words",
    REFERENCE,
  ),
  cer_errors: derivedCount(
    count(
      "utterance",
      "character errors against the reference, spaces left out",
      "edit distance of the characters",
      "lower",
    ),
  ),
  cer_characters: derivedCount(
    count(
      "utterance",
      "characters of the references, spaces left out",
      "over utterances with a reference text",
    ),
  ),
  cer_ratio: pooled(
    "character error rate, pooled over all utterances",
    "cer_errors ÷ cer_characters",
    `records; ${REFERENCE}`,
  ),
  erased_words: count(
    "utterance",
    "words that were shown and that the final transcript took back or changed",
    "words of all deltas together − those with which the final transcript begins too",
    "lower",
  ),
  final_words: count(
    "utterance",
    "words of the final transcripts",
    "words of the final transcript",
  ),
  erasure_ratio: pooled(
    "words taken back for each word of the final transcripts, pooled",
    "erased_words ÷ final_words",
    "words in the final transcripts",
  ),
  deltas_blank: count("utterance", "deltas without text", "number of deltas whose text is blank"),
} as const satisfies Record<string, Row>;

const START_METRICS = {
  start_lag_ms: lag(
    "session",
    "own lateness: session started after its intended start",
    "start − intended start",
  ),
} as const satisfies Record<string, Row>;

const SESSION_METRICS = {
  sessions_started: count("session", "sessions started", "1 per session"),
  sessions_finished: count(
    "session",
    "sessions with all that they asked for",
    "1 per finished session",
    "higher",
  ),
  sessions_open: count(
    "session",
    "sessions without an end",
    "+1 at a start, −1 at any end",
    "lower",
  ),
  sessions_aborted: count("session", "sessions that we ended, on purpose", "1 per aborted session"),
  session_failed: {
    unit: "ratio",
    kind: "rate",
    per: "session",
    better: "lower",
    title: "share of ended sessions that failed (tag kind)",
    formula: "failed ÷ (finished + failed)",
  },
} as const satisfies Record<string, Row>;

const ALL = ["realtime", "chat", "probe"] as const;

/** Every metric of the suite, in the order in which tables show them. */
export const METRICS = {
  ...measuredBy(["realtime"], SPEECH_METRICS),
  ...measuredBy(["probe"], PROBE_METRICS),
  ...measuredBy(["chat"], TEXT_METRICS),
  ...measuredBy(["chat", "probe"], TOKEN_METRICS),
  ...measuredBy(["realtime", "chat"], CONNECTION_METRICS),
  ...measuredBy(["realtime"], READY_METRICS),
  ...measuredBy(ALL, START_METRICS),
  ...measuredBy(["realtime"], PACING_METRICS),
  ...measuredBy(["realtime", "chat"], STAMP_METRICS),
  ...measuredBy(["chat"], READER_METRICS),
  ...measuredBy(["realtime"], WORD_METRICS),
  ...measuredBy(ALL, SESSION_METRICS),
};

/** Name of a metric: the same in k6, records, JSON, CSV and docs. */
export type MetricName = keyof typeof METRICS;

/** All names, in the order of the catalogue. */
export const METRIC_NAMES = Object.keys(METRICS) as MetricName[];

/** A ratio that is made of two sums over the run. */
export interface PooledRatio {
  readonly ratio: MetricName;
  readonly numerator: MetricName;
  readonly denominator: MetricName;
  /** What the numerator adds up. */
  readonly parts: readonly MetricName[];
}

/** How each pooled ratio is made. Without a denominator above 0 neither it nor its sums say anything. */
export const POOLED_RATIOS: readonly PooledRatio[] = [
  {
    ratio: "wer_ratio",
    numerator: "wer_errors",
    denominator: "wer_words",
    parts: ["wer_substitutions", "wer_deletions", "wer_insertions"],
  },
  { ratio: "cer_ratio", numerator: "cer_errors", denominator: "cer_characters", parts: [] },
  { ratio: "erasure_ratio", numerator: "erased_words", denominator: "final_words", parts: [] },
];

/** The sums that a pooled ratio is made of, and their parts. */
export function sumsIn({ numerator, denominator, parts }: PooledRatio): readonly MetricName[] {
  return [numerator, denominator, ...parts];
}

/** The names that a scenario measures, in the order of the catalogue. */
export function metricsOf(scenario: ScenarioName): MetricName[] {
  return METRIC_NAMES.filter((name) => metricDefinition(name).scenarios.includes(scenario));
}

/** Whether a session's values of a metric are added up. */
export function isCount(name: MetricName): boolean {
  return metricDefinition(name).unit === "count";
}

/** The catalogue with every row as the general type. */
export function metricDefinition(name: MetricName): MetricDefinition {
  return METRICS[name];
}

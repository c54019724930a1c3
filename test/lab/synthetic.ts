// Sessions that never were, as records: a steady closed load on a server without faults. Knows distributions and the
// shape of a record; its latencies are drawn, so a test knows what should come out. Tested in synthetic.test.ts.

import { compactRecord, isFullSession } from "../../lib/compact-record.ts";
import { readings } from "../../lib/readings.ts";
import {
  RECORD_SCHEMA,
  roundMs,
  type ProbeRecord,
  type RealtimeRecord,
  type SessionRecord,
  type SessionStart,
  type TextRecord,
  type UtteranceRecord,
  type WordSpan,
} from "../../lib/record.ts";
import type { ScenarioName } from "../../lib/scenario.ts";
import { createGenerator, type Generator } from "../../lib/stats/generator.ts";

/** What is made up. */
export interface SyntheticRun {
  readonly scenario: ScenarioName;
  readonly sessions: number;
  /** Virtual users, each with one session after the other. */
  readonly concurrency: number;
  readonly seed: number;
  /** Sessions from this number on are compact; default: none. */
  readonly fullMax?: number;
  /** Multiplies the server's delays, given the start of a session in milliseconds; default 1. */
  readonly slowness?: (startMs: number) => number;
}

const EPOCH_MS = 1_795_249_815_000;
const WORDS = "the quick brown fox jumps over a lazy dog while seven wizards make toxic brew".split(
  " ",
);
const WORD_MS = 300;
const FRAME_MS = 80;

/** Medians of the delays, in milliseconds, and the spread of their logarithm. */
export const DELAYS = { ttftMs: 80, gapMs: 12, finalMs: 120, sigma: 0.4 } as const;

/** The end lines of a run, by start. The same arguments give the same sessions. */
export function* syntheticRecords(run: SyntheticRun): Iterable<SessionRecord> {
  const generator = createGenerator(run.seed, 77);
  const freeMs = Array.from({ length: run.concurrency }, (_, vu) => 4 * vu);
  for (let number = 0; number < run.sessions; number++) {
    const vu = earliest(freeMs);
    const intendedMs = freeMs[vu] ?? 0;
    const slow = run.slowness?.(intendedMs) ?? 1;
    const identity = {
      record: RECORD_SCHEMA,
      event: "end",
      session: String(number),
      scenario: run.scenario,
      asset_set: "synthetic",
      vu: vu + 1,
      intended_ms: roundMs(intendedMs),
      epoch_ms: EPOCH_MS,
      start_ms: roundMs(intendedMs + 0.2 + 0.3 * generator.uniform()),
      end_ms: 0,
      outcome: "finished",
    } as const;
    const record = makeRecord(identity, generator, slow);
    freeMs[vu] = record.end_ms;
    yield isFullSession(number, run.fullMax ?? Number.POSITIVE_INFINITY)
      ? record
      : compactRecord(record, readings(record));
  }
}

/** The line that announced a session. */
export function startOf(record: SessionRecord): SessionStart {
  const { type, session, scenario, dialect, asset_set, vu, epoch_ms, intended_ms, start_ms } =
    record;
  const identity = { session, scenario, dialect, asset_set, vu };
  // The order of the k6 side.
  const start = { record: RECORD_SCHEMA, type, event: "start", ...identity } as const;
  return { ...start, epoch_ms, intended_ms, start_ms };
}

type Identity = Pick<
  SessionRecord,
  | "record"
  | "event"
  | "session"
  | "scenario"
  | "asset_set"
  | "vu"
  | "intended_ms"
  | "epoch_ms"
  | "start_ms"
  | "end_ms"
  | "outcome"
>;

function makeRecord(identity: Identity, generator: Generator, slow: number): SessionRecord {
  if (identity.scenario === "realtime") return realtimeRecord(identity, generator, slow);
  if (identity.scenario === "chat") return textRecord(identity, generator, slow);
  return probeRecord(identity, generator, slow);
}

function textRecord(identity: Identity, generator: Generator, slow: number): TextRecord {
  const { start_ms: startMs } = identity;
  const writtenMs = startMs + 0.4 + 0.2 * generator.uniform();
  const firstMs = writtenMs + slow * logNormal(generator, DELAYS.ttftMs);
  const events = 20 + generator.below(80);
  const gapsUs = Array.from({ length: events - 1 }, () =>
    Math.round(1000 * slow * logNormal(generator, DELAYS.gapMs)),
  );
  const lastMs = firstMs + gapsUs.reduce((sum, each) => sum + each, 0) / 1000;
  const waitsUs = Array.from({ length: Math.min(20, events) }, () => 20 + generator.below(200));
  return {
    ...identity,
    type: "text",
    dialect: "chat-completions",
    end_ms: roundMs(lastMs + 1),
    stream: true,
    prompt: { id: `prompt-${generator.below(24)}`, chars: 400 },
    status: 200,
    protocol: "HTTP/1.1",
    reused: true,
    stamps: "kernel",
    phases: {
      written_ms: roundMs(writtenMs),
      headers_ms: roundMs(firstMs - 0.3),
      first_byte_ms: roundMs(firstMs - 0.1),
      closed_ms: roundMs(lastMs + 1),
    },
    bytes: 180 * events,
    first_ms: roundMs(firstMs),
    last_ms: roundMs(lastMs),
    first_content_ms: roundMs(firstMs),
    gap_us: gapsUs,
    wait_us: waitsUs,
    wait_max_us: 250,
    events,
    usage: { input_tokens: 100, output_tokens: events + generator.below(3) },
    finish_reasons: ["length"],
    choices: 1,
    text: "word ".repeat(events),
  };
}

function realtimeRecord(identity: Identity, generator: Generator, slow: number): RealtimeRecord {
  const { start_ms: startMs } = identity;
  const count = 6 + generator.below(WORDS.length - 5);
  const words = WORDS.slice(0, count).map((word, index): WordSpan => {
    return [word, 100 + WORD_MS * index, 100 + WORD_MS * (index + 1)];
  });
  const durationMs = 200 + WORD_MS * count;
  const readyMs = roundMs(startMs + 3 + generator.uniform());
  const utterance = makeUtterance(
    words,
    durationMs,
    roundMs(readyMs + FRAME_MS * generator.uniform()),
    generator,
    slow,
  );
  const { final_ms: finalMs = 0 } = utterance;
  return {
    ...identity,
    type: "realtime",
    dialect: "vllm",
    end_ms: roundMs(finalMs + 0.2),
    stamps: "go",
    frame_ms: FRAME_MS,
    speed: 1,
    opened_ms: roundMs(startMs + 2),
    ready_ms: readyMs,
    notices: 0,
    utterances: [utterance],
  };
}

function makeUtterance(
  words: readonly WordSpan[],
  durationMs: number,
  t0Ms: number,
  generator: Generator,
  slow: number,
): UtteranceRecord {
  const frames = Math.ceil(durationMs / FRAME_MS);
  const lags = Array.from({ length: frames }, () => roundMs(0.05 + 0.5 * generator.uniform()));
  const commitMs = roundMs(t0Ms + durationMs + (lags.at(-1) ?? 0) + 0.1);
  const finalMs = roundMs(commitMs + slow * logNormal(generator, DELAYS.finalMs));
  let lastMs = 0;
  const arrivals = words.map(([, , endMs]) => {
    const arrivalMs = t0Ms + endMs + slow * logNormal(generator, 40);
    lastMs = roundMs(Math.min(finalMs, Math.max(lastMs + 0.1, arrivalMs)));
    return lastMs;
  });
  const text = words.map(([word]) => word).join(" ");
  return {
    asset: {
      id: `clip-${words.length}`,
      duration_ms: durationMs,
      onset_ms: 100,
      speech_end_ms: words.at(-1)?.[2] ?? 0,
      text,
      words,
    },
    t0_ms: t0Ms,
    send_lag_ms: lags,
    commit_ms: commitMs,
    delta_ms: arrivals,
    delta_text: words.map(([word], index) => (index === 0 ? word : ` ${word}`)),
    stamp_wait_ms: words.map(() => roundMs(0.05 + generator.uniform())),
    final_ms: finalMs,
    final_text: text,
  };
}

function probeRecord(identity: Identity, generator: Generator, slow: number): ProbeRecord {
  const oneMs = roundMs(slow * logNormal(generator, DELAYS.ttftMs));
  const manyMs = roundMs(oneMs + slow * 63 * logNormal(generator, DELAYS.gapMs));
  return {
    ...identity,
    type: "probe",
    dialect: "chat-completions",
    end_ms: roundMs(identity.start_ms + oneMs + manyMs + 1),
    prompt: { id: "prompt", chars: 400 },
    one_ms: oneMs,
    many_ms: manyMs,
    usage: { input_tokens: 100, output_tokens: 64 },
  };
}

function logNormal(generator: Generator, medianMs: number): number {
  return medianMs * Math.exp(DELAYS.sigma * generator.normal());
}

function earliest(freeMs: readonly number[]): number {
  let least = 0;
  freeMs.forEach((each, index) => {
    if (each < (freeMs[least] ?? 0)) least = index;
  });
  return least;
}

// Runs that are spoilt on purpose, one way for each reason of the verdict that records or facts can show. Knows how a
// record is damaged, be it made up or of a real run; judges nothing.

import type { AnalysisContext } from "../../lib/analysis.ts";
import type { RealtimeRecord, SessionRecord, SessionStart, TextRecord } from "../../lib/record.ts";
import type { ScenarioName } from "../../lib/scenario.ts";
import { createGenerator, type Generator } from "../../lib/stats/generator.ts";
import type { VerdictCode } from "../../lib/verdict.ts";
import { startOf, syntheticRecords, type SyntheticRun } from "./synthetic.ts";

/** What an analysis is given. */
export interface Run {
  readonly records: SessionRecord[];
  readonly interrupted: SessionStart[];
  readonly context: AnalysisContext;
}

/** Clean runs long enough to be valid: hold above 30 s, at least 90 sessions after the warm-up. */
export const CLEAN: Readonly<Record<ScenarioName, Omit<SyntheticRun, "seed">>> = {
  chat: { scenario: "chat", sessions: 1200, concurrency: 20 },
  realtime: { scenario: "realtime", sessions: 400, concurrency: 20 },
  probe: { scenario: "probe", sessions: 1000, concurrency: 20 },
};

/** A clean run. */
export function cleanRun(scenario: ScenarioName, seed: number, fullMax?: number): Run {
  const full = fullMax === undefined ? {} : { fullMax };
  const records = [...syntheticRecords({ ...CLEAN[scenario], ...full, seed })];
  return { records, interrupted: [], context: {} };
}

/** One way to spoil a run. */
export interface Spoiler {
  readonly code: VerdictCode;
  /** What is done, in words. */
  readonly how: string;
  /** The least that the verdict must be. */
  readonly status: "suspect" | "void";
  /** Of which scenario the run must be. Its records are full. */
  readonly scenario: "chat" | "realtime";
  /** Reasons that follow from what is done, beside the one that is wanted. */
  readonly also?: readonly VerdictCode[];
  /** Damages the records of a clean run, and answers what is left of it. */
  readonly spoil: (run: Run, seed: number) => Run;
}

/** A made-up run that is spoilt so. */
export function spoiltRun({ scenario, spoil }: Spoiler, seed: number): Run {
  return spoil(cleanRun(scenario, seed), seed);
}

/** A share of the records, at least one of them, drawn without replacement. */
function chosen(records: readonly SessionRecord[], seed: number, share: number): SessionRecord[] {
  const generator = createGenerator(seed, 99);
  const left = [...records];
  const count = Math.ceil(share * left.length);
  return Array.from({ length: count }, () => left.splice(generator.below(left.length), 1)).flat();
}

function spoilText(
  share: number,
  damage: (record: TextRecord, by: Generator) => void,
): Spoiler["spoil"] {
  return (run, seed) => {
    const by = createGenerator(seed, 98);
    chosen(run.records, seed, share).forEach((each) => {
      if (each.type === "text") damage(each, by);
    });
    return run;
  };
}

function spoilAudio(
  share: number,
  damage: (record: RealtimeRecord, by: Generator) => void,
): Spoiler["spoil"] {
  return (run, seed) => {
    const by = createGenerator(seed, 98);
    chosen(run.records, seed, share).forEach((each) => {
      if (each.type === "realtime") damage(each, by);
    });
    return run;
  };
}

/** First and last start of a run. */
function spanOf({ records }: Run): { readonly firstMs: number; readonly lastMs: number } {
  const starts = records.map(({ start_ms: startMs }) => startMs);
  return { firstMs: Math.min(...starts), lastMs: Math.max(...starts) };
}

function cpuSamples(run: Run, machineRatio: number, k6Ratio: number): AnalysisContext {
  const { epoch_ms: epochMs = 0 } = run.records[0] ?? {};
  const endMs = run.records.at(-1)?.end_ms ?? 0;
  const samples = Array.from({ length: Math.floor(endMs / 1000) }, (_, second) => ({
    at_ms: epochMs + 1000 * (second + 1),
    machine_cpu_ratio: machineRatio,
    k6_cpu_ratio: k6Ratio,
  }));
  return { machine: { cores: 2, samples } };
}

function failAs(
  record: SessionRecord,
  kind: "server_error" | "closed_early" | "connection_lost",
): void {
  record.outcome = "failed";
  record.kind = kind;
}

/** Puts off the first text of a reply, and all that follows. */
function delay(record: TextRecord, shiftMs: number): void {
  record.first_ms = (record.first_ms ?? 0) + shiftMs;
  record.first_content_ms = record.first_ms;
  record.last_ms = (record.last_ms ?? 0) + shiftMs;
  record.end_ms += shiftMs;
  record.phases.closed_ms = (record.phases.closed_ms ?? 0) + shiftMs;
}

function waitOf({ first_ms: firstMs = 0, phases }: TextRecord): number {
  return firstMs - (phases.written_ms ?? 0);
}

/** Puts a first arrival onto the next multiple of a period after the request was written, or one of the two after it. */
function onTick(record: TextRecord, periodMs: number, by: Generator): void {
  const waitMs = waitOf(record);
  const ticks = Math.ceil(waitMs / periodMs) + by.below(3);
  delay(record, ticks * periodMs + 0.5 * by.uniform() - waitMs);
}

/** Every way. `generator_cpu` and `dropped_iterations` are not in records: the facts beside them are spoilt. */
export const SPOILERS: readonly Spoiler[] = [
  {
    code: "nothing_measured",
    how: "every session failed",
    status: "void",
    scenario: "chat",
    also: ["errors"],
    spoil: spoilText(1, (record) => failAs(record, "server_error")),
  },
  {
    code: "dropped_iterations",
    how: "k6 dropped three iterations",
    status: "void",
    scenario: "chat",
    spoil: (run) => ({ ...run, context: { ...run.context, droppedIterations: 3 } }),
  },
  {
    code: "late_frames",
    how: "a busy generator sends a frame 300 ms late in 3 % of the sessions",
    status: "void",
    scenario: "realtime",
    spoil: spoilAudio(0.03, ({ utterances }, by) => {
      const lags = utterances[0]?.send_lag_ms ?? [];
      lags[by.below(lags.length)] = 300;
    }),
  },
  {
    code: "late_starts",
    how: "3 % of the sessions start 400 ms late",
    status: "suspect",
    scenario: "chat",
    spoil: spoilText(0.03, (record) => {
      const { intended_ms: intendedMs } = record;
      Object.assign(record, { intended_ms: intendedMs - 400 });
    }),
  },
  {
    code: "generator_cpu",
    how: "a busy loop beside the generator",
    status: "void",
    scenario: "chat",
    spoil: (run) => ({ ...run, context: { ...run.context, ...cpuSamples(run, 0.99, 0.4) } }),
  },
  {
    code: "late_stamps",
    how: "3 % of the handlers run 20 ms late",
    status: "suspect",
    scenario: "realtime",
    spoil: spoilAudio(1, ({ utterances }, by) => {
      const waits = utterances[0]?.stamp_wait_ms ?? [];
      waits.forEach((_, index) => {
        if (by.uniform() < 0.03) waits[index] = 20;
      });
    }),
  },
  {
    code: "merged_stamps",
    how: "a proxy joins every fourth event with the one after",
    status: "suspect",
    scenario: "chat",
    spoil: spoilText(1, (record) => {
      const { events } = record;
      record.interval_us = Array.from({ length: Math.floor(events / 4) }, (_, index) => [
        4 * index,
        900,
      ]);
    }),
  },
  {
    code: "clock_step",
    how: "the clock is set back by 400 ms in the middle of the sessions in flight",
    status: "void",
    scenario: "realtime",
    spoil: spoilAudio(0.02, (record) => {
      const utterance = record.utterances[0];
      if (utterance === undefined) return;
      const half = utterance.delta_ms.length >> 1;
      utterance.delta_ms = utterance.delta_ms.map((ms, index) => (index < half ? ms : ms - 400));
    }),
  },
  {
    code: "clock_step",
    how: "the clock is set forward by 30 ms: the epoch of all later sessions moves",
    status: "suspect",
    scenario: "chat",
    spoil: (run) => {
      const { firstMs, lastMs } = spanOf(run);
      run.records.forEach((each) => {
        if (each.start_ms > (firstMs + lastMs) / 2) each.epoch_ms += 30;
      });
      return run;
    },
  },
  {
    code: "unfinished_sessions",
    how: "Ctrl-C: the last twenty sessions have no end",
    status: "suspect",
    scenario: "chat",
    spoil: (run) => ({ ...run, interrupted: run.records.splice(-20).map(startOf) }),
  },
  {
    code: "too_few_sessions",
    how: "no more than 80 sessions",
    status: "suspect",
    scenario: "realtime",
    spoil: (run, seed) => {
      const kept = new Set(chosen(run.records, seed, 80 / run.records.length));
      // Those at both ends stay: fewer sessions, not a shorter run.
      const ends = [run.records[0], run.records.at(-1)];
      return {
        ...run,
        records: run.records.filter((each) => kept.has(each) || ends.includes(each)),
      };
    },
  },
  {
    code: "not_steady",
    how: "the server takes twice as long at the end of the run",
    status: "suspect",
    scenario: "chat",
    spoil: (run, seed) => {
      const { firstMs, lastMs } = spanOf(run);
      return spoilText(1, (record) => {
        const share = (record.start_ms - firstMs) / (lastMs - firstMs);
        delay(record, share * waitOf(record));
      })(run, seed);
    },
  },
  {
    code: "token_mismatch",
    how: "the server counts half the tokens in 5 % of the replies",
    status: "suspect",
    scenario: "chat",
    spoil: spoilText(0.05, (record) => {
      if (record.usage !== undefined) record.usage.output_tokens = record.events >> 1;
    }),
  },
  {
    code: "first_text_on_a_tick",
    how: "the server looks for requests every 25 ms",
    status: "suspect",
    scenario: "chat",
    spoil: spoilText(1, (record, by) => onTick(record, 25, by)),
  },
  {
    code: "errors",
    how: "5 % of the sessions fail",
    status: "suspect",
    scenario: "chat",
    spoil: spoilText(0.05, (record) => failAs(record, "server_error")),
  },
  {
    code: "retried_connections",
    how: "2 % of the requests needed a second connection",
    status: "suspect",
    scenario: "chat",
    spoil: spoilText(0.02, (record) => {
      record.attempts = 2;
    }),
  },
  {
    code: "server_closed_early",
    how: "the server closes 2 % of the connections before the end",
    status: "suspect",
    scenario: "realtime",
    also: ["errors"],
    spoil: spoilAudio(0.02, (record) => failAs(record, "closed_early")),
  },
  {
    code: "short_run",
    how: "a run of ten seconds",
    status: "suspect",
    scenario: "chat",
    spoil: (run) => {
      const { firstMs } = spanOf(run);
      return { ...run, records: run.records.filter((each) => each.start_ms < firstMs + 10_000) };
    },
  },
];

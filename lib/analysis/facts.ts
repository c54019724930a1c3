// Gathers what the verdict looks at, session by session. Knows the facts; lib/verdict.ts knows their limits.

import type { MachineSamples } from "../machine.ts";
import type { MetricName } from "../metrics.ts";
import type { FailureKind } from "../outcome.ts";
import type { SessionRecord } from "../record.ts";
import type { ScenarioName } from "../scenario.ts";
import { sessionEvidence } from "../session-evidence.ts";
import type { SessionRow } from "../session-row.ts";
import { blockLengthMs } from "../stats/bootstrap.ts";
import { quantile, sortValues } from "../stats/quantiles.ts";
import { findTrend } from "../stats/steadiness.ts";
import type { RunFacts } from "../verdict.ts";
import { NumberList } from "./number-list.ts";
import { findTick } from "./tick.ts";

/** Failures in which the server ended the connection before it was done. */
const CLOSED_EARLY: ReadonlySet<FailureKind> = new Set<FailureKind>([
  "closed_early",
  "connection_lost",
  "truncated_stream",
  "missing_done",
]);

/** The metric whose drift makes a run unsteady: what the scenario is about. */
const HEADLINE: Readonly<Record<ScenarioName, MetricName>> = {
  realtime: "final_ms",
  chat: "ttft_ms",
  probe: "ttft_upper_bound_ms",
};

/** The metrics of which a tick is looked for. Paced audio is on its frames' tick by nature. */
const TICKED = ["ttft_ms", "ttft_wire_ms"] as const satisfies readonly MetricName[];

/** A jump of a virtual user's epoch up to this is learning, in milliseconds … */
const EPOCH_STEP_MS = 2;
/** … and this share of the time between is a clock that is slewed: NTP's limit of 500 ppm. */
const EPOCH_DRIFT_RATIO = 0.0005;

/** Confidence of the drift: one run in a hundred without a trend seems to have one, and only few of those above 10 %. */
const DRIFT_CONFIDENCE = 0.99;
/** Drifts below this are within our own timing error, in milliseconds. */
const DRIFT_MIN_MS = 5;
/** Fewest sessions of which a drift is looked for. */
const DRIFT_MIN_SESSIONS = 30;

/** Share of the CPU samples that may exceed the reading. */
const CPU_QUANTILE = 0.9;

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

/** What the sessions themselves say of the run, one by one. */
export class FactsCollector {
  #closedEarly = 0;
  #paced = 0;
  #late = 0;
  #events = 0;
  #unstamped = 0;
  #backwardsMs = 0;
  #counted = 0;
  #miscounted = 0;
  #retried = 0;
  #requests = 0;
  readonly #epochs = new Map<number, { readonly at: NumberList; readonly epoch: NumberList }>();

  /** Adds an ended session. */
  add(record: SessionRecord): void {
    const evidence = sessionEvidence(record);
    this.#backwardsMs = Math.max(this.#backwardsMs, evidence.backwards_ms ?? 0);
    if (record.kind !== undefined && CLOSED_EARLY.has(record.kind)) this.#closedEarly++;
    const epochs = this.#epochs.get(record.vu) ?? { at: new NumberList(), epoch: new NumberList() };
    this.#epochs.set(record.vu, epochs);
    epochs.at.push(record.start_ms);
    epochs.epoch.push(record.epoch_ms);
    if (record.type === "realtime" && record.speed > 0) {
      this.#paced++;
      if (evidence.is_late === true) this.#late++;
    }
    if (record.type !== "text" || record.outcome !== "finished") return;
    this.#requests++;
    if ((record.attempts ?? 1) > 1) this.#retried++;
    if (!record.stream) return;
    this.#events += record.events;
    this.#unstamped += evidence.unstamped ?? 0;
    const tokens = record.usage?.output_tokens;
    if (tokens === undefined || record.choices > 1) return;
    this.#counted++;
    if (tokens < record.events) this.#miscounted++;
  }

  /** The facts that follow from the sessions alone. */
  facts(): Partial<RunFacts> {
    return {
      closedEarly: this.#closedEarly,
      backwardsMs: this.#backwardsMs,
      epochStepMs: this.#epochStep(),
      ...(this.#paced === 0 ? {} : { paced: this.#paced, late: this.#late }),
      ...(this.#events === 0 ? {} : { events: this.#events, unstamped: this.#unstamped }),
      ...(this.#counted === 0 ? {} : { counted: this.#counted, miscounted: this.#miscounted }),
      ...(this.#requests === 0 ? {} : { retried: this.#retried }),
    };
  }

  /** The largest jump between neighbouring sessions of one virtual user, less what learning and slewing can do. */
  #epochStep(): number {
    let worst = 0;
    this.#epochs.forEach(({ at, epoch }) => {
      const order = Array.from({ length: at.length }, (_, index) => index);
      order.sort((a, b) => at.at(a) - at.at(b));
      for (let index = 1; index < order.length; index++) {
        const [before = 0, after = 0] = [order[index - 1], order[index]];
        const slewMs = EPOCH_DRIFT_RATIO * (at.at(after) - at.at(before));
        const stepMs = Math.abs(epoch.at(after) - epoch.at(before));
        if (stepMs > EPOCH_STEP_MS + slewMs) worst = Math.max(worst, stepMs);
      }
    });
    return worst;
  }
}

/** What the measured sessions' rows say of steadiness and ticks, and all rows of late starts. */
export function factsOfRows(
  rows: readonly SessionRow[],
  scenario: ScenarioName,
  holdMs: number,
  sessionMs: number,
): Partial<RunFacts> {
  const facts: Mutable<Partial<RunFacts>> = {};
  if (rows.length > 0) {
    const lags = sortValues(rows.map(({ start_ms, intended_ms }) => start_ms - intended_ms));
    facts.startLagP99Ms = quantile(lags, 0.99) ?? 0;
  }
  const measured = rows.filter(
    ({ phase, outcome }) => phase === "measured" && outcome === "finished",
  );
  const drift = findDrift(measured, HEADLINE[scenario], holdMs, blockLengthMs(sessionMs));
  if (drift !== undefined) facts.drift = drift;
  TICKED.forEach((metric) => {
    const tick = findTick(measured.flatMap(({ values }) => values[metric] ?? []));
    if (tick !== undefined && tick.ratio > (facts.tick?.ratio ?? 0))
      facts.tick = { metric, ...tick };
  });
  return facts;
}

function findDrift(
  rows: readonly SessionRow[],
  metric: MetricName,
  holdMs: number,
  blockMs: number,
): RunFacts["drift"] {
  const atMs: number[] = [];
  const values: number[] = [];
  rows.forEach((row) => {
    const value = row.values[metric];
    if (value === undefined) return;
    atMs.push(row.intended_ms);
    values.push(value);
  });
  if (values.length < DRIFT_MIN_SESSIONS || holdMs <= 0) return undefined;
  const options = { seed: 1, confidence: DRIFT_CONFIDENCE, blockMs };
  const trend = findTrend({ atMs, values }, holdMs, options);
  if (trend?.isDrifting !== true) return undefined;
  const driftMs = Math.abs((trend.slopePerSecond * holdMs) / 1000);
  return driftMs < DRIFT_MIN_MS ? undefined : { metric, ratio: trend.driftRatio };
}

/** What the machine says: samples within the run, from `fromMs` to `toMs` since 1970. */
export function factsOfMachine(
  machine: MachineSamples | undefined,
  fromMs: number,
  toMs: number,
): Partial<RunFacts> {
  const samples = (machine?.samples ?? []).filter(({ at_ms }) => at_ms >= fromMs && at_ms <= toMs);
  if (samples.length === 0) return {};
  return {
    machineCpuRatio: exceeded(samples.map((each) => each.machine_cpu_ratio)),
    k6CpuRatio: exceeded(samples.map((each) => each.k6_cpu_ratio)),
  };
}

function exceeded(values: readonly number[]): number {
  return quantile(sortValues(values), CPU_QUANTILE) ?? 0;
}

// What a comparison keeps of a run: how it was configured, whether it can be trusted, and one value a session of each
// metric. Knows records; judges nothing.

import { RunAnalysis, type AnalysisContext } from "./analysis.ts";
import { censoredReadings } from "./censoring.ts";
import type { ErrorRateName } from "./comparison.ts";
import { metricsOf, POOLED_RATIOS, type MetricName } from "./metrics.ts";
import type { SessionRecord, SessionStart } from "./record.ts";
import type { SessionCounts } from "./results.ts";
import type { ScenarioName } from "./scenario.ts";
import type { SessionRow } from "./session-row.ts";
import type { ClipErrors } from "./text/error-change.ts";
import type { Verdict } from "./verdict.ts";

/** How a run was configured, by name. Absent: not set, or not known. */
export type RunSettings = Readonly<Record<string, string | number | boolean>>;

/** The values of a metric in one run, one a session. */
export interface RunValues {
  readonly observed: Float64Array;
  /** Of sessions that ran into a time-out: their value is at least this. */
  readonly bounds: readonly number[];
}

/** A run as a comparison sees it. */
export interface ComparedRun {
  /** Its folder or file, as the user gave it. */
  readonly name: string;
  readonly scenario: ScenarioName;
  readonly settings: RunSettings;
  /** Whether the settings are more than what the records hold. */
  readonly isDescribed: boolean;
  readonly startedAt: string;
  readonly verdict: Verdict;
  readonly sessions: SessionCounts;
  /** Finished sessions after the warm-up. */
  readonly measured: number;
  /** Errors of the measured sessions that have a reference. */
  readonly errors: ReadonlyMap<ErrorRateName, readonly ClipErrors[]>;
  readonly values: ReadonlyMap<MetricName, RunValues>;
}

/** What is known of a run beside its records. */
export interface RunDescription {
  readonly name: string;
  /** What its analysis needs; its `config` and `versions` become settings. */
  readonly context: AnalysisContext;
  /** More settings, such as those of the machine. */
  readonly settings?: RunSettings;
}

/** Collects a run, record by record. */
export class ComparedRunCollector {
  readonly #analysis = new RunAnalysis();
  readonly #settings = new Map<string, Set<string | number | boolean>>();
  readonly #bounds = new Map<string, ReadonlyMap<MetricName, number>>();

  /** Adds a session that has ended. */
  add(record: SessionRecord): void {
    this.#analysis.add(record);
    this.#note("scenario", record.scenario);
    this.#note("dialect", record.dialect);
    this.#note("data_set", record.asset_set);
    if (record.type === "realtime") {
      this.#note("frame_ms", record.frame_ms);
      this.#note("speed", record.speed);
    }
    if (record.type === "text") this.#note("stream", record.stream);
    const bounds = censoredReadings(record);
    if (bounds.size > 0) this.#bounds.set(keyOf(record), bounds);
  }

  /** Adds a session that was announced and has no end. */
  addInterrupted(start: SessionStart): void {
    this.#analysis.addInterrupted(start);
  }

  /** Ends the run. The collector takes no more records after that. */
  conclude({ name, context, settings }: RunDescription): ComparedRun {
    const brief = { ...context, isWithoutMetrics: true };
    const { results, sessions: rows } = this.#analysis.conclude(brief);
    const { verdict, scenario, measured } = results;
    return {
      name,
      scenario,
      settings: { ...settings, ...describedSettings(context), ...this.#recordedSettings() },
      isDescribed: context.config !== undefined,
      startedAt: results.started_at,
      verdict: verdict ?? { status: "valid", reasons: [] },
      sessions: results.sessions,
      measured: measured?.sessions ?? 0,
      errors: errorsOf(rows),
      values: this.#values(scenario, rows),
    };
  }

  #note(setting: string, value: string | number | boolean): void {
    const known = this.#settings.get(setting);
    if (known === undefined) this.#settings.set(setting, new Set([value]));
    else known.add(value);
  }

  #recordedSettings(): RunSettings {
    const rows = [...this.#settings].map(([setting, values]): [string, RunSettings[string]] => {
      const [first = ""] = values;
      return [setting, values.size === 1 ? first : [...values].map(String).join(" and ")];
    });
    return Object.fromEntries(rows);
  }

  #values(scenario: ScenarioName, rows: readonly SessionRow[]): Map<MetricName, RunValues> {
    const measured = rows.filter(({ phase }) => phase === "measured");
    const values = new Map<MetricName, RunValues>();
    metricsOf(scenario).forEach((metric) => {
      const observed = measured.flatMap((row) => row.values[metric] ?? []);
      const bounds = measured.flatMap((row) => this.#bounds.get(keyOf(row))?.get(metric) ?? []);
      if (observed.length + bounds.length > 0)
        values.set(metric, { observed: Float64Array.from(observed), bounds });
    });
    return values;
  }
}

/** By session, under the names of its clips: sessions with the same clips are paired. */
function errorsOf(rows: readonly SessionRow[]): Map<ErrorRateName, readonly ClipErrors[]> {
  const measured = rows.filter(({ phase }) => phase === "measured");
  const rates = POOLED_RATIOS.flatMap(({ ratio, numerator, denominator }) => {
    if (ratio !== "wer_ratio" && ratio !== "cer_ratio") return [];
    const sessions = measured.flatMap(({ assets, values }): ClipErrors[] => {
      const [errors, length] = [values[numerator], values[denominator]];
      if (errors === undefined || length === undefined) return [];
      return [{ clip: assets.join(" "), errors, length }];
    });
    return [[ratio, sessions] as const];
  });
  return new Map(rates);
}

function keyOf({ session, vu }: { readonly session: string; readonly vu: number }): string {
  return `${session} ${vu}`;
}

function describedSettings({ config = {}, versions = {} }: AnalysisContext): RunSettings {
  const rows = Object.entries(versions).map(([name, version]) => [`${name}_version`, version]);
  const { suite } = versions;
  const major = suite === undefined ? {} : { suite_major_version: majorVersion(suite) };
  return { ...config, ...(Object.fromEntries(rows) as RunSettings), ...major };
}

/** The part of a version that changes when results cannot be compared any more; before 1.0.0 the minor one counts. */
export function majorVersion(version: string): string {
  const [, major = version, minor = ""] = /^v?(\d+)\.(\d+)/.exec(version) ?? [];
  return major === "0" ? `0.${minor}` : major;
}

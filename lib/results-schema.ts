// The shape of results.json and summary.json as data: what the published JSON Schema is made from. lib/results.ts has it as
// types, and the compiler holds both together.

import type { JsonSchema } from "./json-schema.ts";
import { METRIC_NAMES } from "./metrics.ts";
import {
  RESULTS_SCHEMA,
  type Censored,
  type CharacterErrorTotals,
  type LevelResults,
  type MeasuredPart,
  type MetricResult,
  type RecordCounts,
  type Results,
  type SessionCounts,
  type WordErrors,
} from "./results.ts";
import { SCENARIO_NAMES } from "./scenario.ts";
import { sloSchema } from "./slo-schema.ts";
import { VERDICT_CODES, type Verdict, type VerdictReason } from "./verdict.ts";

type Fields<T> = Readonly<Record<keyof Required<T>, JsonSchema>>;

function object<T>(
  fields: Fields<T>,
  required: readonly (keyof T & string)[],
  description: string,
): JsonSchema {
  return { type: "object", description, properties: fields, required };
}

const number = (description: string): JsonSchema => ({ type: "number", description });
const count = (description: string): JsonSchema => ({ type: "integer", minimum: 0, description });
const text = (description: string): JsonSchema => ({ type: "string", description });
const orNull = (description: string): JsonSchema => ({
  description,
  anyOf: [{ type: "number" }, { type: "null" }],
});

function metricSchema(): JsonSchema {
  const interval: JsonSchema = {
    type: "array",
    minItems: 2,
    prefixItems: [orNull("Lower end."), orNull("Upper end.")],
  };
  const bound: JsonSchema = {
    description: "A quantile with time-outs counted: known, or only known to be above a value.",
    anyOf: [
      { type: "number" },
      { type: "object", properties: { above: { type: "number" } }, required: ["above"] },
    ],
  };
  return object<MetricResult>(
    {
      unit: text("Unit of every value."),
      count: count("How many values."),
      mean: number("Arithmetic mean."),
      min: number("Smallest."),
      p50: number("Plain quantiles (type 7) over all values; sessions that failed have none."),
      p90: number("90 %."),
      p95: number("95 %."),
      p99: number("99 %."),
      max: number("Largest."),
      value: number("Of a counter or a ratio, which have nothing else."),
      ci95: object<NonNullable<MetricResult["ci95"]>>(
        { p50: interval, p90: interval, p95: interval, p99: interval, value: interval },
        [],
        "95 % confidence intervals; an end is null where the sample cannot bound it.",
      ),
      certified: object<NonNullable<MetricResult["certified"]>>(
        {
          p95: orNull("Null below 90 sessions, and among time-outs."),
          p99: orNull("Null below 459 sessions, and among time-outs."),
        },
        ["p95", "p99"],
        "Upper limits of the true percentiles at 99 % confidence.",
      ),
      censored: object<Censored>(
        { count: count("Sessions given up."), p50: bound, p90: bound, p95: bound, p99: bound },
        ["count", "p50", "p90", "p95", "p99"],
        "Sessions that were given up while they awaited the metric.",
      ),
      basis: {
        type: "string",
        enum: ["uniform", "mixed"],
        description: "Words without an alignment stand at a uniform rate: all, or some.",
      },
    },
    ["unit"],
    "One metric.",
  );
}

function sessionsSchema(): JsonSchema {
  return object<SessionCounts>(
    {
      started: count("Sum of the other four."),
      finished: count("With all that they asked for."),
      failed: count("For a reason of docs/OUTCOMES.md."),
      aborted: count("Ended by us, on purpose."),
      interrupted: count("Started and without an end."),
      by_kind: {
        type: "object",
        description: "Failures by kind.",
        additionalProperties: { type: "integer", minimum: 0 },
      },
    },
    ["started", "finished", "failed", "aborted", "interrupted"],
    "How the sessions ended.",
  );
}

function verdictSchema(): JsonSchema {
  const reason = object<VerdictReason>(
    {
      code: { type: "string", enum: VERDICT_CODES, description: "A row of docs/VERDICT.md." },
      status: { type: "string", enum: ["suspect", "void"], description: "What it makes the run." },
      seen: text("What was seen, with its limit."),
      why: text("Why it matters."),
      advice: text("What to do."),
    },
    ["code", "status", "seen", "why", "advice"],
    "A reason for doubt.",
  );
  return object<Verdict>(
    {
      status: {
        type: "string",
        enum: ["valid", "suspect", "void"],
        description: "As bad as the worst reason.",
      },
      reasons: { type: "array", items: reason, description: "Worst first." },
    },
    ["status", "reasons"],
    "Whether the run can be trusted.",
  );
}

function measuredSchema(): JsonSchema {
  return object<MeasuredPart>(
    {
      from_ms: number("Start of the measured part, after the first intended start."),
      to_ms: number("The last intended start."),
      warm_up_ms: number("What was left out."),
      warm_up: {
        type: "string",
        enum: ["rule", "given", "none"],
        description: "By the rule, as the user asked, or nothing because the run is too short.",
      },
      sessions: count("Finished sessions that were measured."),
    },
    ["from_ms", "to_ms", "warm_up_ms", "warm_up", "sessions"],
    "Which sessions the metrics are of.",
  );
}

function recordsSchema(): JsonSchema {
  return object<RecordCounts>(
    {
      full: count("Ended sessions with events."),
      compact: count("Ended sessions with readings alone."),
      broken: count("Lines that are not valid records."),
      other: count("Lines that are no records."),
    },
    ["full", "compact", "broken", "other"],
    "What was read.",
  );
}

function wordErrorsSchema(): JsonSchema {
  return object<WordErrors>(
    {
      substitutions: count("Words that came out as others."),
      deletions: count("Words that are missing."),
      insertions: count("Words that were not said."),
      words: count("Words of the references."),
      sessions: count("Measured sessions that these are of."),
      normaliser: count("Version of the rules by which words are compared."),
    },
    ["substitutions", "deletions", "insertions", "words", "sessions", "normaliser"],
    "Word errors, pooled.",
  );
}

function characterErrorsSchema(): JsonSchema {
  return object<CharacterErrorTotals>(
    {
      errors: count("Characters substituted, deleted or inserted, spaces left out."),
      characters: count("Characters of the references, without spaces."),
      sessions: count("Measured sessions that these are of."),
      normaliser: count("Version of the rules by which texts are compared."),
    },
    ["errors", "characters", "sessions", "normaliser"],
    "Character errors, pooled.",
  );
}

function metricsSchema(): JsonSchema {
  return {
    type: "object",
    description: "By name, as in docs/METRICS.md. Absent: not measured.",
    propertyNames: { enum: METRIC_NAMES },
    additionalProperties: metricSchema(),
  };
}

/** JSON Schema of results.json and summary.json: docs/schema/results.schema.json. */
export function resultsSchema(): JsonSchema {
  const texts: JsonSchema = { type: "object", additionalProperties: { type: "string" } };
  const metrics = metricsSchema();
  const duration = number("From the first start to the last end, in milliseconds.");
  const level = object<LevelResults>(
    {
      level: text("Its rate or its concurrency."),
      duration_ms: duration,
      sessions: sessionsSchema(),
      metrics,
      measured: measuredSchema(),
    },
    ["level", "duration_ms", "sessions", "metrics"],
    "The same for one level of load.",
  );
  const fields: Fields<Results> = {
    schema: { const: RESULTS_SCHEMA, description: "Name and version of the shape." },
    verdict: verdictSchema(),
    scenario: { type: "string", enum: SCENARIO_NAMES, description: "The scenario." },
    dialect: text("What was spoken on the wire."),
    started_at: text("ISO 8601."),
    duration_ms: duration,
    config: { type: "object", description: "The configuration, without secrets." },
    versions: { ...texts, description: "Versions of what made the numbers." },
    labels: { ...texts, description: "The user's own names for the run." },
    records: recordsSchema(),
    sessions: sessionsSchema(),
    measured: measuredSchema(),
    metrics,
    dropped_iterations: count("Iterations that k6 did not start, as it counts them; absent: none."),
    word_errors: wordErrorsSchema(),
    character_errors: characterErrorsSchema(),
    thresholds: {
      type: "object",
      description: "Whether each threshold held, by metric and expression.",
      additionalProperties: { type: "object", additionalProperties: { type: "boolean" } },
    },
    slo: sloSchema(),
    levels: { type: "array", items: level, description: "Of a run with several levels of load." },
  };
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "k6-realtime results",
    ...object<Results>(
      fields,
      [
        "schema",
        "scenario",
        "dialect",
        "started_at",
        "duration_ms",
        "config",
        "versions",
        "sessions",
        "metrics",
      ],
      "results.json, made from records, and summary.json, made by k6. Absent: not measured; null: too few samples.",
    ),
  };
}

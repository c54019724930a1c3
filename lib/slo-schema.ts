// The shape of judged objectives as data, for the JSON Schema of results.json. lib/slo-results.ts has it as types.

import type { JsonSchema } from "./json-schema.ts";
import type { Attainment, SloObjectiveResult, SloResults } from "./slo-results.ts";

type Fields<T> = Readonly<Record<keyof Required<T>, JsonSchema>>;

const STATUS: JsonSchema = {
  type: "string",
  enum: ["pass", "fail", "inconclusive"],
  description: "Met, missed, or neither for sure.",
};
const END: JsonSchema = { anyOf: [{ type: "number" }, { type: "null" }] };

/** JSON Schema of judged objectives. */
export function sloSchema(): JsonSchema {
  const fields: Fields<SloResults> = {
    status: STATUS,
    objectives: { type: "array", items: objectiveSchema(), description: "As they were given." },
  };
  return {
    type: "object",
    description: "Whether the objectives were met: as good as the worst of them.",
    properties: fields,
    required: ["status", "objectives"],
  };
}

function objectiveSchema(): JsonSchema {
  const fields: Fields<SloObjectiveResult> = {
    objective: { type: "string", description: "In one spelling." },
    metric: { type: "string", description: "Its metric." },
    statistic: {
      type: "string",
      enum: ["p50", "p90", "p95", "p99", "rate", "sessions"],
      description: "What is limited; `sessions`: the share of sessions within the limit.",
    },
    comparison: { type: "string", enum: ["<", "<=", ">", ">="], description: "How." },
    limit: { type: "number", description: "By what." },
    status: STATUS,
    value: { type: "number", description: "What was measured; of `sessions` the share." },
    ci95: {
      type: "array",
      minItems: 2,
      prefixItems: [END, END],
      description: "Its 95 % confidence interval; an end is null where the sample cannot bound it.",
    },
    why: { type: "string", description: "Why it is as it is." },
    attainment: attainmentSchema(),
  };
  return {
    type: "object",
    properties: fields,
    required: ["objective", "metric", "statistic", "comparison", "limit", "status", "why"],
  };
}

function attainmentSchema(): JsonSchema {
  const fields: Fields<Attainment> = {
    met: { type: "integer", minimum: 0, description: "Sessions within the limit." },
    sessions: {
      type: "integer",
      minimum: 0,
      description: "Measured sessions that have the metric, and those that failed.",
    },
    ratio: { type: "number", description: "met ÷ sessions." },
    ci95: { type: "array", minItems: 2, items: { type: "number" }, description: "Wilson's." },
  };
  return {
    type: "object",
    description: "How many sessions were within the limit.",
    properties: fields,
    required: ["met", "sessions", "ratio", "ci95"],
  };
}

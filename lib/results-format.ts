// Numbers and quantiles as people read them, for every text output. Knows results; knows no layout.

import type { MetricResult, QuantileName } from "./results.ts";

/** A number with two digits after the point below 100, and one from there on; "-" for none. */
export function decimal(value: number | null | undefined): string {
  if (value === undefined || value === null) return "-";
  const text = value.toFixed(Math.abs(value) < 100 ? 2 : 1);
  return /^-0\.0+$/.test(text) ? text.slice(1) : text;
}

/** A quantile: `>T` where time-outs hide it, with `~` before it where too few sessions bound it. */
export function quantileText(metric: MetricResult, name: QuantileName): string {
  const withCensored = metric.censored?.[name];
  const value = withCensored ?? metric[name];
  if (value === undefined) return "-";
  const text = typeof value === "object" ? `>${decimal(value.above)}` : decimal(value);
  return isUncertain(metric, name) ? `~${text}` : text;
}

function isUncertain({ certified }: MetricResult, name: QuantileName): boolean {
  if (certified === undefined || (name !== "p95" && name !== "p99")) return false;
  return certified[name] === null;
}

/** An interval as `a to b`; an open end is left open. */
export function intervalText(metric: MetricResult, name: QuantileName | "value"): string {
  const interval = metric.ci95?.[name];
  if (interval === undefined) return "";
  const [lower, upper] = interval;
  if (lower === null && upper === null) return "unknown";
  if (lower === null) return `up to ${decimal(upper)}`;
  return upper === null ? `${decimal(lower)} or more` : `${decimal(lower)} to ${decimal(upper)}`;
}

/** Foreign text on one line and without what a terminal would obey; cut to `limit` characters. */
export function printable(text: string, limit = 160): string {
  // oxlint-disable-next-line no-control-regex -- control characters are what is meant
  const plain = text.replace(/[\u0000-\u001f\u007f-\u009f]/g, " ").trimEnd();
  return plain.length <= limit ? plain : `${plain.slice(0, limit - 1)}…`;
}

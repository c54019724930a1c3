// Tables of metrics: the few that matter, each level of load, and all. Knows layout; computes nothing.

import { METRIC_NAMES, metricDefinition, type MetricName, type Unit } from "../../lib/metrics.ts";
import { decimal, intervalText, quantileText } from "../../lib/results-format.ts";
import type { MetricResult, QuantileName, Results } from "../../lib/results.ts";
import { HEADLINE } from "./headline.ts";
import { markup, type Markup } from "./markup.ts";

/** Units as people write them. */
export const UNITS: Readonly<Record<Unit, string>> = {
  ms: "ms",
  ms_per_s: "ms/s",
  count: "",
  ratio: "%",
  bytes: "bytes",
  tokens: "tokens",
  tokens_per_s: "tokens/s",
};

/** The numbers that matter for the scenario, with their intervals. */
export function headlineNumbers(results: Results): Markup {
  const figures = HEADLINE[results.scenario].map((name) => figure(name, results));
  const isUncertain = HEADLINE[results.scenario].some(
    (name) => results.metrics[name]?.certified?.p95 === null,
  );
  const remark = isUncertain
    ? markup`<p class="note">
        ~ too few sessions to bound it: a p95 needs 90. Brackets: 95 % interval; sessions are the
        sample.
      </p>`
    : markup`<p class="note">Brackets: 95 % interval; sessions are the sample.</p>`;
  return markup`<div class="figures">${figures}</div>
    ${remark}`;
}

function figure(name: MetricName, results: Results): Markup {
  const metric = results.metrics[name];
  const { title } = metricDefinition(name);
  let numbers: Markup;
  if (metric === undefined) numbers = markup`<p class="missing">not measured</p>`;
  else if (metric.value !== undefined) numbers = wordNumbers(metric, results);
  else
    numbers = markup`<dl>${quantileNumber(metric, "p50")}${quantileNumber(metric, "p95")}</dl>
      ${countLine(metric)}`;
  return markup`<article>
    <h3>${name}</h3>
    <p>${title}</p>
    ${numbers}
  </article> `;
}

function quantileNumber(metric: MetricResult, name: QuantileName): Markup {
  const interval = intervalText(metric, name);
  return markup`<div>
    <dt>${name}</dt>
    <dd>
      <b>${quantileText(metric, name)}</b> <span class="unit">${UNITS[metric.unit]}</span>${
        interval === "" ? undefined : markup` <span class="interval">[${interval}]</span>`
      }
    </dd>
  </div>`;
}

function countLine({ count, censored }: MetricResult): Markup {
  const given = censored === undefined ? "" : `, ${censored.count} timed out`;
  return markup`<p class="count">${grouped(count ?? 0)} values${given}</p>`;
}

function wordNumbers(metric: MetricResult, { word_errors: words, metrics }: Results): Markup {
  const interval = percentInterval(metric);
  const line =
    words === undefined
      ? undefined
      : markup`<p class="count">
          ${grouped(words.substitutions)} substituted, ${grouped(words.deletions)} deleted,
          ${grouped(words.insertions)} inserted of ${grouped(words.words)} words
        </p>`;
  const { cer_ratio: characters, erasure_ratio: erasure } = metrics;
  const others = [
    ...(characters === undefined ? [] : [`character errors ${percent(characters.value)} %`]),
    ...(erasure === undefined ? [] : [`erasure ${percent(erasure.value)} %`]),
  ].join(", ");
  return markup`<dl>
      <div>
        <dt>all</dt>
        <dd>
          <b>${percent(metric.value)}</b> <span class="unit">%</span>${
            interval === "" ? undefined : markup` <span class="interval">[${interval}]</span>`
          }
        </dd>
      </div>
    </dl>
    ${line}${others === "" ? undefined : markup`<p class="count">${others}</p>`}`;
}

/** The same numbers by level of load. */
export function levelTable({ scenario, levels = [] }: Results): Markup {
  const names = HEADLINE[scenario].filter((name) => name !== "wer_ratio");
  const head = names.map(
    (name) =>
      markup`<th scope="col" class="num">${name} p50</th>
        <th scope="col" class="num">p95</th>`,
  );
  const rows = levels.map(({ level, sessions, metrics }) => {
    const cells = names.map((name) => {
      const metric = metrics[name];
      const cell = (quantile: QuantileName): string =>
        metric === undefined ? "-" : quantileText(metric, quantile);
      return markup`<td class="num">${cell("p50")}</td>
        <td class="num">${cell("p95")}</td>`;
    });
    return markup`<tr>
      <th scope="row">${level}</th>
      <td class="num">${grouped(sessions.finished)}</td>
      <td class="num">${grouped(sessions.failed)}</td>
      ${cells}
    </tr> `;
  });
  return markup`<div class="scroll">
    <table>
      <thead>
        <tr>
          <th scope="col">level</th>
          <th scope="col" class="num">finished</th>
          <th scope="col" class="num">failed</th>
          ${head}
        </tr>
      </thead>
      <tbody>
        ${rows}
      </tbody>
    </table>
  </div>`;
}

/** All metrics: what the server did, then the generator's own lateness, then counts. */
export function metricTables(results: Results): Markup {
  const measured = METRIC_NAMES.flatMap((name): [MetricName, MetricResult][] => {
    const metric = results.metrics[name];
    return metric === undefined ? [] : [[name, metric]];
  });
  const trends = measured.filter(([, metric]) => metric.count !== undefined);
  const server = trends.filter(([name]) => !isOwn(name));
  const own = trends.filter(([name]) => isOwn(name));
  const values = measured.filter(([, metric]) => metric.value !== undefined);
  if (measured.length === 0) return markup`<p>Nothing was measured.</p>`;
  return markup`${trendTable("Server and network", server)}${trendTable("The generator's own lateness", own)}${valueTable(values)}`;
}

/** Whether a metric is of the generator and not of the server. */
function isOwn(name: MetricName): boolean {
  return /^(?:start_lag|send_lag|stamp_wait)_/.test(name);
}

const HEADS = [
  "unit",
  "p50",
  "95 % interval",
  "p90",
  "p95",
  "95 % interval",
  "p99",
  "max",
  "count",
];

function trendTable(
  caption: string,
  rows: readonly [MetricName, MetricResult][],
): Markup | undefined {
  if (rows.length === 0) return undefined;
  // Most runs have no time-out: the column would be empty.
  const hasCensored = rows.some(([, { censored }]) => censored !== undefined);
  const heads = hasCensored ? [...HEADS, "timed out"] : HEADS;
  const head = heads.map(
    (text, index) => markup`<th scope="col" class="${index === 0 ? "" : "num"}">${text}</th>`,
  );
  return markup`<div class="scroll">
    <table class="metrics">
      <caption>
        ${caption}
      </caption>
      <thead>
        <tr>
          <th scope="col">metric</th>
          ${head}
        </tr>
      </thead>
      <tbody>
        ${rows.map(([name, metric]) => trendRow(name, metric, hasCensored))}
      </tbody>
    </table>
  </div> `;
}

function trendRow(name: MetricName, metric: MetricResult, hasCensored: boolean): Markup {
  const cells = [
    quantileText(metric, "p50"),
    intervalText(metric, "p50"),
    quantileText(metric, "p90"),
    quantileText(metric, "p95"),
    intervalText(metric, "p95"),
    quantileText(metric, "p99"),
    decimal(metric.max),
    grouped(metric.count ?? 0),
    ...(hasCensored ? [grouped(metric.censored?.count ?? 0)] : []),
  ];
  return markup`<tr>
    <th scope="row"><code>${name}</code><small>${metricDefinition(name).title}</small></th>
    <td>${UNITS[metric.unit]}</td>
    ${cells.map((cell) => markup`<td class="num">${cell}</td>`)}
  </tr> `;
}

function valueTable(rows: readonly [MetricName, MetricResult][]): Markup | undefined {
  if (rows.length === 0) return undefined;
  return markup`<div class="scroll">
    <table class="metrics">
      <caption>
        Counts and shares
      </caption>
      <thead>
        <tr>
          <th scope="col">metric</th>
          <th scope="col" class="num">value</th>
          <th scope="col">unit</th>
          <th scope="col" class="num">95 % interval</th>
        </tr>
      </thead>
      <tbody>
        ${rows.map(([name, metric]) => {
          const isRatio = metric.unit === "ratio";
          const value = isRatio ? percent(metric.value) : grouped(metric.value ?? 0);
          return markup`<tr>
            <th scope="row"><code>${name}</code><small>${metricDefinition(name).title}</small></th>
            <td class="num">${value}</td>
            <td>${UNITS[metric.unit]}</td>
            <td class="num">${isRatio ? percentInterval(metric) : ""}</td>
          </tr> `;
        })}
      </tbody>
    </table>
  </div> `;
}

function percent(ratio: number | null | undefined): string {
  return ratio === undefined || ratio === null ? "?" : (100 * ratio).toFixed(2);
}

function percentInterval({ ci95 }: MetricResult): string {
  const interval = ci95?.value;
  return interval === undefined ? "" : interval.map((end) => percent(end)).join(" to ");
}

/** A whole number in groups of three. */
export function grouped(value: number): string {
  return value.toLocaleString("en");
}

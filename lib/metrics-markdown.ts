// The catalogue of metrics as a page of documentation. Knows layout; every fact comes from lib/metrics.ts.

import { METRIC_NAMES, metricDefinition } from "./metrics.ts";

const HEAD = `# Metrics

Made by \`make docs\` from \`lib/metrics.ts\`. A name is the same in k6, in records, in \`summary.json\` and here.

A finished session gives readings; a failed one gives none and is counted under its kind (docs/OUTCOMES.md). A value
that was not measured is absent, never 0. Times are milliseconds. A derived metric is no metric of k6's: it stands in
\`summary.json\` and in results; one that needs records, in results made from them.

## Notation of paced audio

| symbol | meaning |
| --- | --- |
| T0 | when the virtual microphone starts: the server's ready event (for a later utterance: the previous final transcript plus \`RT_THINK_MS\`) plus the session's phase, a seeded offset in [0, \`RT_FRAME_MS\`) |
| A, A_k | length of the audio; end of frame k on the audio's own timeline. Both are divided by the speed |
| s*_k | schedule of frame k: T0 + A_k, when a microphone would have had its last sample |
| s_k | when frame k was handed to the socket |
| t_c | when the commit that ends the audio was handed to the socket |
| r_j | arrival of delta j, blank or not, stamped by k6's reader right after the socket read; r_1 is the first delta with non-blank text |
| r_F | arrival of the final transcript |
| ON, EOS | annotated onset and end of speech in the asset |
| e_i | end of word i in the asset's word alignment; with ON and EOS only: ON + i/N · (EOS − ON) for word i of N |
| h_i | arrival of the delta from which on words 1 to i never change again; r_F for a word that only the final transcript has |
| sentPos(t) | A_k of the newest frame with s_k ≤ t |

## Notation of streamed text

| symbol | meaning |
| --- | --- |
| intended start, start | when the load profile wanted the session to begin; when the request was begun, connecting included |
| written, headers, first byte | the request was written to the socket; the response headers, the first byte of the body arrived |
| r_1, r_i, r_n | arrival of the first, the i-th and the last event whose text (content, reasoning, tool call) is not empty |
| first content | arrival of the first of these that is not reasoning |
| usage | token counts as the server reported them |

Latencies are anchored to the schedule, not to the actual send: a slow client cannot hide a slow server, and its own
lateness stands beside as \`send_lag_ms\`, \`start_lag_ms\` and \`stamp_wait_ms\`.

## Catalogue

| metric | for | unit | k6 type | one value per | better | formula | needs |
| --- | --- | --- | --- | --- | --- | --- | --- |
`;

/** docs/METRICS.md. */
export function metricsMarkdown(): string {
  const rows = METRIC_NAMES.map((name) => {
    const row = metricDefinition(name);
    const { unit, kind, per, better, title, formula, needs, scenarios } = row;
    return `| \`${name}\`: ${title} | ${scenarios.join(", ")} | ${unit} | ${kind} | ${per} | ${better} | ${formula} | ${needs ?? ""} |`;
  });
  return `${HEAD}${rows.join("\n")}\n`;
}

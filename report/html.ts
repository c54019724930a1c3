// results.html: the report that people open, one file that asks nothing of the network. Knows the frame of the page and
// its policy; what stands in it is made in report/html, what moves in report/page.

import { rename, writeFile } from "node:fs/promises";
import { deflateRawSync } from "node:zlib";

import type { MachineSamples } from "../lib/machine.ts";
import type { Report } from "./build.ts";
import { hashSource, readAssets } from "./html/assets.ts";
import { collectPage, type Embedded } from "./html/collect.ts";
import { markup, Markup } from "./html/markup.ts";
import { pageBody, pageTitle } from "./html/sections.ts";

/** What the page is made of besides the report. */
export interface HtmlInput {
  /** Arguments of the command that made the run, without secrets. */
  readonly command?: readonly string[];
  /** The machine of the load generator. */
  readonly host?: Readonly<Record<string, string | number>>;
  readonly machine?: MachineSamples;
}

/**
 * Writes the page. An existing file is replaced at once, so that nobody reads half a file.
 *
 * @throws {Error} Node's, if a file cannot be read or written; or if the page's scripts have not been built.
 */
export async function writeHtml(report: Report, input: HtmlInput, path: string): Promise<void> {
  await writeFile(`${path}.part`, await reportHtml(report, input));
  await rename(`${path}.part`, path);
}

/** Makes the page. */
export async function reportHtml(report: Report, input: HtmlInput): Promise<string> {
  const embedded = await collectPage(report, input.machine);
  return pageHtml(report, input, embedded);
}

function pageHtml(report: Report, input: HtmlInput, { data, details }: Embedded): string {
  const { early, script, style } = readAssets();
  // Level 9 takes twice as long to save 0.3 %.
  const packed = deflateRawSync(JSON.stringify(data), { level: 6 }).toString("base64");
  const policy = [
    "default-src 'none'",
    `script-src ${hashSource(early)} ${hashSource(script)}`,
    `style-src ${hashSource(style)}`,
    "img-src data:",
    "base-uri 'none'",
    "form-action 'none'",
  ].join("; ");
  // Base64 has no character that HTML knows, and code was made here: nothing of these needs escaping.
  const page = markup`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>${pageTitle(report.results)}</title>
<link rel="icon" href="data:,">
<script>${new Markup(early)}</script>
<style>${new Markup(style)}</style>
</head>
<body>
${pageBody(report, input, data.notes)}
<script type="text/plain" id="page-data">${new Markup(packed)}</script>
<script type="text/plain" id="page-details">${new Markup(details.join("\n"))}</script>
<script>${new Markup(script)}</script>
</body>
</html>
`;
  return page.text;
}

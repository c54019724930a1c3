// A table of a benchmark: one row a level of load. Knows layout only.

/** What a benchmark measures, row by row, one after the other. */
export interface Table {
  readonly title: string;
  readonly head: readonly string[];
  readonly rows: readonly (() => Promise<readonly (string | number)[]>)[];
}

/** One line of a Markdown table. */
export function markdownRow(cells: readonly (string | number)[]): string {
  return `| ${cells.join(" | ")} |`;
}

/** The head of a Markdown table. */
export function markdownHead(head: readonly string[]): string {
  return `${markdownRow(head)}\n|${head.map(() => " --- |").join("")}`;
}

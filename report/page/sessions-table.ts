// The table of sessions: sorted by any column, filtered by outcome and words, 25 to a page. Knows rows; the page shows
// one of them elsewhere.

import { decimal } from "../../lib/results-format.ts";
import { OUTCOMES } from "../html/page-data.ts";
import type { Page, Row } from "./data.ts";
import { byId, element, foreign, type Child } from "./dom.ts";
import { grouped } from "./numbers.ts";

const PAGE_ROWS = 25;

/** A column: what stands in it, and what it is sorted by. */
interface Column {
  readonly title: string;
  readonly unit?: string;
  readonly isNumber: boolean;
  readonly key: (row: Row) => number | string | undefined;
  readonly cell: (row: Row) => Child;
}

/** What the reader chose. */
interface View {
  column: number;
  isDescending: boolean;
  words: string;
  outcome: string;
  page: number;
}

/** Draws the table and answers to its controls. */
export function drawSessions(page: Page): void {
  const host = byId("sessions-table");
  const columns = columnsOf(page);
  const view: View = { column: 0, isDescending: false, words: "", outcome: "", page: 0 };
  const search = element("input", {
    type: "search",
    placeholder: "session, clip, kind or message",
    "aria-label": "filter sessions by words",
  });
  const outcome = element("select", { "aria-label": "filter sessions by outcome" });
  outcome.append(element("option", { value: "" }, "all outcomes"));
  const used = OUTCOMES.filter((name) => page.rows.some((row) => row.outcome === name));
  used.forEach((name) => outcome.append(element("option", { value: name }, name)));
  const status = element("p", { class: "status-line", role: "status" });
  const table = element("table", { class: "sessions" });
  const pager = element("div", { class: "pager" });
  const show = (): void => {
    const rows = sorted(filtered(page.rows, view), columns[view.column], view.isDescending);
    const pages = Math.max(1, Math.ceil(rows.length / PAGE_ROWS));
    view.page = Math.min(view.page, pages - 1);
    const from = view.page * PAGE_ROWS;
    const shown = rows.slice(from, from + PAGE_ROWS);
    status.textContent =
      rows.length === 0
        ? "no session matches"
        : `${grouped(from + 1)} to ${grouped(from + shown.length)} of ${grouped(rows.length)}`;
    table.tBodies[0]?.replaceChildren(...shown.map((row) => rowElement(row, columns)));
    showSorting(table, view);
    pager.replaceChildren(...pagerButtons(view, pages, show));
  };
  table.append(head(columns, view, show), element("tbody"));
  search.addEventListener("input", () => {
    Object.assign(view, { words: search.value.trim().toLowerCase(), page: 0 });
    show();
  });
  outcome.addEventListener("change", () => {
    Object.assign(view, { outcome: outcome.value, page: 0 });
    show();
  });
  host.replaceChildren(
    element("div", { class: "bar" }, search, outcome, status, pager),
    element(
      "div",
      { class: "scroll", tabindex: 0, role: "region", "aria-label": "sessions" },
      table,
    ),
  );
  show();
}

function columnsOf({ data, value }: Page): Column[] {
  const metrics = data.metrics.map((metric): Column => {
    return {
      title: metric.name.replace(/_ms$/, "") + (metric.isPooled ? ", median" : ""),
      unit: metric.unit,
      isNumber: true,
      key: (row) => value(metric.name, row.index),
      cell: (row) => numberText(value(metric.name, row.index)),
    };
  });
  const hasWords = data.rows.values["wer_words"] !== undefined;
  return [
    {
      title: "session",
      isNumber: true,
      key: ({ index }) => index,
      cell: ({ session }) =>
        element("a", { href: `#session-${encodeURIComponent(session)}` }, session),
    },
    {
      title: "start",
      unit: "s",
      isNumber: true,
      key: ({ startMs }) => startMs,
      cell: ({ startMs }) => (startMs / 1000).toFixed(2),
    },
    {
      title: "length",
      unit: "s",
      isNumber: true,
      key: ({ lengthMs }) => lengthMs,
      cell: ({ lengthMs }) => (lengthMs === undefined ? "" : (lengthMs / 1000).toFixed(2)),
    },
    {
      title: "outcome",
      isNumber: false,
      key: ({ outcome, kind }) => `${outcome} ${kind}`,
      cell: outcomeCell,
    },
    ...metrics,
    ...(hasWords ? [wordColumn(value)] : []),
    {
      title: data.scenario === "realtime" ? "clip" : "prompt",
      isNumber: false,
      key: ({ asset }) => asset,
      cell: ({ asset }) => foreign(asset),
    },
  ];
}

function wordColumn(value: Page["value"]): Column {
  return {
    title: "word errors",
    isNumber: true,
    key: ({ index }) => value("wer_errors", index),
    cell: ({ index }) => {
      const errors = value("wer_errors", index);
      return errors === undefined ? "" : `${errors} of ${value("wer_words", index) ?? 0}`;
    },
  };
}

function outcomeCell(row: Row): Child {
  const words =
    row.outcome === "finished" && !row.isMeasured ? "finished, not measured" : row.outcome;
  return element(
    "span",
    { class: `outcome ${row.outcome}` },
    words,
    row.kind === "" ? undefined : " ",
    row.kind === "" ? undefined : element("code", {}, row.kind),
  );
}

function numberText(value: number | undefined): string {
  return value === undefined ? "" : decimal(value);
}

function filtered(rows: readonly Row[], { words, outcome }: View): Row[] {
  return rows.filter((row) => {
    if (outcome !== "" && row.outcome !== outcome) return false;
    if (words === "") return true;
    const text = `${row.session} ${row.asset} ${row.outcome} ${row.kind} ${row.message}`;
    return text.toLowerCase().includes(words);
  });
}

/** Sorted by a column; what has no value comes last in either direction. */
function sorted(rows: Row[], column: Column | undefined, isDescending: boolean): Row[] {
  if (column === undefined) return rows;
  const keyed = rows.map((row) => [column.key(row), row] as const);
  const sign = isDescending ? -1 : 1;
  keyed.sort(([a, one], [b, other]) => {
    if (a === undefined || b === undefined)
      return Number(a === undefined) - Number(b === undefined) || one.index - other.index;
    if (a === b) return one.index - other.index;
    return a < b ? -sign : sign;
  });
  return keyed.map(([, row]) => row);
}

function head(columns: readonly Column[], view: View, show: () => void): HTMLElement {
  const cells = columns.map((column, index) => {
    const button = element("button", { type: "button" }, column.title);
    if (column.unit !== undefined)
      button.append(" ", element("span", { class: "unit" }, column.unit));
    button.addEventListener("click", () => {
      // Numbers first from the largest, since slow ones are looked for.
      const isSame = view.column === index;
      Object.assign(view, {
        column: index,
        isDescending: isSame ? !view.isDescending : column.isNumber && index > 0,
        page: 0,
      });
      show();
    });
    return element("th", { scope: "col", class: column.isNumber ? "num" : "" }, button);
  });
  return element("thead", {}, element("tr", {}, ...cells));
}

function showSorting(table: HTMLTableElement, { column, isDescending }: View): void {
  [...(table.tHead?.rows[0]?.cells ?? [])].forEach((cell, index) => {
    const sorting = index !== column ? "none" : isDescending ? "descending" : "ascending";
    cell.setAttribute("aria-sort", sorting);
  });
}

function rowElement(row: Row, columns: readonly Column[]): HTMLElement {
  const cells = columns.map(({ isNumber, cell }) =>
    element("td", { class: isNumber ? "num" : "" }, cell(row)),
  );
  return element("tr", row.hasDetail ? {} : { class: "no-detail" }, ...cells);
}

function pagerButtons(view: View, pages: number, show: () => void): HTMLElement[] {
  const make = (text: string, label: string, page: number): HTMLElement => {
    const button = element("button", { type: "button", "aria-label": label }, text);
    button.disabled = page < 0 || page >= pages;
    button.addEventListener("click", () => {
      view.page = page;
      show();
    });
    return button;
  };
  return [
    make("‹", "previous page of sessions", view.page - 1),
    element("span", {}, `${view.page + 1} / ${pages}`),
    make("›", "next page of sessions", view.page + 1),
  ];
}

// One session: what is known of it, its waterfall and its text. Knows which figure is whose.

import type { SessionDetail, SpeechDetail, TextDetail } from "../html/detail-codec.ts";
import type { Page, Row } from "./data.ts";
import { append, byId, element, foreign, type Child } from "./dom.ts";
import { duration, grouped } from "./numbers.ts";
import { speechFigure } from "./speech-figure.ts";
import { probeFigure, textFigure } from "./text-figure.ts";
import { transcript } from "./transcript.ts";

/** Utterances of a session that are drawn. */
const MAX_UTTERANCES = 20;

type Fact = readonly [name: string, value: Child];

/** Shows the session that the address names, or else the slowest one; follows the address from then on. */
export function followAddress(page: Page): void {
  const host = byId("session-view");
  const bySession = new Map(page.rows.map((row) => [row.session, row]));
  let shown = 0;
  const show = async (isAsked: boolean): Promise<void> => {
    const named = /^#session-(.+)$/.exec(location.hash)?.[1];
    const session = named === undefined ? undefined : decoded(named);
    const row = session === undefined ? slowest(page) : bySession.get(session);
    if (session === undefined && shown > 0) return;
    const turn = ++shown;
    const content =
      row === undefined
        ? [element("p", { class: "note" }, "This session is not in the page.")]
        : await sessionElements(page, row, host.clientWidth, session === undefined);
    // Another session may have been asked for meanwhile.
    if (turn !== shown) return;
    host.replaceChildren(...content);
    if (isAsked && session !== undefined) byId("session").scrollIntoView();
  };
  addEventListener("hashchange", () => void show(true));
  addEventListener("keydown", (event) => {
    if (isTyping(event.target) || event.altKey || event.ctrlKey || event.metaKey) return;
    const step = event.key === "n" ? 1 : event.key === "p" ? -1 : 0;
    const link = host.querySelector<HTMLAnchorElement>(step > 0 ? "a[rel=next]" : "a[rel=prev]");
    if (step !== 0 && link !== null) location.hash = link.hash;
  });
  void show(true);
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLInputElement || target instanceof HTMLSelectElement;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** The session with the largest value of the first metric, of those whose events are here. */
function slowest({ rows, data, value }: Page): Row | undefined {
  const [metric] = data.metrics;
  let found: Row | undefined;
  rows.forEach((row) => {
    if (!row.hasDetail) return;
    const own = metric === undefined ? undefined : value(metric.name, row.index);
    const best =
      found === undefined || metric === undefined ? undefined : value(metric.name, found.index);
    if (found === undefined || (own !== undefined && (best === undefined || own > best)))
      found = row;
  });
  return found ?? rows[0];
}

async function sessionElements(
  page: Page,
  row: Row,
  width: number,
  isDefault: boolean,
): Promise<HTMLElement[]> {
  const [metric] = page.data.metrics;
  const why =
    isDefault && metric !== undefined && row.hasDetail ? `the largest ${metric.name}` : "";
  const head = element("div", { class: "bar" }, element("h3", {}, `Session ${row.session}`));
  if (why !== "") append(head, element("span", { class: "note" }, why));
  append(
    head,
    neighbour(page, row.index - 1, "prev", "‹ previous (p)"),
    neighbour(page, row.index + 1, "next", "next (n) ›"),
  );
  const detail = await page.detail(row.index);
  const facts = [...rowFacts(row), ...(detail === undefined ? [] : detailFacts(detail))];
  const list = element("dl", { class: "facts" });
  facts.forEach(([name, value]) =>
    list.append(element("div", {}, element("dt", {}, name), element("dd", {}, value))),
  );
  const body =
    detail === undefined
      ? [
          element(
            "p",
            { class: "note" },
            "The events of this session are not in the page: its record is compact or interrupted, or it was not chosen.",
          ),
        ]
      : detailElements(detail, width, row.kind);
  return [head, list, ...body];
}

function neighbour(
  { rows }: Page,
  index: number,
  rel: "prev" | "next",
  text: string,
): HTMLElement | undefined {
  const row = rows[index];
  return row === undefined
    ? undefined
    : element("a", { href: `#session-${encodeURIComponent(row.session)}`, rel }, text);
}

function rowFacts(row: Row): Fact[] {
  const facts: Fact[] = [
    [
      "outcome",
      element(
        "span",
        { class: `outcome ${row.outcome}` },
        row.kind === "" ? row.outcome : `${row.outcome}: ${row.kind}`,
      ),
    ],
    ["start", duration(row.startMs)],
    ["virtual user", String(row.vu)],
    ["asset", foreign(row.asset)],
  ];
  if (row.lengthMs !== undefined) facts.push(["length", duration(row.lengthMs)]);
  if (row.message !== "") facts.push(["message", foreign(row.message)]);
  return facts;
}

function detailFacts(detail: SessionDetail): Fact[] {
  const facts: Fact[] = [["started late by", duration(detail.start_ms - detail.intended_ms)]];
  const put = (name: string, value: string | number | undefined): void => {
    if (value !== undefined) facts.push([name, foreign(String(value))]);
  };
  if (detail.type === "realtime") putSpeech(detail, put);
  else if (detail.type === "text") putText(detail, put);
  else {
    put("input tokens", detail.usage?.input_tokens);
    put("output tokens", detail.usage?.output_tokens);
  }
  return facts;
}

type Put = (name: string, value: string | number | undefined) => void;

function putSpeech(detail: SpeechDetail, put: Put): void {
  const { opened_ms: opened, ready_ms: ready, start_ms: start } = detail;
  put("connect", opened === undefined ? undefined : duration(opened - start));
  put("ready", ready === undefined || opened === undefined ? undefined : duration(ready - opened));
  put("frames of", `${detail.frame_ms} ms`);
  put("speed", detail.speed === 1 ? undefined : detail.speed);
  put("notices", detail.notices === 0 ? undefined : detail.notices);
  put("server's name", detail.server_session);
}

function putText(detail: TextDetail, put: Put): void {
  const { usage, phases, start_ms: start } = detail;
  put("status", detail.status);
  put("protocol", detail.protocol);
  put(
    "connection",
    detail.reused === undefined ? undefined : detail.reused ? "used before" : "new",
  );
  put("tried on", detail.attempts === undefined ? undefined : `${detail.attempts} connections`);
  put("stamps", detail.stamps);
  put("written", phases.written_ms === undefined ? undefined : duration(phases.written_ms - start));
  put("events", grouped(detail.events));
  put("input tokens", usage?.input_tokens);
  put("output tokens", usage?.output_tokens);
  put("body", `${grouped(detail.bytes)} bytes`);
  put("finish", detail.finish_reasons?.join(", "));
  put("server's name", detail.server_session);
}

function detailElements(detail: SessionDetail, width: number, failure: string): HTMLElement[] {
  if (detail.type === "probe") return probeFigure(detail, width);
  if (detail.type === "text") {
    const figure = textFigure(detail, width, failure);
    const reply =
      detail.text === undefined
        ? []
        : [
            element("h4", {}, "Reply"),
            element("p", { class: "transcript raw" }, foreign(detail.text)),
          ];
    return [...figure, ...reply];
  }
  return utteranceElements(detail, width, failure);
}

function utteranceElements(detail: SpeechDetail, width: number, failure: string): HTMLElement[] {
  const { utterances } = detail;
  if (utterances.length === 0) return [element("p", { class: "note" }, "No audio was sent.")];
  const elements = utterances.slice(0, MAX_UTTERANCES).flatMap((utterance, index) => {
    const isLast = index === utterances.length - 1;
    const title =
      utterances.length === 1
        ? []
        : [element("h4", {}, `Utterance ${index + 1} of ${utterances.length}`)];
    return [
      ...title,
      ...speechFigure(utterance, detail, width, isLast ? failure : ""),
      transcript(utterance.asset.text, utterance.final_text),
    ];
  });
  const rest = utterances.length - MAX_UTTERANCES;
  if (rest > 0)
    elements.push(element("p", { class: "note" }, `${rest} more utterances are not drawn.`));
  return elements;
}

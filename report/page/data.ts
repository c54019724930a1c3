// The data that the page holds: inflates it and lays it out as the charts want it. Knows its encoding; draws nothing.

import type { AssetRecord } from "../../lib/record.ts";
import { decodeDetail, type SessionDetail } from "../html/detail-codec.ts";
import { OUTCOMES, type PageData } from "../html/page-data.ts";
import { byId } from "./dom.ts";

/** A session of the table. */
export interface Row {
  readonly index: number;
  readonly session: string;
  readonly vu: number;
  readonly startMs: number;
  /** Absent for an interrupted session. */
  readonly lengthMs: number | undefined;
  readonly outcome: (typeof OUTCOMES)[number];
  readonly isMeasured: boolean;
  readonly kind: string;
  readonly message: string;
  readonly asset: string;
  readonly hasDetail: boolean;
}

/** The page's data, ready to be drawn. */
export interface Page {
  readonly data: PageData;
  readonly rows: readonly Row[];
  /** A session's value of a metric in its unit; `undefined` where it was not measured. */
  readonly value: (metric: string, row: number) => number | undefined;
  /** A session's events; `undefined` if the page does not hold them. */
  readonly detail: (row: number) => Promise<SessionDetail | undefined>;
}

/** Reads the page's data. */
export async function readPage(): Promise<Page> {
  const data = JSON.parse(await inflated(byId("page-data").textContent)) as PageData;
  const lines = byId("page-details").textContent.trim().split("\n");
  const lineOf = new Map(data.detailed.map((row, index) => [row, index + 1]));
  let assets: readonly AssetRecord[] | undefined;
  return {
    data,
    rows: readRows(data, lineOf),
    value: (metric, row) => {
      const hundredths = data.rows.values[metric]?.[row];
      return hundredths === undefined || hundredths === null ? undefined : hundredths / 100;
    },
    detail: async (row) => {
      const line = lines[lineOf.get(row) ?? -1];
      if (line === undefined) return undefined;
      assets ??= JSON.parse(await inflated(lines[0] ?? "")) as readonly AssetRecord[];
      return decodeDetail(await inflated(line), assets);
    },
  };
}

function readRows({ rows }: PageData, lineOf: ReadonlyMap<number, number>): Row[] {
  let startTenths = 0;
  return rows.session.map((session, index) => {
    startTenths += rows.startTenths[index] ?? 0;
    const length = rows.lengthTenths[index] ?? -1;
    return {
      index,
      session,
      vu: rows.vu[index] ?? 0,
      startMs: startTenths / 10,
      lengthMs: length < 0 ? undefined : length / 10,
      outcome: OUTCOMES[rows.outcome[index] ?? 0] ?? "finished",
      isMeasured: rows.isMeasured[index] === 1,
      kind: rows.kind[index] ?? "",
      message: rows.message[index] ?? "",
      asset: rows.assetNames[rows.asset[index] ?? 0] ?? "",
      hasDetail: lineOf.has(index),
    };
  });
}

async function inflated(base64: string): Promise<string> {
  const bytes = Uint8Array.from(atob(base64.trim()), (character) => character.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
  return new Response(stream).text();
}

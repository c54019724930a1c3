// What the realtime scenario reads once for the whole process: configuration, manifest and every clip's header. Part of
// lib/k6/prepare.ts.

import Papa from "papaparse";
import { createAsset, type Asset } from "../asset.ts";
import { longestSessionMs } from "../load.ts";
import { parseManifest } from "../manifest.ts";
import type { RealtimeDialect } from "../protocols/realtime.ts";
import { parseRealtimeConfig } from "../realtime-config.ts";
import type { Watchdogs } from "../realtime-session.ts";
import {
  assetSetName,
  commonPlan,
  mistakes,
  readCommonFiles,
  readNamedFile,
  runOptions,
  type PreparedRun,
  type RunPlan,
} from "./prepare-common.ts";

/** Where a clip's samples lie. */
export interface ClipFile {
  /** A path that k6 can open in the init context. */
  readonly path: string;
  /** First byte of the samples. */
  readonly dataOffset: number;
  readonly dataBytes: number;
}

/** What every virtual user of a realtime run needs. The URL is `ws://` or `wss://`. */
export interface RealtimePlan extends RunPlan {
  readonly watchdogs: Watchdogs;
  readonly frameMs: number;
  readonly speed: number;
  readonly utterancesPerSession: number;
  readonly clips: readonly ClipFile[];
}

/** The shipped manifest, relative to the bundle in dist/. */
const SHIPPED_MANIFEST = "../data/utterances.csv";

/**
 * Prepares a run from the environment. Init context only.
 *
 * @throws {Error} With every mistake, one line each: k6 ends before any virtual user starts, with code 107.
 */
export function prepareRealtime(dialect: RealtimeDialect): PreparedRun<RealtimePlan, Asset> {
  const result = parseRealtimeConfig(__ENV);
  const { config } = result;
  const problems = result.ok ? [] : [...result.problems];
  const files = readCommonFiles(config, problems);
  const manifest = config.dataFile ?? SHIPPED_MANIFEST;
  const assets = readAssets(manifest, dialect.sampleRateHz, problems);
  if (problems.length > 0) throw mistakes(problems);

  const longestClipMs = assets.reduce(
    (longest, each) => Math.max(longest, each.record.duration_ms),
    0,
  );
  const plan: RealtimePlan = {
    ...commonPlan(config, files, {
      dialect: dialect.name,
      url: config.target.websocketBase + dialect.path,
      assetSet: assetSetName(manifest),
    }),
    watchdogs: config.watchdogs,
    frameMs: config.frameMs,
    speed: config.speed,
    utterancesPerSession: config.utterancesPerSession,
    clips: assets.map(({ file, dataOffset, dataBytes }) => ({
      path: resolveBeside(manifest, file),
      dataOffset,
      dataBytes,
    })),
  };
  const sessionMs = longestSessionMs({ ...config, longestClipMs });
  return { plan, options: runOptions(config, files, sessionMs, plan), items: assets };
}

function readAssets(manifest: string, sampleRateHz: number, problems: string[]): Asset[] {
  const text = readNamedFile("RT_DATA", manifest, problems);
  if (text === undefined) return [];
  const parsed = Papa.parse<Record<string, string>>(text, { header: true });
  const rows = parseManifest(parsed.data, parsed.meta.fields ?? [], manifest);
  if (!rows.ok) {
    problems.push(...rows.problems);
    return [];
  }
  return rows.utterances.flatMap((utterance) => {
    const result = createAsset(utterance, sampleRateHz, {
      readBytes: (file) => new Uint8Array(open(resolveBeside(manifest, file), "b")),
      readText: (file) => open(resolveBeside(manifest, file)),
    });
    if (result.ok) return [result.asset];
    problems.push(...result.problems.map((problem) => `${manifest}: ${problem}`));
    return [];
  });
}

/** A file that a manifest names, relative to the manifest. */
function resolveBeside(manifest: string, file: string): string {
  return file.startsWith("/") ? file : `${manifest.slice(0, manifest.lastIndexOf("/"))}/${file}`;
}

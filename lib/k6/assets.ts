// The assets of a run inside k6: reads the manifest and every clip's header once for the whole process. Knows k6's init
// context and papaparse; what a row means is decided in lib/.

import { SharedArray } from "k6/data";
import Papa from "papaparse";
import { createAsset, type Asset } from "../asset.ts";
import { parseManifest } from "../manifest.ts";
import type { ClipFile } from "./audio-source.ts";

/** The assets, shared by all virtual users. Reading an element costs a JSON.parse of it. */
export interface Assets {
  readonly count: number;
  /** Name of the manifest, the `asset_set` tag. */
  readonly setName: string;
  readonly longestMs: number;
  readonly clips: readonly ClipFile[];
  get(index: number): Asset;
}

/** The shipped manifest, relative to the bundle in dist/. */
const SHIPPED_MANIFEST = "../data/utterances.csv";

/** What all virtual users need at once, in one element: an element is parsed anew at each read. */
interface AssetIndex {
  readonly longestMs: number;
  readonly clips: readonly ClipFile[];
}

/**
 * Loads a manifest and checks every file that it names. Init context only.
 *
 * @param manifestFile - An absolute path; `undefined` for the shipped manifest.
 * @throws {Error} With everything that is wrong, one line each.
 */
export function loadAssets(manifestFile: string | undefined, sampleRateHz: number): Assets {
  const path = manifestFile ?? SHIPPED_MANIFEST;
  const folder = path.slice(0, path.lastIndexOf("/"));
  const resolve = (file: string): string => (file.startsWith("/") ? file : `${folder}/${file}`);
  const shared = new SharedArray<Asset>("assets", () => readAssets(path, sampleRateHz, resolve));
  const index = new SharedArray<AssetIndex>("asset index", () => {
    const assets = Array.from(shared);
    return [
      {
        longestMs: assets.reduce((longest, each) => Math.max(longest, each.record.duration_ms), 0),
        clips: assets.map((each) => ({ path: resolve(each.file), dataOffset: each.dataOffset, dataBytes: each.dataBytes })),
      },
    ];
  })[0];
  return {
    count: shared.length,
    setName: path.slice(path.lastIndexOf("/") + 1).replace(/\.csv$/i, ""),
    longestMs: index?.longestMs ?? 0,
    clips: index?.clips ?? [],
    get(position) {
      const asset = shared[position];
      if (asset === undefined) throw new RangeError(`there is no asset ${position}`);
      return asset;
    },
  };
}

function readAssets(path: string, sampleRateHz: number, resolve: (file: string) => string): Asset[] {
  const parsed = Papa.parse<Record<string, string>>(readManifest(path), { header: true, skipEmptyLines: "greedy" });
  const manifest = parseManifest(parsed.data, parsed.meta.fields ?? [], path);
  if (!manifest.ok) throw problemsError(manifest.problems);
  const assets: Asset[] = [];
  const problems: string[] = [];
  for (const utterance of manifest.utterances) {
    const result = createAsset(utterance, sampleRateHz, {
      readBytes: (file) => new Uint8Array(open(resolve(file), "b")),
      readText: (file) => open(resolve(file)),
    });
    if (result.ok) assets.push(result.asset);
    else problems.push(...result.problems.map((problem) => `RT_DATA: ${path}: ${problem}`));
  }
  if (problems.length > 0) throw problemsError(problems);
  return assets;
}

function readManifest(path: string): string {
  try {
    return open(path);
  } catch (error) {
    throw problemsError([`RT_DATA: ${path} cannot be read: ${String(error)}`]);
  }
}

function problemsError(problems: readonly string[]): Error {
  return new Error(problems.join("\n"));
}

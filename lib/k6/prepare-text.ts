// What the text scenarios read once for the whole process: configuration and prompts. Part of lib/k6/prepare.ts.

import Papa from "papaparse";
import {
  promptsFromJson,
  promptsFromJsonLines,
  promptsFromRows,
  type Prompt,
  type PromptsResult,
} from "../prompts.ts";
import { chatCompletions } from "../protocols/chat-completions.ts";
import { completions } from "../protocols/completions.ts";
import { parseTextConfig, type TextConfig } from "../text-config.ts";
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

/** What every virtual user of a text run needs. */
export interface TextPlan
  extends
    RunPlan,
    Pick<TextConfig, "endpoint" | "maxTokens" | "ignoreEos" | "stream" | "extraBody" | "timeouts"> {
  readonly temperature?: number;
  readonly abortAfterTokens?: number;
  readonly abortAfterMs?: number;
  readonly readBytesPerSecond?: number;
}

/** The shipped prompts, relative to the bundle in dist/. */
const SHIPPED_PROMPTS = "../data/prompts.csv";

/** Name of each endpoint's dialect, in tags and records. */
const DIALECTS = { chat: "chat-completions", completions: "completions" } as const;

/**
 * Prepares a run from the environment. Init context only.
 *
 * @throws {Error} With every mistake, one line each: k6 ends before any virtual user starts, with code 107.
 */
export function prepareText(scenario: "chat" | "probe"): PreparedRun<TextPlan, Prompt> {
  const result = parseTextConfig(__ENV, scenario);
  const { config } = result;
  const problems = result.ok ? [] : [...result.problems];
  const hangsUp = config.abortAfterMs !== undefined || config.abortAfterTokens !== undefined;
  const files = readCommonFiles(config, problems, hangsUp);
  const dataFile = config.dataFile ?? SHIPPED_PROMPTS;
  const prompts = readPrompts(dataFile, problems);
  if (problems.length > 0) throw mistakes(problems);

  const { path } = config.endpoint === "chat" ? chatCompletions : completions;
  const { temperature, abortAfterTokens, abortAfterMs, readBytesPerSecond } = config;
  const plan: TextPlan = {
    ...commonPlan(config, files, {
      dialect: DIALECTS[config.endpoint],
      url: config.target.httpBase + path,
      assetSet: assetSetName(dataFile),
    }),
    endpoint: config.endpoint,
    maxTokens: config.maxTokens,
    ignoreEos: config.ignoreEos,
    stream: config.stream,
    extraBody: config.extraBody,
    timeouts: config.timeouts,
    ...(temperature === undefined ? {} : { temperature }),
    ...(abortAfterTokens === undefined ? {} : { abortAfterTokens }),
    ...(abortAfterMs === undefined ? {} : { abortAfterMs }),
    ...(readBytesPerSecond === undefined ? {} : { readBytesPerSecond }),
  };
  const requests = scenario === "probe" ? 2 : 1;
  const sessionMs = config.totalTimeoutMs * requests;
  return { plan, options: runOptions(config, files, sessionMs, plan), items: prompts };
}

function readPrompts(file: string, problems: string[]): Prompt[] {
  const text = readNamedFile("RT_DATA", file, problems);
  if (text === undefined) return [];
  const result = parsePrompts(text, file);
  if (result.ok) return result.prompts;
  problems.push(...result.problems);
  return [];
}

/** The form is told by the file's ending. */
function parsePrompts(text: string, file: string): PromptsResult {
  if (/\.(jsonl|ndjson)$/i.test(file)) return promptsFromJsonLines(text, file);
  if (/\.json$/i.test(file)) return promptsFromJson(text, file);
  const { data, meta, errors } = Papa.parse<Record<string, unknown>>(text, { header: true });
  // A row of another length is judged where its cells are; a quote that is never closed swallows all rows after it.
  const quotes = errors.filter(({ type }) => type === "Quotes");
  if (quotes.length > 0)
    return {
      ok: false,
      problems: quotes.map(
        ({ message, row }) => `${file}: row ${(row ?? 0) + 2}: ${message.toLowerCase()}`,
      ),
    };
  return promptsFromRows(data, meta.fields ?? [], file);
}

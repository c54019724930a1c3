// Counts wrong verdicts over many runs: clean ones must be valid, spoilt ones must have the right reason, be at least as
// bad as it, and be void for no other. Exits 1 for any. An argument chooses a part: `synthetic` spoils made-up records,
// `recorded` those of one real run of each scenario, `live` real runs while they last; a reason chooses its live ways.

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { availableParallelism, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { argv, exit, stdout } from "node:process";

import { analyse } from "../../lib/analysis.ts";
import type { MachineSamples } from "../../lib/machine.ts";
import { readRecordLog } from "../../lib/record.ts";
import { SCENARIO_NAMES } from "../../lib/scenario.ts";
import type { Verdict, VerdictCode } from "../../lib/verdict.ts";
import { CLEAN_LONG, CLEAN_SHORT, LIVE_WAYS, type LiveWay, runLive } from "../lab/live.ts";
import { cleanRun, type Run, type Spoiler, SPOILERS, spoiltRun } from "../lab/spoilt.ts";

const SEEDS = 20;
/** How often a long run is recorded before one beside others' work is taken. */
const RECORD_TRIES = 3;
const LIVE_RUNS = 5;
/** What others may use of the machine: beyond, a run's verdict may be of them. */
const OTHERS_LIMIT = 0.1;

/** What a verdict should be. */
type Expected = Partial<Pick<Spoiler, "code" | "status">> & {
  readonly also?: readonly VerdictCode[];
};

/** One run's verdict, held against what it should be. */
interface Finding {
  readonly kind: "right" | "wrong" | "busy";
  readonly note: string;
}

const counts = { right: 0, wrong: 0, busy: 0 };

function reasonsText({ reasons }: Verdict): string {
  return reasons.map(({ status, seen }) => `${status}, ${seen}`).join("; ") || "valid";
}

/** Whether the wanted reason is there and bad enough; a clean run wants none. */
function isFound({ reasons }: Verdict, { code, status }: Expected): boolean {
  if (code === undefined) return true;
  const reason = reasons.find((each) => each.code === code);
  return reason?.status === "void" || (reason !== undefined && reason.status === status);
}

/** Whether there is a reason that nobody has caused; a spoilt run may be suspect for others, but not void. */
function hasForeign({ reasons }: Verdict, { code, also = [] }: Expected): boolean {
  return reasons.some(
    (each) =>
      each.code !== code &&
      !also.includes(each.code) &&
      (code === undefined || each.status === "void"),
  );
}

function find(verdict: Verdict, expected: Expected): Finding {
  const isRight = isFound(verdict, expected) && !hasForeign(verdict, expected);
  return { kind: isRight ? "right" : "wrong", note: reasonsText(verdict) };
}

/** Prints the findings of one kind of run. */
function tell(what: string, findings: readonly Finding[]): void {
  const of = (kind: Finding["kind"]): readonly Finding[] =>
    findings.filter((each) => each.kind === kind);
  const [right, wrong, busy] = [of("right"), of("wrong"), of("busy")];
  counts.right += right.length;
  counts.wrong += wrong.length;
  counts.busy += busy.length;
  const mark = wrong.length > 0 ? "WRONG" : busy.length > 0 ? "busy " : "ok   ";
  const unjudged = busy.length === 0 ? "" : `, ${busy.length} not judged: machine busy`;
  stdout.write(`${mark} ${what}: ${right.length} of ${findings.length}${unjudged}\n`);
  const lines = [...wrong, ...busy].map(({ kind, note }) => `        ${kind}: ${note}\n`);
  [...new Set(lines)].forEach((line) => stdout.write(line));
}

function verdictOf({ records, interrupted, context }: Run): Verdict {
  return given(analyse(records, interrupted, context).results.verdict);
}

function given(verdict: Verdict | undefined): Verdict {
  if (verdict === undefined) throw new Error("an analysis has a verdict");
  return verdict;
}

const seeds = Array.from({ length: SEEDS }, (_, index) => index + 1);

function wanted({ code, how, status }: Expected & { readonly how: string }): string {
  return code === undefined ? `clean, ${how}: valid` : `${code}, ${how}: ${status ?? ""}`;
}

/** Made-up records, clean and spoilt. */
function judgeSynthetic(): void {
  stdout.write(`\nmade-up records, ${SEEDS} seeds each\n`);
  for (const scenario of SCENARIO_NAMES) {
    for (const fullMax of [undefined, 0]) {
      const how = `${scenario}, ${fullMax === 0 ? "compact" : "full"}`;
      const findings = seeds.map((seed) => find(verdictOf(cleanRun(scenario, seed, fullMax)), {}));
      tell(wanted({ how }), findings);
    }
  }
  for (const spoiler of SPOILERS) {
    const findings = seeds.map((seed) => find(verdictOf(spoiltRun(spoiler, seed)), spoiler));
    tell(wanted(spoiler), findings);
  }
}

/** A real run, and what was said of it before it was spoilt. */
interface RecordedRun {
  readonly run: Run;
  readonly verdict: Verdict;
}

/** The records of one real run of each scenario, clean and spoilt. */
async function judgeRecorded(): Promise<void> {
  stdout.write(`\nthe records of one real run of each scenario, ${SEEDS} seeds each\n`);
  const runs = {
    chat: await recorded(CLEAN_LONG.chat),
    realtime: await recorded(CLEAN_LONG.realtime),
  };
  for (const spoiler of SPOILERS) {
    const { run, verdict } = runs[spoiler.scenario];
    // What a busy machine has done to the run is not the spoiler's doing.
    const before = verdict.reasons.map(({ code }) => code);
    const expected = { ...spoiler, also: [...(spoiler.also ?? []), ...before] };
    const findings = seeds.map((seed): Finding => {
      const finding = find(verdictOf(spoiler.spoil(structuredClone(run), seed)), expected);
      return before.includes(spoiler.code) ? { ...finding, kind: "busy" } : finding;
    });
    tell(wanted(spoiler), findings);
  }
}

/** Records a run, anew while others use the machine, up to a limit. */
async function recorded(way: LiveWay, tries = RECORD_TRIES): Promise<RecordedRun> {
  const result = await inFolder(async (folder) => {
    const { finding, verdict } = await judgeLive(way, folder);
    if (finding.kind === "busy" && tries > 1) {
      stdout.write(`      ${way.how}, to be run again: ${finding.note}\n`);
      return undefined;
    }
    tell(wanted(way), [finding]);
    const { sessions, interrupted } = readRecordLog(
      readFileSync(join(folder, "records.jsonl"), "utf8"),
    );
    const { machine } = JSON.parse(readFileSync(join(folder, "config.json"), "utf8")) as {
      readonly machine?: MachineSamples;
    };
    const context = machine === undefined ? {} : { machine };
    return { run: { records: sessions, interrupted, context }, verdict };
  });
  return result ?? recorded(way, tries - 1);
}

/** Real runs, clean and spoilt while they last. */
async function judgeLiveWays(ways: readonly LiveWay[]): Promise<void> {
  stdout.write(`\nreal runs, ${LIVE_RUNS} each\n`);
  for (const way of ways) {
    const findings: Finding[] = [];
    for (let run = 0; run < LIVE_RUNS; run++)
      findings.push(await inFolder(async (folder) => (await judgeLive(way, folder)).finding));
    tell(wanted(way), findings);
  }
}

async function judgeLive(
  way: LiveWay,
  folder: string,
): Promise<{ finding: Finding; verdict: Verdict }> {
  const { results, isDone, load } = await runLive(way, folder);
  const verdict = given(results.verdict);
  const { kind, note } = find(verdict, way);
  const isBusy = load !== undefined && load.othersRatio > OTHERS_LIMIT;
  // Others can add reasons, and blur a pattern; they cannot take the reason away that a fault has caused.
  const isTheirs = isBusy && (way.needsQuiet === true || isFound(verdict, way));
  const isUnspoilt = !isDone && !isFound(verdict, way);
  const finding: Finding = {
    kind: kind === "wrong" && (isTheirs || isUnspoilt) ? "busy" : kind,
    note: `others had ${percent(load?.othersRatio)} of the cores${isDone ? "" : ", and the machine undid it"}: ${note}`,
  };
  return { finding, verdict };
}

async function inFolder<Result>(run: (folder: string) => Promise<Result>): Promise<Result> {
  const parent = mkdtempSync(join(tmpdir(), "k6-realtime-verdicts-"));
  try {
    return await run(join(parent, "run"));
  } finally {
    rmSync(parent, { recursive: true });
  }
}

function percent(ratio: number | undefined): string {
  return ratio === undefined ? "an unknown share" : `${(100 * ratio).toFixed(0)} %`;
}

const part = argv[2];
const ways = [...CLEAN_SHORT, ...LIVE_WAYS].filter(({ code }) => code === part);
const isPart = (name: string): boolean => part === undefined || part === name;
stdout.write(
  `${availableParallelism()} cores, load before ${loadavg()[0]?.toFixed(2) ?? "unknown"}\n`,
);
if (isPart("synthetic")) judgeSynthetic();
if (isPart("recorded")) await judgeRecorded();
if (isPart("live")) await judgeLiveWays([...CLEAN_SHORT, ...LIVE_WAYS]);
else if (ways.length > 0 && part !== undefined) await judgeLiveWays(ways);
stdout.write(`\n${counts.right} right, ${counts.wrong} wrong verdicts`);
if (counts.busy > 0)
  stdout.write(`, ${counts.busy} not judged: run them again on a machine that does nothing else`);
stdout.write("\n");
if (counts.wrong > 0 || counts.right + counts.busy === 0) exit(1);

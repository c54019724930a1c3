// Whether a run can be trusted: a closed set of reasons for doubt, each with its reading, limits, source and advice. Knows
// the facts of a run as numbers; lib/analysis gathers them from records. docs/VERDICT.md is made from this table. Longer
// than our files are, because it is a flat table.

/** From best to worst. */
export type VerdictStatus = "valid" | "suspect" | "void";

/** Why a run is not valid. */
export interface VerdictReason {
  readonly code: VerdictCode;
  readonly status: "suspect" | "void";
  /** What was seen, with its limit. */
  readonly seen: string;
  /** Why it matters. */
  readonly why: string;
  /** What to do. */
  readonly advice: string;
}

/** Whether a run can be trusted, and why not. */
export interface Verdict {
  readonly status: VerdictStatus;
  /** Worst first, then in the order of the table. */
  readonly reasons: readonly VerdictReason[];
}

/** What is known of a run's quality. An absent fact was not measured, and no reason follows from it. */
export interface RunFacts {
  readonly started: number;
  readonly finished: number;
  readonly failed: number;
  readonly interrupted: number;
  /** Failures because the server ended the connection before it was done. */
  readonly closedEarly: number;
  /** Finished sessions that enter quantiles. */
  readonly measured: number;
  /** Whether the run was too short to leave out a warm-up by the rule. */
  readonly isShort: boolean;
  /** Iterations that were due and that k6 did not start. */
  readonly dropped?: number;
  /** The user ended the run: what was not started then says nothing of the generator. */
  readonly isCut?: boolean;
  /** Sessions that sent paced audio, and those of them that sent it too late. */
  readonly paced?: number;
  readonly late?: number;
  /** p99 over all sessions. */
  readonly startLagP99Ms?: number;
  /** Busy share of all cores, exceeded in a tenth of the samples: of the machine, and of k6 alone. */
  readonly machineCpuRatio?: number;
  readonly k6CpuRatio?: number;
  /** p99 of the stamps that were taken in user space. */
  readonly userStampWaitP99Ms?: number;
  /** Events with text, and those of them without a point stamp. */
  readonly events?: number;
  readonly unstamped?: number;
  /** Largest step back in time within a session, and largest jump of a virtual user's epoch beyond drift; 0: none. */
  readonly backwardsMs?: number;
  readonly epochStepMs?: number;
  /** Drift of the headline metric over the hold, as a share of its median; absent if it is not sure or too small. */
  readonly drift?: { readonly metric: string; readonly ratio: number };
  /** Replies of which the server counted tokens, and those with more events than tokens. */
  readonly counted?: number;
  readonly miscounted?: number;
  readonly tick?: { readonly metric: string; readonly periodMs: number; readonly ratio: number };
  /** Requests that were tried on more than one connection, of those that finished. */
  readonly retried?: number;
}

/** One row of the table. */
export interface VerdictRow {
  readonly title: string;
  /** What is read, in words. */
  readonly reading: string;
  /** `flag`: it holds or not, and there is no number to show. */
  readonly unit: "ratio" | "ms" | "count" | "flag";
  /** The run is suspect, or void, if the reading is above this (`below`: below this). Absent: never. */
  readonly suspect?: number;
  readonly void?: number;
  readonly isBelow?: true;
  /** Where the limits come from. */
  readonly source: string;
  readonly why: string;
  readonly advice: string;
  /** The reading; `undefined` if it was not measured. */
  readonly read: (facts: RunFacts) => number | undefined;
  /** What there is to say beside the reading. */
  readonly note?: (facts: RunFacts) => string;
  /** The worst status that the facts allow, where it is not void. */
  readonly atMost?: (facts: RunFacts) => VerdictStatus;
}

const OURS = "convention of this suite";

/** Every reason for doubt. */
export const VERDICT_ROWS = {
  nothing_measured: {
    title: "no session finished",
    reading: "finished sessions",
    unit: "count",
    void: 1,
    isBelow: true,
    source: "there is no number to judge",
    why: "a run without a finished session says nothing of latency",
    advice: "look at the failures by kind, and at the other lines of the log",
    read: ({ finished }) => finished,
  },
  dropped_iterations: {
    title: "k6 did not start sessions that were due",
    reading:
      "dropped iterations that were due; those of RT_REQUESTS that RT_DURATION cuts were not",
    unit: "count",
    suspect: 0,
    void: 0,
    source: "coordinated omission: an arrival that was never made is a latency that was never seen",
    why: "the server got less load than the results say",
    advice: "raise RT_MAX_VUS, or use more generators; after Ctrl-C the rest was not due any more",
    read: ({ dropped }) => dropped,
    atMost: ({ isCut }) => (isCut === true ? "suspect" : "void"),
  },
  late_frames: {
    title: "audio was sent late",
    reading:
      "share of sessions with a frame later than two frames and 100 ms, a last frame later than a frame, or 1 % of the frames later than a frame",
    unit: "ratio",
    suspect: 0,
    void: 0.01,
    source: "VoIP practice: beyond two frames a jitter buffer runs dry; void above 1 % of sessions",
    why: "a late microphone makes the server look slow, and its load lighter than real",
    advice: "fewer sessions a generator, more cores, or no server on the same machine",
    read: ({ paced, late }) => share(late, paced),
    note: ({ paced, late }) => `${late ?? 0} of ${paced ?? 0} sessions`,
  },
  late_starts: {
    title: "sessions started late",
    reading: "p99 of start_lag_ms",
    unit: "ms",
    suspect: 100,
    void: 1000,
    source: `${OURS}: 100 ms is what people notice`,
    why: "the load was not what was asked for, and queues at the client hide those at the server",
    advice: "fewer sessions a generator, or more cores",
    read: ({ startLagP99Ms }) => startLagP99Ms,
  },
  generator_cpu: {
    title: "the generator's machine was short of CPU",
    reading: "busy share of all cores that a tenth of the samples exceeded: the machine's, or k6's",
    unit: "ratio",
    suspect: 0.8,
    void: 0.95,
    source: "k6's guide for large tests asks for 20 % idle; at 95 % timers and readers wait",
    why: "what waits for a core is measured as latency of the server",
    advice: "fewer sessions a generator, more cores, or no server on the same machine",
    read: ({ machineCpuRatio, k6CpuRatio }) => largest(machineCpuRatio, k6CpuRatio),
    note: ({ machineCpuRatio, k6CpuRatio }) =>
      `machine ${percent(machineCpuRatio)}, k6 ${percent(k6CpuRatio)}`,
  },
  late_stamps: {
    title: "arrivals were stamped late",
    reading: "p99 of stamp_wait_ms, stamps taken in user space only",
    unit: "ms",
    suspect: 5,
    void: 50,
    source: `${OURS}: 5 ms is the bar of make accuracy at p99; kernel stamps do not wait for a core`,
    why: "a stamp is taken when the reader gets a core: the wait is in every latency",
    advice: "fewer sessions a generator, or more cores; on Linux text runs have kernel stamps",
    read: ({ userStampWaitP99Ms }) => userStampWaitP99Ms,
  },
  merged_stamps: {
    title: "events without a stamp of their own",
    reading: "share of events with text that came in one read with a later one, or in a late one",
    unit: "ratio",
    suspect: 0.05,
    void: 0.5,
    source: `${OURS}: gaps between events are wrong for twice that share`,
    why: "such an event is only known to have come within an interval: its gaps are guesses",
    advice: "a proxy that batches, a server that writes several events at once, or a short CPU",
    read: ({ unstamped, events }) => share(unstamped, events),
    note: ({ unstamped, events }) => `${unstamped ?? 0} of ${events ?? 0} events`,
  },
  clock_step: {
    title: "the clock was set while the run lasted",
    reading: "largest step back within a session, or jump of a virtual user's epoch, beyond 2 ms",
    unit: "ms",
    suspect: 0,
    void: 50,
    source: `${OURS}: 2 ms and 500 ppm are what learning the epoch and slewing a clock can do`,
    why: "an interval across the step is wrong by its size",
    advice:
      "let NTP slew, not step, while a run lasts, do not suspend a virtual machine, and do not mix the files of two runs",
    read: ({ backwardsMs, epochStepMs }) => largest(backwardsMs, epochStepMs),
  },
  unfinished_sessions: {
    title: "sessions without an end",
    reading: "share of started sessions that were interrupted or hang",
    unit: "ratio",
    suspect: 0,
    void: 0.1,
    source: `${OURS}: those that are cut are the slowest, so a tenth of them moves p90`,
    why: "what was in flight when the run was cut is left out, and the slow are in flight longest",
    advice:
      "let the run end by itself; a session that hangs shows a fault of the server or of ours",
    read: ({ interrupted, started }) => share(interrupted, started),
    note: ({ interrupted, started }) => `${interrupted} of ${started} sessions`,
  },
  too_few_sessions: {
    title: "too few sessions for a p95",
    reading: "measured sessions that finished",
    unit: "count",
    suspect: 90,
    isBelow: true,
    source: "ln(0.01) / ln(0.95) = 90: below, not even the largest value bounds p95 at 99 %",
    why: "a p95 of fewer sessions is an anecdote",
    advice: "run longer; a p99 needs 459 sessions",
    read: ({ measured, finished }) => (finished === 0 ? undefined : measured),
  },
  not_steady: {
    title: "the latency drifted over the run",
    reading: "trend over the hold as a share of the median, if it is sure at 99 % and above 5 ms",
    unit: "ratio",
    suspect: 0.1,
    void: 1,
    source: `${OURS}: Theil and Sen's slope; at 100 % the median at the end has nothing of the start`,
    why: "a queue that grows has no percentile: it would be larger in a longer run",
    advice: "lower the load until it holds, or look for a leak or a cache that fills",
    read: ({ drift }) => (drift === undefined ? undefined : Math.abs(drift.ratio)),
    note: ({ drift }) => `${drift?.metric ?? ""} ${(drift?.ratio ?? 0) < 0 ? "falls" : "rises"}`,
  },
  token_mismatch: {
    title: "token counts of server and client differ",
    reading: "share of counted replies with more events with text than output tokens",
    unit: "ratio",
    suspect: 0.01,
    source: `${OURS}: an event with text has at least one token`,
    why: "tpot_ms and tokens per second rest on the server's count",
    advice: "check the server's usage: it may leave out reasoning, or split tokens over events",
    read: ({ miscounted, counted }) => share(miscounted, counted),
    note: ({ miscounted, counted }) => `${miscounted ?? 0} of ${counted ?? 0} replies`,
  },
  first_text_on_a_tick: {
    title: "first text comes on a fixed tick",
    reading: "share of time to first token within 1 ms of multiples of one period from 10 ms",
    unit: "ratio",
    suspect: 0.9,
    source: `${OURS}: chance would do that less than once in a million runs`,
    why: "a poll or a coarse timer is measured, at the server, in a proxy or here",
    advice: "look for a polling loop or a buffer that is flushed by a timer",
    read: ({ tick }) => tick?.ratio,
    note: ({ tick }) => `${tick?.metric ?? ""} every ${tick?.periodMs.toFixed(1) ?? ""} ms`,
  },
  errors: {
    title: "sessions failed",
    reading: "failed ÷ (finished + failed)",
    unit: "ratio",
    suspect: 0.01,
    void: 0.1,
    source: `the default threshold of a run is 1 %; ${OURS} for 10 %`,
    why: "failed sessions have no latency, and their load was not carried",
    advice: "see the failures by kind",
    read: ({ failed, finished }) => share(failed, failed + finished),
    note: ({ failed, finished }) => `${failed} of ${failed + finished} sessions`,
  },
  retried_connections: {
    title: "requests were tried on several connections",
    reading:
      "share of finished requests that were sent anew, as their connection turned out to be closed: over HTTP/2 what was not sent yet, over HTTP/1.1 what has an Idempotency-Key",
    unit: "ratio",
    suspect: 0,
    void: 0.1,
    source: `${OURS}: a request that is sent again counts its wait twice or not at all`,
    why: "the server did work that the results do not show",
    advice: "look at the server's keep-alive time-out and at load balancers in between",
    read: ({ retried, finished }) => share(retried, finished),
    note: ({ retried }) => `${retried ?? 0} sessions`,
  },
  server_closed_early: {
    title: "the server closed connections early",
    reading: "share of ended sessions whose connection ended before the reply or transcript did",
    unit: "ratio",
    suspect: 0,
    void: 0.1,
    source: `${OURS}: long sessions are cut most, so the rest looks faster than it is`,
    why: "what was cut is missing in the latencies",
    advice: "look for crashes, limits of length and time-outs of proxies",
    read: ({ closedEarly, finished, failed }) => share(closedEarly, finished + failed),
    note: ({ closedEarly }) => `${closedEarly} sessions`,
  },
  short_run: {
    title: "too short to leave out a warm-up",
    reading: "runs whose hold is below 30 s, or of which fewer than 10 sessions would be left",
    unit: "flag",
    suspect: 0,
    source: "20 % of a hold below 30 s is less than a server's caches and connections need",
    why: "the first sessions pay for connections, caches and compilation, and they are in the numbers",
    advice: "run longer, or set RT_WARMUP to say what to leave out",
    read: ({ isShort }) => (isShort ? 1 : 0),
  },
} as const satisfies Readonly<Record<string, VerdictRow>>;

/** Why a run is in doubt: a closed set. */
export type VerdictCode = keyof typeof VERDICT_ROWS;

/** All codes, in the order of the table. */
export const VERDICT_CODES = Object.keys(VERDICT_ROWS) as VerdictCode[];

/** Judges a run: as good as its worst reason, valid without any. */
export function judgeRun(facts: RunFacts): Verdict {
  const reasons = VERDICT_CODES.flatMap((code) => findReason(code, facts) ?? []);
  const voids = reasons.filter(({ status }) => status === "void");
  const rest = reasons.filter(({ status }) => status !== "void");
  let status: VerdictStatus = "valid";
  if (voids.length > 0) status = "void";
  else if (rest.length > 0) status = "suspect";
  return { status, reasons: [...voids, ...rest] };
}

function findReason(code: VerdictCode, facts: RunFacts): VerdictReason | undefined {
  const row: VerdictRow = VERDICT_ROWS[code];
  const value = row.read(facts);
  if (value === undefined) return undefined;
  const isBeyond = (limit: number | undefined): limit is number =>
    limit !== undefined && (row.isBelow === true ? value < limit : value > limit);
  let status: VerdictStatus = "valid";
  let limit = 0;
  if (isBeyond(row.void)) [status, limit] = ["void", row.void];
  else if (isBeyond(row.suspect)) [status, limit] = ["suspect", row.suspect];
  if (status === "valid") return undefined;
  if (row.atMost?.(facts) === "suspect") status = "suspect";
  const note = row.note === undefined ? "" : ` (${row.note(facts)})`;
  const bound = `${row.isBelow === true ? "at least" : "limit"} ${format(limit, row.unit)}`;
  const seen =
    row.unit === "flag" ? row.title : `${row.title}: ${format(value, row.unit)}${note}, ${bound}`;
  return { code, status, seen, why: row.why, advice: row.advice };
}

function share(part: number | undefined, whole: number | undefined): number | undefined {
  return part === undefined || whole === undefined || whole === 0 ? undefined : part / whole;
}

function largest(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? (a ?? b) : Math.max(a, b);
}

function percent(ratio: number | undefined): string {
  return ratio === undefined ? "unknown" : `${(100 * ratio).toFixed(0)} %`;
}

/** A reading or a limit for people. */
function format(value: number, unit: VerdictRow["unit"]): string {
  if (unit === "count") return String(value);
  if (unit === "ms") return `${round(value)} ms`;
  return `${round(100 * value)} %`;
}

function round(value: number): string {
  return String(Number(value.toPrecision(3)));
}

function limitText(row: VerdictRow, value: number | undefined): string {
  if (value === undefined) return "";
  if (row.unit === "flag") return "always";
  return `${row.isBelow === true ? "below" : "above"} ${format(value, row.unit)}`;
}

/** docs/VERDICT.md. */
export function verdictMarkdown(): string {
  const rows = VERDICT_CODES.map((code) => {
    const row: VerdictRow = VERDICT_ROWS[code];
    const isSame = row.suspect === row.void;
    const suspect = isSame ? "after Ctrl-C" : limitText(row, row.suspect);
    return `| \`${code}\` | ${row.title} | ${row.reading} | ${suspect} | ${limitText(row, row.void)} | ${row.source} | ${row.why} | ${row.advice} |`;
  });
  return [...VERDICT_HEAD, ...rows, ""].join("\n");
}

const VERDICT_HEAD = [
  "# Verdict",
  "",
  "Made by `make docs` from `lib/verdict.ts`. A run is **valid**, **suspect** or **void**: as good as its worst reason, valid",
  "without any. The reasons are a closed set. A reading that was not measured gives no reason.",
  "",
  "- valid: the generator did what was asked, and the numbers are of a steady run.",
  "- suspect: the numbers may be read with the reason in mind.",
  "- void: the numbers are not of what was asked. `run` and `report` exit with 4.",
  "",
  "| reason | what | reading | suspect | void | source of the limits | why it matters | what to do |",
  "| --- | --- | --- | --- | --- | --- | --- | --- |",
];

// The exit code of a run and of a report. Knows the codes and which wins; exits nothing.

/** k6's own code for missed thresholds, and ours for missed objectives. */
export const OBJECTIVES_MISSED = 99;
/** The run says nothing: a measurement that must not look like a pass. */
export const VOID_RUN = 4;

/** What decides the exit code. */
export interface RunOutcome {
  /** k6's exit code; 0 for a report, which runs no k6. */
  readonly k6Code: number;
  readonly verdict: "valid" | "suspect" | "void" | undefined;
  readonly acceptVoid: boolean;
  /** Whether a threshold was missed. */
  readonly hasMissed: boolean;
}

/** When several hold: k6's error, then a void run, then missed objectives. */
export function runExitCode({ k6Code, verdict, acceptVoid, hasMissed }: RunOutcome): number {
  if (k6Code !== 0 && k6Code !== OBJECTIVES_MISSED) return k6Code;
  if (verdict === "void" && !acceptVoid) return VOID_RUN;
  return k6Code === OBJECTIVES_MISSED || hasMissed ? OBJECTIVES_MISSED : 0;
}

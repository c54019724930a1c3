// Whether a run can be trusted.

/** From best to worst. */
export type VerdictStatus = "valid" | "suspect" | "void";

/** Why a run is not valid. */
export interface VerdictReason {
  readonly code: string;
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
  /** Worst first. */
  readonly reasons: readonly VerdictReason[];
}

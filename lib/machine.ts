// What the machine of a load generator did while it ran. Knows the shape; reads no machine.

/** Samples of one machine's processors during a run. */
export interface MachineSamples {
  readonly cores: number;
  readonly samples: readonly MachineSample[];
}

/** The processors since the sample before. */
export interface MachineSample {
  /** Milliseconds since 1970. */
  readonly at_ms: number;
  /** Share of all cores that was busy, from 0 to 1. */
  readonly machine_cpu_ratio: number;
  /** Share of all cores that k6 had, from 0 to 1. */
  readonly k6_cpu_ratio: number;
}

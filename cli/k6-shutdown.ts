// When k6 is sent which signal. Knows how k6 takes signals and that it cannot always end by itself; sends none.
//
//   state    | the user's signal | k6 ought to have ended | still running                        | sends
//   running  | -> stopping       | -> stopping            |                                      | SIGINT
//   stopping | -> killed         |                        | runs on 4 s later; 2 minutes of silence -> forced | SIGINT
//   forced   | -> killed         |                        | 5 s later -> killed                  | SIGINT, then SIGKILL
//   killed   |                   |                        |                                      |
//
// At a first signal k6 cuts the sessions within milliseconds and writes its summary; a second one ends it without. A
// virtual user whose peer never answers the close frame keeps k6 running after the first.

/** What is seen of k6 at an instant. Times are of one clock that only goes forward. */
export interface K6Sight {
  readonly nowMs: number;
  /** Time since k6 began to run, as it last said; `undefined` if it has said nothing. */
  readonly elapsedMs: number | undefined;
  /** When it last said so; `undefined` if it has said nothing. */
  readonly saidMs: number | undefined;
  /** Since when no session is open and none begins; `undefined` while one is. */
  readonly idleSinceMs: number | undefined;
}

/** Why k6 was sent a signal. */
export type ShutdownReason = "user" | "overdue" | "idle";

/** How long a run takes at most. */
export interface ShutdownLimits {
  /** When k6 was started. */
  readonly startedMs: number;
  /** Longest run with its graceful stop, as k6 plans it; `undefined`: not known. */
  readonly totalMs: number | undefined;
  /** Longest pause between two sessions that the configuration allows. */
  readonly pauseMs: number;
}

/** What setup and the end of a run take beyond k6's plan. */
const OVERDUE_MS = 8000;
/** The same where k6 says nothing of its progress: its start, and a setup of the longest time, are in it. */
const SILENT_OVERDUE_MS = 75_000;
/** A virtual user that waits for a handshake is busy up to 60 s after its session's end. */
const IDLE_MS = 65_000;
const SECOND_SIGNAL_MS = 4000;
/** k6 prints progress every second until its sessions have ended. */
const PROGRESS_AGE_MS = 2500;
/** k6 itself gives its summary two minutes. */
const SUMMARY_MS = 125_000;
const KILL_MS = 5000;

/** The shutdown of one k6. */
export class K6Shutdown {
  readonly #limits: ShutdownLimits;
  #state: "running" | "stopping" | "forced" | "killed" = "running";
  #sinceMs = 0;
  #reason: ShutdownReason | undefined;

  constructor(limits: ShutdownLimits) {
    this.#limits = limits;
  }

  /** Why the first signal was sent; `undefined` if none was. */
  get reason(): ShutdownReason | undefined {
    return this.#reason;
  }

  /** The user wants it to stop. Answers the signal to send. */
  interrupt(nowMs: number): "SIGINT" | "SIGKILL" | undefined {
    if (this.#state === "killed") return undefined;
    if (this.#state === "running") return this.#stop("user", nowMs);
    return this.#kill();
  }

  /** Call about twice a second. Answers the signal to send now, if any. */
  tick(sight: K6Sight): "SIGINT" | "SIGKILL" | undefined {
    const { nowMs } = sight;
    switch (this.#state) {
      case "running": {
        const reason = this.#hangs(sight);
        return reason === undefined ? undefined : this.#stop(reason, nowMs);
      }
      case "stopping": {
        const waitedMs = nowMs - this.#sinceMs;
        const runsOn = sight.saidMs !== undefined && nowMs - sight.saidMs < PROGRESS_AGE_MS;
        if (waitedMs < (runsOn ? SECOND_SIGNAL_MS : SUMMARY_MS)) return undefined;
        this.#state = "forced";
        this.#sinceMs = nowMs;
        return "SIGINT";
      }
      case "forced":
        return nowMs - this.#sinceMs < KILL_MS ? undefined : this.#kill();
      default:
        return undefined;
    }
  }

  #hangs({ nowMs, elapsedMs, saidMs, idleSinceMs }: K6Sight): ShutdownReason | undefined {
    const { totalMs, startedMs, pauseMs } = this.#limits;
    if (totalMs !== undefined) {
      // Silence after progress is k6 at its summary.
      if (elapsedMs !== undefined && elapsedMs > totalMs + OVERDUE_MS) return "overdue";
      const isSilent = saidMs === undefined;
      if (isSilent && nowMs - startedMs > totalMs + SILENT_OVERDUE_MS) return "overdue";
    }
    const isRunning = saidMs !== undefined && nowMs - saidMs < PROGRESS_AGE_MS;
    const isIdle = idleSinceMs !== undefined && nowMs - idleSinceMs > IDLE_MS + pauseMs;
    return isRunning && isIdle ? "idle" : undefined;
  }

  #stop(reason: ShutdownReason, nowMs: number): "SIGINT" {
    this.#state = "stopping";
    this.#sinceMs = nowMs;
    this.#reason = reason;
    return "SIGINT";
  }

  #kill(): "SIGKILL" {
    this.#state = "killed";
    return "SIGKILL";
  }
}

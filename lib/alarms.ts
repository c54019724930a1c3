// The wake-ups of all sessions of a virtual user, over as few timers as will do. Knows deadlines; knows no k6 and nothing of
// what is due.

/** A wake-up may come this much early, in milliseconds: timers and clock round apart, and a second timer costs more. */
export const EARLY_MS = 0.02;

const NEVER = Number.POSITIVE_INFINITY;

/** The timers and the clock of a virtual user. */
export interface Timers {
  /** Milliseconds. */
  readonly now: () => number;
  /** Calls `fire` once, `delayMs` from now or later; at once if it is not above 0. */
  readonly start: (fire: () => void, delayMs: number) => number;
  readonly stop: (timer: number) => void;
}

/** The next wake-up of one session. */
export interface Alarm {
  /**
   * Asks for a wake-up at `atMs`, unless an earlier one is already asked for.
   *
   * @param nowMs - The clock, as it was read a moment ago.
   */
  readonly at: (atMs: number, nowMs: number) => void;
  /** No wake-up any more, ever. */
  readonly stop: () => void;
}

/** The alarms of a virtual user. */
export interface Alarms {
  /** Makes an alarm that calls `wake`, with the clock, at or after the earliest instant asked for. */
  create(wake: (nowMs: number) => void): Alarm;
}

/** An instant at which a session wants to be woken. */
interface Deadline {
  atMs: number;
  readonly wake: (nowMs: number) => void;
}

/** Deadlines, the soonest first. */
interface Queue {
  add(deadline: Deadline): void;
  remove(deadline: Deadline): void;
  readonly list: Deadline[];
}

/** The timers that have not fired. */
interface PendingTimers {
  /** Sees to it that one fires at `atMs` or before. */
  need(atMs: number, nowMs: number): void;
  /** One has fired, the soonest. */
  fired(): void;
  stopAll(): void;
}

/**
 * Makes the alarms of a virtual user.
 *
 * A timer that fires serves every deadline that has passed by then: when the machine is late, sessions that have become
 * due share a wake-up, and a late virtual user has less to do and not more. Deadlines that are asked for meanwhile wait for
 * the next timer, so that messages are handled in between.
 *
 * k6 before 2.3 may fire a later timer early after a clear, and a pending timer keeps the iteration. So a timer is stopped
 * only when no session waits any more; one that was overtaken fires in vain, and is the next one if it is in time.
 */
export function createAlarms(timers: Timers): Alarms {
  const { now } = timers;
  const queue = createQueue();
  const { list } = queue;
  let isFiring = false;

  const arm = (nowMs: number): void => {
    const first = list[0];
    if (first === undefined) pending.stopAll();
    else pending.need(first.atMs, nowMs);
  };
  const fire = (): void => {
    pending.fired();
    isFiring = true;
    let nowMs = now();
    const limitMs = nowMs + EARLY_MS;
    for (let left = list.length; left > 0; left--) {
      const first = list[0];
      if (first === undefined || first.atMs > limitMs) break;
      list.shift();
      first.atMs = NEVER;
      first.wake(nowMs);
      nowMs = now();
    }
    isFiring = false;
    arm(nowMs);
  };
  const pending = createPendingTimers(timers, fire);
  return {
    create(wake) {
      const deadline: Deadline = { atMs: NEVER, wake };
      return {
        at(atMs, nowMs) {
          if (atMs >= deadline.atMs) return;
          if (deadline.atMs !== NEVER) queue.remove(deadline);
          deadline.atMs = atMs;
          queue.add(deadline);
          if (!isFiring) arm(nowMs);
        },
        stop() {
          queue.remove(deadline);
          deadline.atMs = -NEVER;
          if (!isFiring) arm(now());
        },
      };
    },
  };
}

function createQueue(): Queue {
  const list: Deadline[] = [];
  return {
    list,
    add(deadline) {
      // A frame's deadline is later than those of most others, so the search begins at the end.
      const { atMs } = deadline;
      let place = list.length;
      for (; place > 0; place--) {
        const before = list[place - 1];
        if (before === undefined || before.atMs <= atMs) break;
        list[place] = before;
      }
      list[place] = deadline;
    },
    remove(deadline) {
      const place = list.indexOf(deadline);
      if (place >= 0) list.splice(place, 1);
    },
  };
}

function createPendingTimers({ start, stop }: Timers, fire: () => void): PendingTimers {
  // The soonest last; what lies beyond the count has fired.
  const timers: number[] = [];
  const atMsOf: number[] = [];
  let count = 0;
  return {
    need(atMs, nowMs) {
      if (count > 0 && (atMsOf[count - 1] ?? NEVER) <= atMs) return;
      atMsOf[count] = atMs;
      timers[count++] = start(fire, atMs - nowMs);
    },
    fired() {
      count--;
    },
    stopAll() {
      while (count > 0) stop(timers[--count] ?? 0);
    },
  };
}

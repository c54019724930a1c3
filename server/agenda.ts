// One timer for all sessions: runs tasks at absolute instants, never before. Knows a clock; knows nothing of sessions.

/** Something to be done at an instant. In an agenda at most once at a time. */
export interface Task {
  /** When, on the clock of `performance.now()`. Must not change while the task is in an agenda. */
  dueMs: number;
  /** Runs at `dueMs` or later. May put itself or others into the agenda again. */
  run(nowMs: number): void;
}

/** Tasks in the order of their instants: a binary heap behind one timer. */
export class Agenda {
  readonly #heap: Task[] = [];
  #timer: NodeJS.Timeout | undefined;
  #timerDueMs = Infinity;

  /** Adds a task. Costs the logarithm of the number of tasks. */
  add(task: Task): void {
    this.#heap.push(task);
    this.#siftUp(this.#heap.length - 1);
    if (task.dueMs < this.#timerDueMs) this.#arm(task.dueMs);
  }

  /** Forgets all tasks. */
  clear(): void {
    this.#heap.length = 0;
    clearTimeout(this.#timer);
    this.#timerDueMs = Infinity;
  }

  #arm(dueMs: number): void {
    clearTimeout(this.#timer);
    this.#timerDueMs = dueMs;
    // Node's timers count whole milliseconds and may fire up to one early: `#fire` looks at the clock again.
    this.#timer = setTimeout(() => this.#fire(), Math.max(1, Math.ceil(dueMs - performance.now())));
  }

  #fire(): void {
    this.#timerDueMs = Infinity;
    for (;;) {
      const head = this.#heap[0];
      if (head === undefined) return;
      const nowMs = performance.now();
      if (head.dueMs > nowMs) {
        if (head.dueMs < this.#timerDueMs) this.#arm(head.dueMs);
        return;
      }
      this.#removeHead();
      head.run(nowMs);
    }
  }

  #removeHead(): void {
    const last = this.#heap.pop();
    if (last === undefined || this.#heap.length === 0) return;
    this.#heap[0] = last;
    this.#siftDown(0);
  }

  #siftUp(start: number): void {
    let index = start;
    while (index > 0) {
      const parent = (index - 1) >>> 1;
      if (!this.#swapIfLater(parent, index)) return;
      index = parent;
    }
  }

  #siftDown(start: number): void {
    let index = start;
    for (;;) {
      const left = 2 * index + 1;
      const right = left + 1;
      const child = this.#isEarlier(right, left) ? right : left;
      if (!this.#swapIfLater(index, child)) return;
      index = child;
    }
  }

  #isEarlier(a: number, b: number): boolean {
    return (this.#heap[a]?.dueMs ?? Infinity) < (this.#heap[b]?.dueMs ?? Infinity);
  }

  #swapIfLater(parent: number, child: number): boolean {
    const above = this.#heap[parent];
    const below = this.#heap[child];
    if (above === undefined || below === undefined || above.dueMs <= below.dueMs) return false;
    this.#heap[parent] = below;
    this.#heap[child] = above;
    return true;
  }
}

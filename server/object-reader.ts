// Reads JSON objects that people write by hand: collects every mistake with its place, its value and what is allowed.
// Knows shapes; knows no meaning.

/** One mistake in a file or a flag. */
export interface Problem {
  /** Where: "faults[0].share", or "--fault close". */
  readonly path: string;
  /** The value found, as JSON; "(missing)" if there is none. */
  readonly value: string;
  /** What would be right. */
  readonly allowed: string;
}

/** Bounds of a number, both included. */
export interface NumberRange {
  readonly min: number;
  readonly max: number;
  readonly isWhole?: boolean;
}

/** Writes a problem as one line. */
export function formatProblem(problem: Problem): string {
  return `${problem.path} is ${problem.value}; allowed: ${problem.allowed}`;
}

/** Reads the fields of one object and remembers which were asked for. */
export class ObjectReader {
  readonly path: string;
  readonly #fields: Record<string, unknown>;
  readonly #problems: Problem[];
  readonly #isReadable: boolean;
  readonly #known = new Set<string>();

  /**
   * @param path - Name of the object in messages; "" for the top of the file.
   * @param problems - Where mistakes go; shared by all readers of one file.
   */
  constructor(path: string, value: unknown, problems: Problem[]) {
    this.path = path;
    this.#problems = problems;
    this.#isReadable = isObject(value);
    this.#fields = isObject(value) ? value : {};
    if (!this.#isReadable) this.#report(path === "" ? "(top)" : path, value, "an object { … }");
  }

  /** A number in a range; the default if the field is absent or wrong. */
  number<Default extends number | undefined>(
    name: string,
    range: NumberRange,
    fallback: Default,
  ): number | Default {
    const value = this.#take(name);
    if (value === undefined) return fallback;
    if (isNumberIn(value, range)) return value;
    this.#report(this.#place(name), value, rangeText(range));
    return fallback;
  }

  /** A number in a range that must be there; the range's least if it is absent or wrong. */
  requiredNumber(name: string, range: NumberRange): number {
    const isMissing = this.#take(name) === undefined;
    if (isMissing && this.#isReadable) this.complain(name, rangeText(range));
    return this.number(name, range, range.min);
  }

  /** A text; the default if the field is absent or wrong. */
  text(name: string, fallback: string, maxBytes: number): string {
    const value = this.#take(name);
    if (value === undefined) return fallback;
    if (typeof value === "string" && Buffer.byteLength(value) <= maxBytes) return value;
    this.#report(this.#place(name), value, `a text of at most ${maxBytes} bytes`);
    return fallback;
  }

  /** One of a closed set; the default if the field is absent or wrong. Required without a default. */
  choice<Choice extends string>(name: string, choices: readonly Choice[]): Choice | undefined;
  choice<Choice extends string>(name: string, choices: readonly Choice[], fallback: Choice): Choice;
  choice<Choice extends string>(
    name: string,
    choices: readonly Choice[],
    fallback?: Choice,
  ): Choice | undefined {
    const value = this.#take(name);
    if (value === undefined && fallback !== undefined) return fallback;
    const found = choices.find((choice) => choice === value);
    if (found === undefined && this.#isReadable)
      this.#report(this.#place(name), value, choices.join(", "));
    return found ?? fallback;
  }

  /** A list, each element read by `read`; empty if the field is absent or wrong. */
  list<Element>(
    name: string,
    allowed: string,
    read: (value: unknown, path: string) => Element | undefined,
  ): Element[] {
    const value = this.#take(name);
    if (value === undefined) return [];
    if (!Array.isArray(value)) {
      this.#report(this.#place(name), value, allowed);
      return [];
    }
    const elements = value.map((element: unknown, i) =>
      read(element, `${this.#place(name)}[${i}]`),
    );
    return elements.filter((element) => element !== undefined);
  }

  /** An object within, read by `read`, which gets an empty one if the field is absent. */
  object<Value>(name: string, read: (value: unknown, path: string) => Value): Value {
    return read(this.#take(name) ?? {}, this.#place(name));
  }

  /** Reports a mistake that only the caller can see. */
  complain(name: string, allowed: string): void {
    this.#report(this.#place(name), this.#fields[name], allowed);
  }

  /** Reports every field that nobody asked for. Call it last. */
  end(): void {
    for (const [name, value] of Object.entries(this.#fields)) {
      if (!this.#known.has(name))
        this.#report(
          this.#place(name),
          value,
          `no such field; fields: ${[...this.#known].join(", ")}`,
        );
    }
  }

  #take(name: string): unknown {
    this.#known.add(name);
    return this.#fields[name];
  }

  #place(name: string): string {
    return this.path === "" ? name : `${this.path}.${name}`;
  }

  #report(path: string, value: unknown, allowed: string): void {
    this.#problems.push({
      path,
      value: value === undefined ? "(missing)" : showValue(value),
      allowed,
    });
  }
}

/** Whether a value is a finite number within bounds. */
export function isNumberIn(value: unknown, range: NumberRange): value is number {
  if (typeof value !== "number" || !Number.isFinite(value)) return false;
  return (
    value >= range.min && value <= range.max && (range.isWhole !== true || Number.isInteger(value))
  );
}

/** Says a range in words. */
export function rangeText(range: NumberRange): string {
  const max =
    Number.isSafeInteger(range.max) && range.max < Number.MAX_SAFE_INTEGER
      ? ` to ${range.max}`
      : " or more";
  return `a ${range.isWhole === true ? "whole " : ""}number from ${range.min}${max}`;
}

function showValue(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length <= 80 ? text : `${text.slice(0, 79)}…`;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

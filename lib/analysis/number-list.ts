// Lists of numbers that grow, in little memory. Knows numbers only.

const FIRST_CAPACITY = 64;

/** A list of numbers. */
export class NumberList {
  #numbers = new Float64Array(FIRST_CAPACITY);
  length = 0;

  push(value: number): void {
    this.reserve(1)[this.length++] = value;
  }

  /** The memory of the list, with room for so many more numbers behind the last: who writes there raises `length`. */
  reserve(more: number): Float64Array {
    if (this.length + more > this.#numbers.length) {
      const wider = new Float64Array(Math.max(2 * this.#numbers.length, this.length + more));
      wider.set(this.#numbers);
      this.#numbers = wider;
    }
    return this.#numbers;
  }

  at(index: number): number {
    return this.#numbers[index] ?? 0;
  }

  /** The numbers, not a copy. */
  view(): Float64Array {
    return this.#numbers.subarray(0, this.length);
  }
}

/** A list of whole numbers from 0 to 65,535. */
export class CodeList {
  #codes = new Uint16Array(FIRST_CAPACITY);
  length = 0;

  push(code: number): void {
    this.reserve(1)[this.length++] = code;
  }

  /** As of {@link NumberList}. */
  reserve(more: number): Uint16Array {
    if (this.length + more > this.#codes.length) {
      const wider = new Uint16Array(Math.max(2 * this.#codes.length, this.length + more));
      wider.set(this.#codes);
      this.#codes = wider;
    }
    return this.#codes;
  }

  /** The codes, not a copy. */
  view(): Uint16Array {
    return this.#codes.subarray(0, this.length);
  }
}

// Where the records of a report's sessions stand, so that single ones can be read once more. Knows places in files; knows
// no record.

import { NumberList } from "../lib/analysis/number-list.ts";
import type { SessionRecord } from "../lib/record.ts";
import { readRecordsAt, type LinePlace } from "./read-records.ts";

/** The lines of the sessions that have ended. */
export class SessionLines {
  readonly #files: string[] = [];
  /** Of each line its file, and from which byte up to which it stands. */
  readonly #places = new NumberList();
  /** The number of the line of each row. */
  #order: Uint32Array = new Uint32Array(0);

  /** Adds the line of the next session. */
  add({ file, from, to }: LinePlace): void {
    if (this.#files.at(-1) !== file) this.#files.push(file);
    this.#places.push(this.#files.length - 1);
    this.#places.push(from);
    this.#places.push(to);
  }

  /**
   * Says which row each line is of.
   *
   * @param order - For each row the number of its line, in the order in which lines were added; any other number for a
   *   session without one.
   */
  arrange(order: Uint32Array): void {
    this.#order = order;
  }

  /**
   * Reads the records of some rows, in the order of their lines.
   *
   * @param rows - Numbers of rows; those without a line are left out.
   * @throws {Error} Node's, if a file cannot be read.
   */
  async read(
    rows: readonly number[],
    onRecord: (record: SessionRecord, row: number) => void,
  ): Promise<void> {
    const lines = rows.flatMap((row) => {
      const number = this.#order[row] ?? Number.POSITIVE_INFINITY;
      return 3 * number < this.#places.length ? [{ row, number, place: this.#place(number) }] : [];
    });
    lines.sort((one, other) => one.number - other.number);
    await readRecordsAt(
      lines.map(({ place }) => place),
      (record, index) => onRecord(record, lines[index]?.row ?? -1),
    );
  }

  #place(number: number): LinePlace {
    const [file = 0, from = 0, to = 0] = this.#places.view().subarray(3 * number);
    return { file: this.#files[file] ?? "", from, to };
  }
}

// Where the records of a report's sessions stand, so that single ones can be read once more. Knows places in files; knows
// no record.

import type { SessionRecord } from "../lib/record.ts";
import { readRecordsAt, type LinePlace } from "./read-records.ts";

/** The lines of the sessions that have ended. */
export class SessionLines {
  readonly #places: LinePlace[] = [];
  /** The number of the place of each row. */
  #order: Uint32Array = new Uint32Array(0);

  /** Adds the line of the next session. */
  add(place: LinePlace): void {
    this.#places.push(place);
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
    const known = rows.flatMap((row) => {
      const number = this.#order[row] ?? -1;
      const place = this.#places[number];
      return place === undefined ? [] : [{ row, number, place }];
    });
    known.sort((one, other) => one.number - other.number);
    await readRecordsAt(
      known.map(({ place }) => place),
      (record, index) => onRecord(record, known[index]?.row ?? -1),
    );
  }
}

// The rows of an object, for its reports. To count a row is to read it, and reads are billed: so an object reads a row
// a second at most for its reports, however many it has, and again once its file has grown or shrunk by an eighth.

import type { ObjectStorage } from "../platform/object-storage.ts";
import type { RowCount, Stored } from "../rpc/activity-report.ts";

/** Pause after a count, for each row in it … */
const COUNT_MS_PER_ROW = 1_000;
/** … unless the file has changed by this part: a row is then read some eight times in all. */
const CHANGED_PART = 1 / 8;

export class RowCounter {
  readonly #storage: Pick<ObjectStorage, "bytes" | "countRows">;
  /** Undefined where the storage is new. */
  last: RowCount | undefined;

  /** `last`: of an earlier wake. */
  constructor(storage: Pick<ObjectStorage, "bytes" | "countRows">, last: RowCount | undefined) {
    this.#storage = storage;
    this.last = last;
  }

  /** Rows may be as old as `COUNT_MS_PER_ROW` says. */
  stored(now: number): Pick<Stored, "bytes" | "rows"> {
    const { bytes } = this.#storage;
    if (!this.last || isOutdated(this.last, bytes, now))
      this.last = { rows: this.#storage.countRows(), bytes, countedAt: now };
    return { bytes, rows: this.last.rows };
  }
}

const isOutdated = ({ rows, bytes, countedAt }: RowCount, bytesNow: number, now: number): boolean =>
  now - countedAt >= rows * COUNT_MS_PER_ROW || Math.abs(bytesNow - bytes) > bytes * CHANGED_PART;

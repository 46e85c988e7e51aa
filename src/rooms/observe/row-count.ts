// The rows of an object, for its reports. To count a row is to read it, and reads are billed: so an object reads a row
// a second at most for its reports, however many it has, and again once its file has grown or shrunk by an eighth.

import type { ObjectStorage } from "../platform/object-storage.ts";
import type { RowCount } from "../rpc/activity-report.ts";

/** Pause after a count, for each row in it … */
const COUNT_MS_PER_ROW = 1_000;
/** … unless the file has changed by this part: a row is then read some eight times in all. */
const CHANGED_PART = 1 / 8;

interface File {
  /** Its size. */
  readonly bytes: number;
  /** The last count; undefined where the storage is new. */
  readonly last: RowCount | undefined;
  readonly now: number;
}

/** The last count, or a new one. */
export function rowCount(
  storage: Pick<ObjectStorage, "countRows">,
  { bytes, last, now }: File,
): RowCount {
  if (last && !isOutdated(last, bytes, now)) return last;
  return { rows: storage.countRows(), bytes, countedAt: now };
}

const isOutdated = ({ rows, bytes, countedAt }: RowCount, bytesNow: number, now: number): boolean =>
  now - countedAt >= rows * COUNT_MS_PER_ROW || Math.abs(bytesNow - bytes) > bytes * CHANGED_PART;

// Pages of a room's history, from the rows of its log.

import type { Position } from "../../model/topic.ts";
import { OWN_TARGET, type Entry, type HistoryQuery, type HistoryView } from "../rpc/log-entry.ts";
import type { Batch, BatchIndex } from "./log-index.ts";
import { PAGE_CHARS } from "./log-rows.ts";

/** The entries of a row, and the characters of its text. */
export interface ReadRow {
  readonly entries: readonly Entry[];
  readonly chars: number;
}

interface ReadableLog {
  readonly position: Position;
  readonly index: BatchIndex;
  rowOf(batch: Batch): ReadRow;
}

/** A page of at most `limit` messages, according to `RoomLog.page`. */
export function pageOf(log: ReadableLog, query: HistoryQuery, now: number): HistoryView {
  const { position, index } = log;
  const { since, reverse } = query;
  const floor = index.messagesFloor(now);
  const recovered =
    !since ||
    (since.epoch === position.epoch && since.offset >= floor && since.offset <= position.offset);
  if (!recovered) return { entries: [], position, recovered };
  const from = Math.max(floor, since?.offset ?? 0);
  const isForward = since !== undefined && !reverse;
  const { entries, readChars } = messagesAfter(log, from, { ...query, isForward });
  const isInOrder = isForward || reverse;
  const ordered = isInOrder ? entries : entries.toReversed();
  return { entries: ordered, position, recovered, ...(readChars > 0 && { readChars }) };
}

interface Page {
  readonly limit?: number;
  /** From the oldest, or from the newest. */
  readonly isForward: boolean;
}

/** Messages after an offset, within the limits of a page, and the characters of the rows that were read. */
function messagesAfter(
  { index, rowOf }: ReadableLog,
  after: number,
  { limit = Infinity, isForward }: Page,
) {
  const batches = index.messagesAfter(after);
  const entries: Entry[] = [];
  let [chars, readChars] = [0, 0];
  for (const batch of isForward ? batches : batches.toReversed()) {
    if (entries.length >= limit) break;
    const row = rowOf(batch);
    readChars += row.chars;
    for (const entry of isForward ? row.entries : row.entries.toReversed()) {
      if (entry.offset <= after || entry.target.startsWith(OWN_TARGET)) continue;
      chars += entry.params.length;
      if (entries.length >= limit || (entries.length > 0 && chars > PAGE_CHARS))
        return { entries, readChars };
      entries.push(entry);
    }
  }
  return { entries, readChars };
}

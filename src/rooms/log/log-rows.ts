// How much of a log goes into one piece: a row of storage, an answer to a reader, a batch for a follower.

import type { Entry } from "../rpc/log-entry.ts";

/** A row may have 2 MB in production (locally more passes): characters, so that three bytes for each still fit. */
export const ROW_CHARS = 300_000;
/** One answer is held in memory whole: a page ends here, and the next one goes on from its last position. */
const PAGE_CHARS = 1_000_000;

export interface Row {
  readonly entries: readonly Entry[];
  /** The entries as a JSON array. */
  readonly text: string;
}

/** As many from the beginning as fit; at least one. */
export function within(entries: readonly Entry[], most = PAGE_CHARS): readonly Entry[] {
  let size = 0;
  const end = entries.findIndex(({ params }, i) => (size += params.length) > most && i > 0);
  return end < 0 ? entries : entries.slice(0, end);
}

/** Entries as rows: most often one. */
export function* rowsOf(entries: readonly Entry[]): Iterable<Row> {
  let texts: string[] = [];
  let [start, size] = [0, 0];
  for (const [index, entry] of entries.entries()) {
    const text = JSON.stringify(entry);
    if (texts.length > 0 && size + text.length > ROW_CHARS) {
      yield { entries: entries.slice(start, index), text: `[${texts.join(",")}]` };
      [texts, start, size] = [[], index, 0];
    }
    texts.push(text);
    size += text.length;
  }
  if (texts.length > 0) yield { entries: entries.slice(start), text: `[${texts.join(",")}]` };
}

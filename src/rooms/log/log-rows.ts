// How many entries of a log are put together: in a row, a page for a reader, or a batch for a follower.

import { charsOf } from "../../protocols/json.ts";
import type { Entry } from "../rpc/log-entry.ts";

/** Characters of a row, which has 2 MB at most in production (more locally); a character has three bytes at most. */
export const ROW_CHARS = 300_000;
/**
 * Characters of a page of history, which is in memory as a whole. The next page begins after its last position.
 */
export const PAGE_CHARS = 1_000_000;

/** Entries of a batch for a follower. */
export const BATCH = 500;
/** Characters of a batch: an RPC takes 32 MiB, and a character may have two bytes. */
export const BATCH_CHARS = 4 * 1024 * 1024;

export interface Row {
  readonly entries: readonly Entry[];
  /** The entries as a JSON array. */
  readonly text: string;
}

/** The first entries that have `maxChars` characters together; at least one entry. */
export function within(entries: readonly Entry[], maxChars: number): readonly Entry[] {
  let size = 0;
  const end = entries.findIndex((entry, index) => (size += charsOf(entry)) > maxChars && index > 0);
  return end < 0 ? entries : entries.slice(0, end);
}

/** The first entries, up to the first for which `isEnough` is true; later ones are not read. */
export function upTo(entries: Iterable<Entry>, isEnough: (entry: Entry) => boolean): Entry[] {
  const read: Entry[] = [];
  for (const entry of entries) {
    read.push(entry);
    if (isEnough(entry)) break;
  }
  return read;
}

/** A function that is true once it has got so many entries, or more characters. */
export function batchOver(entries: number, chars: number): (entry: Entry) => boolean {
  let [count, size] = [0, 0];
  return (entry) => (size += charsOf(entry)) > chars || ++count >= entries;
}

/** Entries as rows of a log, in order; most often one. */
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

// The rows of a log: how many entries go together (into a row, an answer to a reader, a batch for a follower), and the
// index of the rows and of their publications' ids, in memory.

import type { History } from "../../model/options.ts";
import type { Entry } from "../rpc/log-entry.ts";

/** Characters of a row, which has 2 MB at most in production (more locally); a character has three bytes at most. */
export const ROW_CHARS = 300_000;
/**
 * Characters of a page of history, which is held in memory as a whole. The next page goes on from its last position.
 */
export const PAGE_CHARS = 1_000_000;

export interface Row {
  readonly entries: readonly Entry[];
  /** The entries as a JSON array. */
  readonly text: string;
}

/** As many entries from the beginning as have `maxChars` characters together; at least one. */
export function within(entries: readonly Entry[], maxChars = PAGE_CHARS): readonly Entry[] {
  let size = 0;
  const end = entries.findIndex(
    ({ params }, index) => (size += params.length) > maxChars && index > 0,
  );
  return end < 0 ? entries : entries.slice(0, end);
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

/** A row of the log, without its entries. */
export interface Batch {
  readonly slot: number;
  /** Offset of the first entry. */
  readonly first: number;
  /** Offset of the last entry. */
  readonly last: number;
  /** When the last entry was published; milliseconds since 1970. */
  readonly at: number;
  /** Messages of the hub among the entries; presence does not count against the history's size. */
  readonly messages: number;
  /** Last offset of the batch with messages before this one: a gap among the messages shows here. */
  readonly before: number;
}

/** Rows with presence alone have slots of their own, so that joins and leaves never overwrite a message. */
const PRESENCE_SLOTS_PER_MESSAGE = 3;

/** Which batch lies in which slot, and how far back the batches reach without a gap. */
export class BatchIndex {
  readonly #history: History;
  /** In the order of their offsets. */
  readonly #batches: Batch[];

  constructor(history: History, batches: readonly Batch[]) {
    this.#history = history;
    this.#batches = [...batches];
  }

  get all(): readonly Batch[] {
    return this.#batches;
  }

  /** Offset of the newest entry; 0 before the first. */
  get newestOffset(): number {
    return this.#batches.at(-1)?.last ?? 0;
  }

  /** The oldest batch that has entries. */
  get oldest(): Batch | undefined {
    return this.#batches.find(({ first, last }) => first <= last);
  }

  /**
   * The slot of the oldest batch of the same kind where that is past its age or all slots are taken, else an unused one.
   * Messages have even slots, presence odd ones.
   */
  slotFor(messages: boolean, now: number): number {
    const size = Math.max(1, this.#history.size);
    const count = messages ? size : size * PRESENCE_SLOTS_PER_MESSAGE;
    const same = this.#batches.filter((batch) => batch.messages > 0 === messages);
    const [oldest] = same;
    if (oldest && (same.length >= count || !this.isYoung(oldest, now))) return oldest.slot;
    const parity = messages ? 0 : 1;
    const taken = new Set(same.map(({ slot }) => slot));
    let slot = parity;
    while (taken.has(slot)) slot += 2;
    return slot;
  }

  get lastWithMessages(): Batch | undefined {
    return this.#batches.findLast(({ messages }) => messages > 0);
  }

  /** The newest batch, in place of the one whose row it overwrites: most often the oldest. */
  add(batch: Batch): void {
    const index = this.#batches.findIndex(({ slot }) => slot === batch.slot);
    if (index >= 0) this.#batches.splice(index, 1);
    this.#batches.push(batch);
  }

  /** Entries up to this offset are not given any more: too old, beyond the history's size, or before a gap. */
  floor(now: number): number {
    return Math.max(
      this.reach((batch) => this.isYoung(batch, now)),
      this.messagesFloor(now),
    );
  }

  isYoung({ at }: Batch, now: number): boolean {
    return at >= now - this.#history.ttlSeconds * 1000;
  }

  /** The same for messages alone, whose gaps do not include presence that was overwritten. */
  messagesFloor(now: number): number {
    let floor = this.lastWithMessages?.last ?? 0;
    let messages = 0;
    for (const batch of this.#batches.toReversed()) {
      if (batch.messages === 0) continue;
      if (batch.last !== floor || messages >= this.#history.size || !this.isYoung(batch, now))
        break;
      messages += batch.messages;
      floor = batch.before;
    }
    return floor;
  }

  /**
   * The offset down to which batches follow on each other without a gap, from the newest, as long as they are `wanted`.
   */
  reach(wanted: (batch: Batch) => boolean): number {
    let floor = this.newestOffset;
    for (const batch of this.#batches.toReversed()) {
      if (batch.last !== floor || !wanted(batch)) break;
      floor = batch.first - 1;
    }
    return floor;
  }
}

/**
 * Offsets of messages by publication id. In memory, read from the log when an id is first looked up. It grows with each
 * append, and is to be read again once half of it may be out of the history.
 */
export class IdIndex {
  readonly #offsets = new Map<string, number>();
  readonly #most: number;

  constructor(entries: readonly Entry[]) {
    this.add(entries);
    this.#most = 2 * this.#offsets.size + 1_000;
  }

  get isOversized(): boolean {
    return this.#offsets.size > this.#most;
  }

  add(entries: readonly Entry[]): void {
    for (const { id, offset } of entries) if (id !== undefined) this.#offsets.set(id, offset);
  }

  get(id: string): number | undefined {
    return this.#offsets.get(id);
  }
}

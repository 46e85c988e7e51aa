// The index of a log, in memory: the slot of each batch, how far back the batches reach without a gap, and the ids of
// publications. The cost of a write does not depend on the history's size.

import type { History } from "../../model/options.ts";
import type { Entry } from "../rpc/log-entry.ts";

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
  /** Last offset of the batch with messages before this one, which shows a gap among the messages. */
  readonly before: number;
}

/** Rows that have only presence use separate slots, so that joins and leaves never overwrite a message. */
const PRESENCE_SLOTS_PER_MESSAGE = 3;

export class BatchIndex {
  readonly #history: History;
  readonly #messages: BatchLane;
  readonly #presence: BatchLane;
  /** Offset of the newest entry; 0 before the first. */
  newestOffset: number;
  /** False for a log that is new, or was cleared. */
  hasEntries: boolean;

  /** `batches` in the order of their offsets. */
  constructor(history: History, batches: readonly Batch[]) {
    const slots = Math.max(1, history.size);
    this.#history = history;
    this.#messages = new BatchLane({ parity: 0, slots, size: history.size });
    this.#presence = new BatchLane({ parity: 1, slots: slots * PRESENCE_SLOTS_PER_MESSAGE });
    for (const batch of batches) this.#laneOf(batch.messages > 0).add(batch);
    this.newestOffset = batches.at(-1)?.last ?? 0;
    this.hasEntries = this.oldest !== undefined;
  }

  #laneOf(hasMessages: boolean): BatchLane {
    return hasMessages ? this.#messages : this.#presence;
  }

  /** The oldest batch that has entries. */
  get oldest(): Batch | undefined {
    const [one, other] = [this.#messages.oldest, this.#presence.oldest];
    return one && other ? (one.last < other.last ? one : other) : (one ?? other);
  }

  get lastWithMessages(): Batch | undefined {
    return this.#messages.newest;
  }

  /**
   * The slot of the oldest batch of the same kind if that has expired or all slots are taken, else an unused one.
   * Messages have even slots, presence odd ones.
   */
  slotFor(hasMessages: boolean, now: number): number {
    return this.#laneOf(hasMessages).slotFor(this.#youngest(now));
  }

  /** Adds the newest batch, which replaces the one whose row it overwrites. */
  add(batch: Batch): void {
    this.#laneOf(batch.messages > 0).add(batch);
    [this.newestOffset, this.hasEntries] = [batch.last, true];
  }

  /** Entries from before this time have expired. */
  #youngest(now: number): number {
    return now - this.#history.ttlSeconds * 1000;
  }

  /** Messages up to this offset are not read any more: expired, beyond the history's size, or before a gap. */
  messagesFloor(now: number): number {
    return this.#messages.floor(this.#youngest(now));
  }

  /** Whether all entries after this offset can be replayed: not expired, within the history's size, without a gap. */
  recovers(offset: number, now: number): boolean {
    const youngest = this.#youngest(now);
    return offset >= this.messagesFloor(now) && this.#reaches(offset, ({ at }) => at >= youngest);
  }

  /** Whether all entries after this offset are stored, expired or not. */
  reaches(offset: number): boolean {
    return this.#reaches(offset, () => true);
  }

  /** The cost is proportional to the batches after the offset. */
  #reaches(offset: number, isWanted: (batch: Batch) => boolean): boolean {
    let floor = this.newestOffset;
    for (const batch of this.after(offset).toReversed()) {
      if (batch.last !== floor || !isWanted(batch)) break;
      floor = batch.first - 1;
    }
    return offset >= floor;
  }

  /** Batches that have entries after this offset, in their order. */
  after(offset: number): readonly Batch[] {
    const [one, other] = [this.#messages.after(offset), this.#presence.after(offset)];
    if (other.length === 0) return one;
    return [...one, ...other].toSorted((a, b) => a.last - b.last);
  }

  /** The same, only batches with messages. */
  messagesAfter(offset: number): readonly Batch[] {
    return this.#messages.after(offset);
  }
}

interface LaneOptions {
  /** Slots of this lane are even, or odd. */
  readonly parity: 0 | 1;
  /** How many slots it has at most. */
  readonly slots: number;
  /** How many messages are read at most. */
  readonly size?: number;
}

/** Overwritten batches are removed from the array when there are so many, and they are half of it. */
const COMPACTED = 64;

/**
 * The batches of one kind, messages or presence alone, oldest first. A new one overwrites the oldest, or has a slot of
 * its own; it is never put in between.
 */
class BatchLane {
  readonly #options: LaneOptions;
  readonly #batches: Batch[] = [];
  /** Index of the first batch that is not overwritten. */
  #head = 0;
  /** Index of the first batch for readers: from here on there is no gap, and no more messages than `size` needs. */
  #given = 0;
  /** Messages of the batches from `#given` on. */
  #messages = 0;
  /** Unused slots below `#nextSlot`. */
  readonly #free = new Set<number>();
  #nextSlot: number;

  constructor(options: LaneOptions) {
    this.#options = options;
    this.#nextSlot = options.parity;
  }

  get newest(): Batch | undefined {
    return this.#batches.length > this.#head ? this.#batches.at(-1) : undefined;
  }

  /** The oldest batch that has entries. Only the first batch may have none. */
  get oldest(): Batch | undefined {
    const [first, second] = this.#batches.slice(this.#head, this.#head + 2);
    return first && first.first > first.last ? second : first;
  }

  slotFor(youngest: number): number {
    const oldest = this.#batches[this.#head];
    const isFull = this.#batches.length - this.#head >= this.#options.slots;
    if (oldest && (isFull || oldest.at < youngest)) return oldest.slot;
    const [free = this.#nextSlot] = this.#free;
    return free;
  }

  /** Adds a batch after all others. It replaces the oldest one if it has its slot. */
  add(batch: Batch): void {
    const { newest } = this;
    if (this.#batches[this.#head]?.slot === batch.slot) this.#give(++this.#head);
    this.#use(batch.slot);
    this.#batches.push(batch);
    if (newest && batch.before !== newest.last) this.#give(this.#batches.length - 1);
    this.#messages += batch.messages;
    const { size = Infinity } = this.#options;
    for (; this.#given < this.#batches.length - 1; this.#give(this.#given + 1))
      if (this.#messages - this.#batches[this.#given]!.messages < size) break;
    this.#compact();
  }

  #use(slot: number): void {
    this.#free.delete(slot);
    for (; this.#nextSlot <= slot; this.#nextSlot += 2)
      if (this.#nextSlot < slot) this.#free.add(this.#nextSlot);
  }

  /** Makes this batch the first one for readers. */
  #give(index: number): void {
    for (; this.#given < index; this.#given += 1)
      this.#messages -= this.#batches[this.#given]!.messages;
  }

  #compact(): void {
    if (this.#head < COMPACTED || this.#head * 2 < this.#batches.length) return;
    this.#batches.splice(0, this.#head);
    this.#given -= this.#head;
    this.#head = 0;
  }

  /** The offset before the first batch for readers that has not expired. */
  floor(youngest: number): number {
    const { newest } = this;
    const first = this.#firstWhere(this.#given, ({ at }) => at >= youngest);
    const batch = this.#options.size === 0 ? undefined : this.#batches[first];
    return batch?.before ?? newest?.last ?? 0;
  }

  after(offset: number): readonly Batch[] {
    return this.#batches.slice(this.#firstWhere(this.#head, ({ last }) => last > offset));
  }

  /** A binary search: a condition that holds for a batch must hold for all batches after it. */
  #firstWhere(from: number, holds: (batch: Batch) => boolean): number {
    let [low, high] = [from, this.#batches.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (holds(this.#batches[middle]!)) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}

/**
 * Offsets of messages by publication id, in memory. It is read from the log when an id is first looked up, grows with
 * each append, and must be read again (`isOversized`) when half of it may be out of the history.
 */
export class IdIndex {
  readonly #offsets = new Map<string, number>();
  readonly #most: number;

  constructor(entries: Iterable<Entry>) {
    this.add(entries);
    this.#most = 2 * this.#offsets.size + 1_000;
  }

  get isOversized(): boolean {
    return this.#offsets.size > this.#most;
  }

  add(entries: Iterable<Entry>): void {
    for (const { id, offset } of entries) if (id !== undefined) this.#offsets.set(id, offset);
  }

  get(id: string): number | undefined {
    return this.#offsets.get(id);
  }
}

// The index of a log's rows, beside one that looks at every batch, over random writes, ages and sizes.

import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { BatchIndex, type Batch } from "../../../src/rooms/log/log-index.ts";
import type { History } from "../../../src/model/options.ts";

const PRESENCE_SLOTS_PER_MESSAGE = 3;

/** The index as it was: everything by looking at every batch. */
class Model {
  readonly #history: History;
  /** In the order of their offsets. */
  readonly #batches: Batch[];
  /** Offset of the newest entry; 0 before the first. */
  newestOffset: number;
  /** False for a log that is new, or was cleared. */
  hasEntries: boolean;

  constructor(history: History, batches: readonly Batch[]) {
    this.#history = history;
    this.#batches = [...batches];
    this.newestOffset = batches.at(-1)?.last ?? 0;
    this.hasEntries = this.oldest !== undefined;
  }

  get all(): readonly Batch[] {
    return this.#batches;
  }

  /** The oldest batch that has entries. */
  get oldest(): Batch | undefined {
    return this.#batches.find(({ first, last }) => first <= last);
  }

  /**
   * The slot of the oldest batch of the same kind where that is past its age or all slots are taken, else an unused
   * one. Messages have even slots, presence odd ones.
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
    [this.newestOffset, this.hasEntries] = [batch.last, true];
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

interface Write {
  readonly messages: number;
  readonly entries: number;
  readonly pause: number;
  readonly isGap: boolean;
  readonly isWoken: boolean;
}

/** Entries of one batch, how long after the one before, and whether a gap lies before it. */
const WRITE: fc.Arbitrary<Write> = fc.record({
  messages: fc.integer({ min: 0, max: 3 }),
  entries: fc.integer({ min: 1, max: 4 }),
  pause: fc.integer({ min: 0, max: 400 }),
  isGap: fc.boolean(),
  isWoken: fc.boolean(),
});

/** Both, side by side. */
class Both {
  readonly #history: History;
  #index: BatchIndex;
  readonly #model: Model;
  #now = 0;

  constructor(history: History) {
    this.#history = history;
    [this.#index, this.#model] = [new BatchIndex(history, []), new Model(history, [])];
  }

  write({ messages, entries, pause, isGap, isWoken }: Write): void {
    this.#now += pause;
    const slot = this.#index.slotFor(messages > 0, this.#now);
    const first = this.#model.newestOffset + (isGap && pause > 350 ? 2 : 1);
    const before = this.#model.lastWithMessages?.last ?? 0;
    const last = first + entries - 1;
    const batch: Batch = { slot, first, last, at: this.#now, messages, before };
    this.#model.add(batch);
    if (isWoken) this.#index = new BatchIndex(this.#history, this.#model.all);
    else this.#index.add(batch);
  }

  /** Which unused slot it is does not matter: both are given as undefined. */
  slots(hasMessages: boolean): readonly (number | undefined)[] {
    const used = new Set(this.#model.all.map((batch) => batch.slot));
    return [this.#index, this.#model]
      .map((one) => one.slotFor(hasMessages, this.#now))
      .map((slot) => (used.has(slot) ? slot : undefined));
  }

  answers(): readonly [index: unknown, model: unknown] {
    const [index, model] = [this.#index, this.#model];
    const offsets = Array.from({ length: model.newestOffset + 1 }, (_, offset) => offset);
    const times = [this.#now, this.#now + 700];
    const after = (offset: number) => model.all.filter(({ last }) => last > offset);
    const of = (one: BatchIndex | Model) => [one.newestOffset, one.oldest, one.lastWithMessages];
    return [
      [
        ...[of(index), times.map((now) => index.messagesFloor(now))],
        times.map((now) => offsets.map((offset) => index.recovers(offset, now))),
        offsets.map((offset) => [index.after(offset), index.messagesAfter(offset)]),
        offsets.map((offset) => index.reaches(offset)),
      ],
      [
        ...[of(model), times.map((now) => model.messagesFloor(now))],
        times.map((now) => offsets.map((offset) => offset >= model.floor(now))),
        offsets.map((offset) => [
          after(offset),
          after(offset).filter(({ messages }) => messages > 0),
        ]),
        offsets.map((offset) => offset >= model.reach(() => true)),
      ],
    ];
  }
}

describe("the index", () => {
  it("answers as one does that looks at every batch", () => {
    const writes = fc.array(WRITE, { minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 6 }), writes, (size, all) => {
        const both = new Both({ size, ttlSeconds: 1 });
        for (const write of all) {
          const [slot, expectedSlot] = both.slots(write.messages > 0);
          expect(slot).toBe(expectedSlot);
          both.write(write);
          const [found, expected] = both.answers();
          expect(found).toEqual(expected);
        }
      }),
      { numRuns: 150 },
    );
  });

  it("keeps as many batches as it has slots, however many are written", () => {
    const index = new BatchIndex({ size: 5, ttlSeconds: 1e6 }, []);
    for (let n = 1; n <= 1_000; n++) {
      const slot = index.slotFor(true, n);
      index.add({ slot, first: n, last: n, at: n, messages: 1, before: n - 1 });
    }
    expect(index.after(0).map(({ first }) => first)).toEqual([996, 997, 998, 999, 1_000]);
  });
});

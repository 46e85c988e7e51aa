// The replay buffer of one connection that its client may resume on another socket: SignalR's stateful reconnect
// (docs/design/signalr-reconnect.md#sr2), and long polling. In memory, mirrored in rows that survive sleep, crashes and
// deploys.
//
//   · Messages are numbered from 1 in each direction. Pings, acks and sequences have no number.
//   · A frame is saved before it is sent, and kept until the client confirms its last message. After a resume all
//     unconfirmed frames are sent again, in order: at least once for each frame; the client drops numbers it has had.
//   · A confirmation may overtake frames that are sent again: a further resume begins where the client may count from,
//     with messages in place of those that it has confirmed (docs/design/signalr-reconnect.md#sr12).
//   · At most `window` characters are under way without a confirmation, beside those that are sent again, but one frame
//     always; more wait in the buffer.
//   · Once there are `maxKept` characters beside the largest frame, the next frame closes the connection as slow.
//   · A message of the client counts once: a number that was received before is dropped.
//   · Long polling (`byFrame`) confirms whole frames by their count, and the client numbers nothing.

import type { Encoded, Incoming } from "../../model/message.ts";
import type { Protocol } from "../../protocols/protocol.ts";
import type { Attached, RepeatedRange } from "./attachment.ts";
import { NOTHING, withoutConfirmed, withWritable, type WrittenFrames } from "./replay-window.ts";
import type {
  ReplayLimits,
  ReplayRows,
  ReplayState,
  Resumption,
  UnconfirmedFrame,
} from "./replay-rows.ts";

/**
 * Confirmed messages for which others stand at a resume. A client that would need more is taken to count from where it
 * has confirmed, as in ASP.NET Core.
 */
const MOST_DROPPED = 1_000;
/** Bytes of a row's value. */
const MAX_FRAME_BYTES = 2_000_000;
/** Memory of a frame beside its characters: thousands of the smallest are mostly that. */
const FRAME_BYTES = 128;

/** Messages of the client that have a number; an item that cannot be read is the `end` of its stream. */
const NUMBERED: ReadonlySet<Incoming["type"]> = new Set([
  "invocation",
  "item",
  "end",
  "completed",
  "cancel",
]);

export class ReplayBuffer {
  readonly #rows: ReplayRows;
  readonly #limits: ReplayLimits;
  #unconfirmed: UnconfirmedFrame[];
  /** Those that were written to the present socket. */
  #written: WrittenFrames = NOTHING;
  /** Number of the newest message to the client. */
  #lastNumber: number;
  /** Frames written before the last resume: on this socket they are sent again. */
  #repeated: RepeatedRange;
  /** The client counts from this number or a later one. */
  #clientNext: number;
  /** Whether the client has confirmed something on this socket. */
  #hasConfirmed = false;
  /** Characters of the unconfirmed frames. */
  #size = 0;
  /** Characters of the largest of them, and how many are that large. */
  #largest = 0;
  #largestCount = 0;
  #receivedCount: number;
  /** Number of the client's next message. Lower than `#receivedCount` while the client repeats messages. */
  #nextNumber: number;
  /** The client has resumed and has not sent its sequence: none of its other messages counts before. */
  #isAwaitingSequence = false;

  constructor(rows: ReplayRows, limits: ReplayLimits, state: ReplayState) {
    this.#rows = rows;
    this.#limits = limits;
    this.#unconfirmed = [...state.unconfirmed];
    this.#lastNumber = this.#unconfirmed.at(-1)?.last ?? state.confirmedUpTo;
    this.#repeated = state.repeated ?? { from: 1, upTo: 0 };
    const { from, upTo } = this.#repeated;
    this.#clientNext = state.confirmedUpTo > upTo ? state.confirmedUpTo + 1 : from;
    for (const { frame } of this.#unconfirmed) this.#count(frame);
    this.#receivedCount = state.receivedCount;
    this.#nextNumber = state.receivedCount + 1;
    // Frames that had been written are those that fit into the window.
    this.#takeWritable();
  }

  get receivedCount(): number {
    return this.#receivedCount;
  }

  /** Characters of the frames that the client has not confirmed. */
  get size(): number {
    return this.#size;
  }

  /** Whether frames cannot be kept: too little is confirmed, memory is short, or no row holds one of them. */
  refuses(frames: readonly Encoded[]): boolean {
    return this.#isFull || !this.#fits(frames) || frames.some(isTooLarge);
  }

  #fits(frames: readonly Encoded[]): boolean {
    let size = 0;
    for (const { length } of frames) size += length + FRAME_BYTES;
    return this.#limits.held?.fitsFrames(size) ?? true;
  }

  /** The largest frame does not count: one large answer does not end a connection. */
  get #isFull(): boolean {
    return this.#size - this.#largest >= this.#limits.maxKept;
  }

  #count({ length }: Encoded): void {
    this.#size += length;
    this.#limits.held?.addFrames(length + FRAME_BYTES);
    this.#compare(length);
  }

  #compare(length: number): void {
    if (length > this.#largest) [this.#largest, this.#largestCount] = [length, 0];
    if (length === this.#largest) this.#largestCount++;
  }

  /** Of frames that are no longer kept. The others are looked at only where all of the largest have gone. */
  #uncount(frames: readonly UnconfirmedFrame[]): void {
    const before = this.#size;
    for (const { frame } of frames) {
      this.#size -= frame.length;
      if (frame.length === this.#largest) this.#largestCount--;
    }
    this.#limits.held?.addFrames(this.#size - before - frames.length * FRAME_BYTES);
    if (this.#largestCount > 0) return;
    this.#largest = 0;
    for (const { frame } of this.#unconfirmed) this.#compare(frame.length);
  }

  /** Long polling: frames without numbered messages are kept as well. */
  get keepsAll(): boolean {
    return this.#limits.byFrame === true;
  }

  get unconfirmed(): readonly Encoded[] {
    return this.#unconfirmed.map(({ frame }) => frame);
  }

  attachedChanged(attached: Attached): void {
    this.#rows.saveAttachment(attached);
  }

  /**
   * Numbers and keeps frames. Gives those to be written now: none while the client is away (`isHere` false). Call
   * `refuses` first.
   */
  keep(frames: readonly Encoded[], protocol: Protocol, isHere: boolean): Encoded[] {
    for (const frame of frames) {
      const count = this.keepsAll ? 1 : (protocol.count?.(frame) ?? 0);
      if (count === 0) continue;
      const numbered = { first: this.#lastNumber + 1, last: this.#lastNumber + count, frame };
      this.#lastNumber = numbered.last;
      this.#count(frame);
      this.#unconfirmed.push(numbered);
      this.#rows.addFrame(numbered);
    }
    return isHere ? this.#takeWritable() : [];
  }

  /** Frames that the window has room for, from here on written; at least one frame is always under way. */
  #takeWritable(): Encoded[] {
    const before = this.#written.frames;
    this.#written = withWritable(this.#unconfirmed, this.#written, {
      ...{ window: this.#limits.window, largest: this.#largest },
      repeatedUpTo: this.#repeated.upTo,
    });
    return this.#unconfirmed.slice(before, this.#written.frames).map(({ frame }) => frame);
  }

  /** The client has received all messages up to this number. Gives the frames that the window has room for now. */
  confirm(upTo: number): Encoded[] {
    // The first confirmation on a socket may be of what came on an earlier one. A second follows what came on this one.
    if (this.#hasConfirmed || upTo > this.#repeated.upTo)
      this.#clientNext = Math.max(this.#clientNext, Math.min(upTo, this.#lastNumber) + 1);
    this.#hasConfirmed = true;
    let count = 0;
    while (count < this.#written.frames && this.#unconfirmed[count]!.last <= upTo) count++;
    const confirmed = this.#unconfirmed.splice(0, count);
    if (confirmed.length === 0) return [];
    this.#uncount(confirmed);
    this.#written = withoutConfirmed(this.#written, confirmed, this.#repeated.upTo);
    this.#rows.removeFrames(confirmed.at(-1)!.last);
    return this.#takeWritable();
  }

  /** Long polling: the client has received the first `count` frames. */
  confirmFrames(count: number): void {
    const last = this.#unconfirmed[count - 1]?.last;
    if (last !== undefined) this.confirm(last);
  }

  /** Long polling: a new poll. Gives all unconfirmed frames. */
  restartForPoll(): Encoded[] {
    this.#written = NOTHING;
    return this.#takeWritable();
  }

  /** The client has resumed on a new socket. */
  resume(): Resumption & { readonly repeated: RepeatedRange } {
    const next = this.#unconfirmed[0]?.first ?? this.#lastNumber + 1;
    const isFar = next - this.#clientNext > MOST_DROPPED;
    const sequence = isFar ? next : Math.min(next, this.#clientNext);
    const newest = this.#unconfirmed[this.#written.frames - 1]?.last ?? next - 1;
    this.#repeated = { from: sequence, upTo: Math.max(newest, this.#repeated.upTo) };
    this.#clientNext = sequence;
    this.#isAwaitingSequence = true;
    this.#hasConfirmed = false;
    this.#written = NOTHING;
    const frames = this.#takeWritable();
    return { sequence, confirmed: next - sequence, frames, repeated: this.#repeated };
  }

  /**
   * The client's sequence: the number of its next message. False where messages before it were never received; those
   * that it has repeated in part, and then were confirmed, were.
   */
  resumeFrom(sequence: number): boolean {
    if (sequence > this.#receivedCount + 1) return false;
    this.#nextNumber = sequence;
    this.#isAwaitingSequence = false;
    return true;
  }

  /** Whether a message is to be dispatched: not one that was received before, and none before the client's sequence. */
  accepts({ type }: Incoming): boolean {
    if (this.#isAwaitingSequence) return false;
    if (this.keepsAll || !NUMBERED.has(type)) return true;
    const number = this.#nextNumber++;
    if (number <= this.#receivedCount) return false;
    this.#receivedCount = number;
    this.#rows.saveReceived(number);
    return true;
  }
}

/** A character has up to 3 bytes in UTF-8: most frames need no look at their bytes. */
function isTooLarge(frame: Encoded): boolean {
  if (typeof frame !== "string") return frame.length > MAX_FRAME_BYTES;
  if (frame.length * 3 <= MAX_FRAME_BYTES) return false;
  return new TextEncoder().encode(frame).byteLength > MAX_FRAME_BYTES;
}

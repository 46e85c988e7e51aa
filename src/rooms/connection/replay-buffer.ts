// The replay buffer of one connection that its client may resume on another socket: SignalR's stateful reconnect
// (docs/design/signalr-reconnect.md#sr2), and long polling. In memory, mirrored in rows that survive sleep, crashes and
// deploys.
//
//   · Messages are numbered from 1 in each direction. Pings, acks and sequences have no number.
//   · A frame is saved before it is sent, and kept until the client confirms its last message. After a resume all
//     unconfirmed frames are sent again, in order: at least once for each frame; the client drops numbers it has had.
//   · A confirmation may overtake frames that are sent again: a further resume begins at the lowest number from which
//     the client may count, with placeholders for confirmed messages (docs/design/signalr-reconnect.md#sr12).
//   · At most `window` characters are under way without a confirmation, except those that are sent again; one frame
//     always may be. Further frames wait in the buffer.
//   · If `maxKept` characters are kept, without the largest frame, the next frame closes the connection as slow.
//   · A message of the client counts once: a number that was received before is dropped.
//   · Long polling (`byFrame`) confirms whole frames by their count, and the client numbers nothing.

import type { Encoded, Incoming } from "../../model/message.ts";
import { exceeds } from "../../protocols/bytes.ts";
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
 * The most placeholders at a resume. If more were needed, the client is assumed to count from its confirmation, as in
 * ASP.NET Core.
 */
const MOST_DROPPED = 1_000;
/** The most bytes of a row's value. */
const MAX_FRAME_BYTES = 2_000_000;
/** Memory of a frame in addition to its characters. */
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
  /** The first ones, which were written to the present socket. */
  #written: WrittenFrames = NOTHING;
  /** Number of the newest message to the client. */
  #lastNumber: number;
  /** Messages written before the last resume, which are sent again on this socket. */
  #repeated: RepeatedRange;
  /** The client counts from this number or a later one. */
  #clientNext: number;
  /** Whether the client has confirmed something on this socket. */
  #hasConfirmed = false;
  /** Characters of the unconfirmed frames. */
  #size = 0;
  /** Characters of the largest unconfirmed frame, and the number of frames of this size. */
  #largest = 0;
  #largestCount = 0;
  #receivedCount: number;
  /** Number of the client's next message. Lower than `#receivedCount` while the client repeats messages. */
  #nextNumber: number;
  /** The client has resumed and not sent its Sequence yet: other messages are dropped until then. */
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

  /** Whether frames cannot be kept: the buffer is full, memory is short, or one is too large for a row. */
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

  /** Uncounts frames that are no longer kept. Searches the others only if the largest has gone. */
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
   * Numbers and keeps frames. Returns those to write now: none while the client is away (`isHere` false). Call
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

  /** Takes the frames that fit into the window; they count as written. At least one frame is always under way. */
  #takeWritable(): Encoded[] {
    const before = this.#written.frames;
    this.#written = withWritable(this.#unconfirmed, this.#written, {
      ...{ window: this.#limits.window, largest: this.#largest },
      repeatedUpTo: this.#repeated.upTo,
    });
    return this.#unconfirmed.slice(before, this.#written.frames).map(({ frame }) => frame);
  }

  /** Called when the client has confirmed messages up to this number. Returns further frames that fit now. */
  confirm(upTo: number): Encoded[] {
    // The first confirmation on a socket may be about messages of an earlier one; the second is about this socket.
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

  /** Long polling: returns all unconfirmed frames for a new poll. */
  restartForPoll(): Encoded[] {
    this.#written = NOTHING;
    return this.#takeWritable();
  }

  /** Called when the client resumes on a new socket. */
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
   * Takes the client's Sequence: the number of its next message. False if messages before it were never received, so
   * that the connection cannot continue.
   */
  resumeFrom(sequence: number): boolean {
    if (sequence > this.#receivedCount + 1) return false;
    this.#nextNumber = sequence;
    this.#isAwaitingSequence = false;
    return true;
  }

  /** Whether to dispatch a message: not one that was received before, and none before the client's Sequence. */
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

const isTooLarge = (frame: Encoded): boolean =>
  typeof frame === "string" ? exceeds(frame, MAX_FRAME_BYTES) : frame.length > MAX_FRAME_BYTES;

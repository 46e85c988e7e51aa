// One connection that its client may come back to on another socket, as SignalR's stateful reconnect has it
// (docs/design/signalr-reconnect.md#sr2): what was sent and not confirmed, and what was heard. Rows, so that it survives
// sleep and crashes.

import type { Encoded, Incoming } from "../../model/message.ts";
import type { Protocol } from "../../protocols/protocol.ts";
import type { Attached } from "./attachment.ts";

/** Messages of ours, numbered `first` to `last`, that the client has not confirmed yet. */
export interface Unconfirmed {
  readonly first: number;
  readonly last: number;
  readonly frame: Encoded;
}

/** Where it is written down. */
export interface ReplayRows {
  attached(attached: Attached): void;
  received(count: number): void;
  sent(frame: Unconfirmed): void;
  confirmed(upTo: number): void;
}

export interface ReplayState {
  /** Messages of the client that were taken. */
  readonly received: number;
  /** All up to this one were confirmed. */
  readonly confirmed: number;
  readonly unconfirmed: readonly Unconfirmed[];
}

export interface ReplayLimits {
  /** Bytes (characters) that may be under way without a confirmation. */
  readonly window: number;
  /** Bytes that may be kept at all. */
  readonly most: number;
  /** Every frame is kept and confirmed as one, as long polling has it, and the client numbers nothing. */
  readonly byFrame?: boolean;
}

const COUNTED: ReadonlySet<Incoming["type"]> = new Set([
  "invocation",
  "item",
  "completed",
  "cancel",
]);

export class ReplayBuffer {
  readonly #rows: ReplayRows;
  readonly #limits: ReplayLimits;
  #unconfirmed: Unconfirmed[];
  /** How many of these were written to the present socket. */
  #written: number;
  #sent: number;
  #size = 0;
  #received: number;
  /** The number of the client's next message. */
  #next: number;
  /** The client is back and has not said yet where it goes on: nothing else counts before. */
  #awaiting = false;

  constructor(rows: ReplayRows, limits: ReplayLimits, state: ReplayState) {
    this.#rows = rows;
    this.#limits = limits;
    this.#unconfirmed = [...state.unconfirmed];
    this.#written = 0;
    this.#sent = this.#unconfirmed.at(-1)?.last ?? state.confirmed;
    for (const { frame } of this.#unconfirmed) this.#size += frame.length;
    this.#received = state.received;
    this.#next = state.received + 1;
    // What had been written is the longest beginning that fits into the window.
    this.#writable();
  }

  get received(): number {
    return this.#received;
  }

  get keepsAll(): boolean {
    return this.#limits.byFrame === true;
  }

  /** Frames that were not confirmed. */
  get unconfirmed(): readonly Encoded[] {
    return this.#unconfirmed.map(({ frame }) => frame);
  }

  attachedChanged(attached: Attached): void {
    this.#rows.attached(attached);
  }

  /** Numbers and keeps frames; gives those to be written now, or undefined where too much would be kept. */
  keep(frames: readonly Encoded[], protocol: Protocol, isHere: boolean): Encoded[] | undefined {
    for (const frame of frames) {
      const count = this.keepsAll ? 1 : (protocol.count?.(frame) ?? 0);
      if (count === 0) continue;
      const kept = { first: this.#sent + 1, last: this.#sent + count, frame };
      this.#sent = kept.last;
      this.#size += frame.length;
      this.#unconfirmed.push(kept);
      this.#rows.sent(kept);
    }
    if (this.#size > this.#limits.most) return undefined;
    return isHere ? this.#writable() : [];
  }

  /** What the window has room for; at least one frame is always under way. */
  #writable(): Encoded[] {
    let underWay = 0;
    for (let i = 0; i < this.#written; i++) underWay += this.#unconfirmed[i]!.frame.length;
    const now: Encoded[] = [];
    while (this.#written < this.#unconfirmed.length) {
      const { frame } = this.#unconfirmed[this.#written]!;
      if (this.#written > 0 && underWay + frame.length > this.#limits.window) break;
      underWay += frame.length;
      now.push(frame);
      this.#written++;
    }
    return now;
  }

  /** The client has all up to this one: gives what may be written now. */
  confirm(upTo: number): Encoded[] {
    const written = this.#unconfirmed.slice(0, this.#written);
    const kept = written.findIndex(({ last }) => last > upTo);
    const gone = this.#unconfirmed.splice(0, kept < 0 ? written.length : kept);
    if (gone.length === 0) return [];
    for (const { frame } of gone) this.#size -= frame.length;
    this.#written = Math.max(0, this.#written - gone.length);
    this.#rows.confirmed(gone.at(-1)!.last);
    return this.#writable();
  }

  /** The first so many frames have arrived. */
  took(count: number): void {
    const last = this.#unconfirmed[count - 1]?.last;
    if (last !== undefined) this.confirm(last);
  }

  /** A poll: all that waits is written to it. */
  polled(): Encoded[] {
    this.#written = 0;
    return this.#writable();
  }

  /** The client is back: where we go on, and what is sent again. */
  resume(): { readonly sequence: number; readonly frames: Encoded[] } {
    this.#awaiting = true;
    this.#written = 0;
    const sequence = this.#unconfirmed[0]?.first ?? this.#sent + 1;
    return { sequence, frames: this.#writable() };
  }

  /** The client says where it goes on. False where it would leave a hole. */
  goOn(sequence: number): boolean {
    if (sequence > this.#next) return false;
    this.#next = sequence;
    this.#awaiting = false;
    return true;
  }

  get awaiting(): boolean {
    return this.#awaiting;
  }

  /** Whether a message counts: not one that came before, and none before the client said where it goes on. */
  takes({ type }: Incoming): boolean {
    if (this.#awaiting) return false;
    if (this.keepsAll || !COUNTED.has(type)) return true;
    const number = this.#next++;
    if (number <= this.#received) return false;
    this.#received = number;
    this.#rows.received(number);
    return true;
  }
}

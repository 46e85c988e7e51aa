// Verifies every byte at every subscriber. All subscribers of a room receive the same stream, so it is parsed once, for
// the subscriber that is ahead, and compared with the bytes of the others. A socket whose bytes differ (its server
// groups records differently) is parsed on its own from there on.

import type { Reader } from "./transport.ts";

/** Counts of faults. A measurement with any of them is void. */
export interface Faults {
  gaps: number;
  duplicates: number;
  bad: number;
}

type ReadMessages = (frame: string) => number[];

/** Expects the numbers 1, 2, 3 … */
export class Sequence {
  next: number;
  readonly #faults: Faults;

  constructor(faults: Faults, next = 1) {
    this.#faults = faults;
    this.next = next;
  }

  take(seq: number): void {
    if (seq === this.next) this.next++;
    else if (Number.isNaN(seq)) this.#faults.bad++;
    else if (seq < this.next) this.#faults.duplicates++;
    else {
      this.#faults.gaps += seq - this.next;
      this.next = seq + 1;
    }
  }
}

interface StreamOptions {
  readonly messagesIn: ReadMessages;
  /** A reader whose first byte is at `consumed` of all bytes. */
  reader(consumed?: number): Reader;
  readonly faults: Faults;
  /** Bytes and frames kept for subscribers that are behind; powers of two. */
  readonly bytes: number;
  readonly frames: number;
}

/** The stream of a room: its bytes, the ends of its frames, and the message expected after each frame. */
export class RoomStream {
  readonly options: StreamOptions;
  readonly #ring: Buffer;
  readonly #ends: Float64Array;
  readonly #nexts: Float64Array;
  readonly #reader: Reader;
  readonly #sequence: Sequence;
  #head = 0;
  #frames = 0;

  constructor(options: StreamOptions) {
    this.options = options;
    this.#reader = options.reader();
    this.#ring = Buffer.alloc(options.bytes);
    this.#ends = new Float64Array(options.frames);
    this.#nexts = new Float64Array(options.frames).fill(1);
    this.#sequence = new Sequence(options.faults);
  }

  get frames(): number {
    return this.#frames;
  }

  endOf(frame: number): number {
    return this.#ends[frame & (this.#ends.length - 1)]!;
  }

  /** The message expected after this frame; 1 before the first. */
  nextAfter(frame: number): number {
    return frame < 0 ? 1 : this.#nexts[frame & (this.#nexts.length - 1)]!;
  }

  /** Whether the chunk equals the stream at `position`. Bytes beyond the stream's end are appended to it. */
  accepts(position: number, chunk: Buffer): boolean {
    if (position < this.#head - this.#ring.length) return false;
    const known = Math.min(chunk.length, this.#head - position);
    if (!this.#equals(position, chunk, known)) return false;
    if (known < chunk.length) this.#append(chunk.subarray(known));
    return true;
  }

  #equals(position: number, chunk: Buffer, length: number): boolean {
    const start = position & (this.#ring.length - 1);
    const first = Math.min(length, this.#ring.length - start);
    return (
      this.#ring.compare(chunk, 0, first, start, start + first) === 0 &&
      this.#ring.compare(chunk, first, length, 0, length - first) === 0
    );
  }

  #append(bytes: Buffer): void {
    const start = this.#head & (this.#ring.length - 1);
    const first = Math.min(bytes.length, this.#ring.length - start);
    bytes.copy(this.#ring, start, 0, first);
    bytes.copy(this.#ring, 0, first);
    this.#head += bytes.length;
    this.#reader.read(bytes, ({ text, end }) => {
      for (const seq of this.options.messagesIn(text)) this.#sequence.take(seq);
      const frame = this.#frames++ & (this.#ends.length - 1);
      this.#ends[frame] = end;
      this.#nexts[frame] = this.#sequence.next;
    });
  }

  /** The bytes between two positions that are still kept. */
  slice(from: number, to: number): Buffer {
    const mask = this.#ring.length - 1;
    return Buffer.from(Array.from({ length: to - from }, (_, i) => this.#ring[(from + i) & mask]!));
  }
}

/** Called for the messages from `first` up to, not including, `end`. */
type OnMessages = (first: number, end: number) => void;

export class Subscriber {
  readonly #stream: RoomStream;
  readonly #onMessages: OnMessages;
  #position = 0;
  #frame = 0;
  #own: { readonly reader: Reader; readonly sequence: Sequence } | undefined;

  constructor(stream: RoomStream, onMessages: OnMessages) {
    this.#stream = stream;
    this.#onMessages = onMessages;
  }

  /** The number of the newest message received. */
  get seq(): number {
    return (this.#own?.sequence.next ?? this.#stream.nextAfter(this.#frame - 1)) - 1;
  }

  /** Frames received. */
  get frames(): number {
    return this.#frame;
  }

  receive(chunk: Buffer): void {
    if (!this.#own && this.#stream.accepts(this.#position, chunk)) this.#advance(chunk.length);
    else this.#readOwn(chunk);
  }

  #advance(length: number): void {
    const stream = this.#stream;
    this.#position += length;
    const from = this.#frame;
    while (this.#frame < stream.frames && stream.endOf(this.#frame) <= this.#position)
      this.#frame++;
    if (this.#frame > from) this.#report(stream.nextAfter(from - 1), this.seq + 1);
  }

  #readOwn(chunk: Buffer): void {
    this.#own ??= this.#startOwn();
    const { reader, sequence } = this.#own;
    reader.read(chunk, ({ text }) => {
      const first = sequence.next;
      for (const seq of this.#stream.options.messagesIn(text)) sequence.take(seq);
      this.#frame++;
      this.#report(first, sequence.next);
    });
  }

  /** A reader of this subscriber's own, from the end of the last complete frame. */
  #startOwn() {
    const { faults } = this.#stream.options;
    const boundary = this.#frame === 0 ? 0 : this.#stream.endOf(this.#frame - 1);
    const reader = this.#stream.options.reader(boundary);
    reader.read(this.#stream.slice(boundary, this.#position), () => faults.bad++);
    return { reader, sequence: new Sequence(faults, this.seq + 1) };
  }

  #report(first: number, end: number): void {
    if (end > first) this.#onMessages(first, end);
  }
}

// Every byte at every subscriber is checked. All subscribers of a room hear the same stream, so it is parsed once, by
// whoever is ahead, and the others' bytes are compared with it. A socket whose bytes differ (its server groups records
// in another way for it) is parsed by itself from there on.

import type { Reader } from "./transport.ts";

/** Zero, all of them, or the run does not count. */
export interface Faults {
  gaps: number;
  duplicates: number;
  bad: number;
}

type Heard = (frame: string) => number[];

/** Expects 1, 2, 3 … */
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

export interface StreamOptions {
  readonly heard: Heard;
  /** `consumed`: where in all bytes it begins. */
  reader(consumed?: number): Reader;
  readonly faults: Faults;
  /** How much of it is remembered for those who are behind; powers of two. */
  readonly bytes: number;
  readonly frames: number;
}

/** What a room's subscribers hear: bytes, where its frames end, and which message comes after each. */
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

  /** Whether the chunk goes on at `position` as the others heard it; what is new becomes part of the stream. */
  accepts(position: number, chunk: Buffer): boolean {
    if (position < this.#head - this.#ring.length) return false;
    const known = Math.min(chunk.length, this.#head - position);
    if (!this.#same(position, chunk, known)) return false;
    if (known < chunk.length) this.#append(chunk.subarray(known));
    return true;
  }

  #same(position: number, chunk: Buffer, length: number): boolean {
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
      for (const seq of this.options.heard(text)) this.#sequence.take(seq);
      const frame = this.#frames++ & (this.#ends.length - 1);
      this.#ends[frame] = end;
      this.#nexts[frame] = this.#sequence.next;
    });
  }

  /** The bytes between two places that are still remembered. */
  slice(from: number, to: number): Buffer {
    const mask = this.#ring.length - 1;
    return Buffer.from(Array.from({ length: to - from }, (_, i) => this.#ring[(from + i) & mask]!));
  }
}

/** Messages `first` up to, not including, `end` have arrived. */
export type Arrived = (first: number, end: number) => void;

export class Subscriber {
  readonly #stream: RoomStream;
  readonly #arrived: Arrived;
  #position = 0;
  #frame = 0;
  #own: { readonly reader: Reader; readonly sequence: Sequence } | undefined;

  constructor(stream: RoomStream, arrived: Arrived) {
    this.#stream = stream;
    this.#arrived = arrived;
  }

  /** The newest message that has arrived. */
  get seq(): number {
    return (this.#own?.sequence.next ?? this.#stream.nextAfter(this.#frame - 1)) - 1;
  }

  /** Frames that have arrived, as far as they were the room's. */
  get frames(): number {
    return this.#frame;
  }

  receive(chunk: Buffer): void {
    if (!this.#own && this.#stream.accepts(this.#position, chunk)) this.#follow(chunk.length);
    else this.#alone(chunk);
  }

  #follow(length: number): void {
    const stream = this.#stream;
    this.#position += length;
    const from = this.#frame;
    while (this.#frame < stream.frames && stream.endOf(this.#frame) <= this.#position)
      this.#frame++;
    if (this.#frame > from) this.#tell(stream.nextAfter(from - 1), this.seq + 1);
  }

  #alone(chunk: Buffer): void {
    this.#own ??= this.#part();
    const { reader, sequence } = this.#own;
    reader.read(chunk, ({ text }) => {
      const first = sequence.next;
      for (const seq of this.#stream.options.heard(text)) sequence.take(seq);
      this.#frame++;
      this.#tell(first, sequence.next);
    });
  }

  /** Begins at the last frame that was heard as a whole. */
  #part() {
    const { faults } = this.#stream.options;
    const boundary = this.#frame === 0 ? 0 : this.#stream.endOf(this.#frame - 1);
    const reader = this.#stream.options.reader(boundary);
    reader.read(this.#stream.slice(boundary, this.#position), () => faults.bad++);
    return { reader, sequence: new Sequence(faults, this.seq + 1) };
  }

  #tell(first: number, end: number): void {
    if (end > first) this.#arrived(first, end);
  }
}

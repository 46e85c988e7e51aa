// Frames that many streams receive. A room sends the same text to all its sockets, and a thousand streams of one
// isolate need not parse and encode it a thousand times: the isolate keeps the newest frames, parsed and encoded.

import {
  isConnected,
  isRequest,
  isReset,
  positionAfter,
  recordsIn,
  type RoomRecord,
} from "./room-record.ts";

/** One frame of a room, parsed. */
export interface Frame {
  readonly text: string;
  readonly records: readonly RoomRecord[];
  /**
   * Absent if the frame is not the same for every stream: it begins a connection, resets it or calls its client.
   */
  readonly shared?: SharedFrame;
}

/** A frame that is the same for every stream of this one room. */
interface SharedFrame {
  /** The position of the client after the frame; undefined if the frame does not change it. */
  readonly position: string | undefined;
  /**
   * The frame in one encoding, made by the first call. Calls with the same name must make the same bytes. The bytes are
   * written by many streams, and must not be changed.
   */
  encodeAs(encoding: string, encode: () => Uint8Array): Uint8Array;
}

/** The most characters of all kept frames, of all rooms together. */
const CHARACTERS_AT_MOST = 512 * 1024;
/** Frames are looked up by as many characters of their end, which contains the last position. */
const TAIL = 64;

/**
 * The newest frames of one isolate. Memory is bounded by the characters of their texts; their parsed and encoded forms
 * take a small multiple of that. Frames that streams still use outlive the cache.
 */
export class FrameCache {
  /** By room and tail, the oldest first. After a hit the whole texts are compared, since tails may be equal. */
  readonly #frames = new Map<string, Frame>();
  #characters = 0;

  /** Throws a SyntaxError for text that is not JSON; objects never send such text. */
  frameOf(room: string, text: string): Frame {
    const key = `${room} ${text.slice(-TAIL)}`;
    const known = this.#frames.get(key);
    if (known?.text === text) return known;
    const frame = read(room, text);
    this.#remember(key, frame);
    return frame;
  }

  /**
   * Puts the frame at the newest end, and then drops the oldest until all fit; a frame that is too long is not kept.
   */
  #remember(key: string, frame: Frame): void {
    this.#forget(key);
    this.#frames.set(key, frame);
    this.#characters += frame.text.length;
    for (const oldest of this.#frames.keys()) {
      if (this.#characters <= CHARACTERS_AT_MOST) return;
      this.#forget(oldest);
    }
  }

  #forget(key: string): void {
    this.#characters -= this.#frames.get(key)?.text.length ?? 0;
    this.#frames.delete(key);
  }
}

/**
 * Parses a frame. Not shared are frames that begin a connection, which depend on the position before them; requests,
 * which are not delivered; and resets, which may end a stream whose caller asked for no gaps.
 */
function read(room: string, text: string): Frame {
  const records = recordsIn(text);
  const differs = records.some((one) => isConnected(one) || isRequest(one) || isReset(one));
  return differs ? { text, records } : { text, records, shared: new Encodings(room, records) };
}

/** The encodings of one frame, kept as long as the frame. */
class Encodings implements SharedFrame {
  readonly position: string | undefined;
  readonly #encoded = new Map<string, Uint8Array>();

  constructor(room: string, records: readonly RoomRecord[]) {
    this.position = records
      .map((record) => positionAfter(room, record, undefined))
      .findLast((position) => position !== undefined);
  }

  encodeAs(encoding: string, encode: () => Uint8Array): Uint8Array {
    const known = this.#encoded.get(encoding);
    if (known) return known;
    const bytes = encode();
    this.#encoded.set(encoding, bytes);
    return bytes;
  }
}

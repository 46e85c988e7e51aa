// One stream of several rooms, in any format: the part that Server-Sent Events and gRPC's Subscribe have in common. It
// opens a bridge to each room, keeps the client's position in each, resumes from it after a break, refuses requests of
// the rooms, removes duplicates, and encodes a frame once for all streams whose bytes are equal.
//
// Promises to a client: records of one room arrive in the order of its log; within a stream none is missing and none is
// repeated, unless the stream reports a reset. Records of different rooms have no order among each other. A room whose
// connection breaks for a moment delays its records; a room that ends, ends the stream.

import { concat } from "../../protocols/bytes.ts";
import { Bridge } from "./bridge.ts";
import { Deduplicator } from "./deduplicate.ts";
import { isRequest, positionAfter, type RoomRecord } from "./room-record.ts";
import type { RoomSource } from "./room-sources.ts";
import { refuseRequest } from "./room-socket.ts";
import type { Frame, FrameCache } from "./shared-frames.ts";

/** A record on its way to the client. */
export interface RoomDelivery {
  /** The room whose socket received the record, as a topic; `record.room` may be another one. */
  readonly room: string;
  readonly record: RoomRecord;
  /** The client's position in `room` before the record. */
  readonly before: string | undefined;
  /** The position after it, which the stream's `positions` have already; undefined if the record does not change it. */
  readonly after: string | undefined;
}

export interface RoomEnd {
  readonly room: string;
  /** A WebSocket close code, and its reason. */
  readonly code: number;
  readonly reason: string;
}

/**
 * The client's side of a stream: its format, and the writing end of its response. An error that it throws ends the
 * room's bridge, and is reported back by `ended` with the code of an internal failure.
 */
export interface RoomStreamFormat {
  /** The name of the encoding, different for each that yields other bytes: streams of one name share encoded frames. */
  readonly encoding: string;
  /** The record as bytes; undefined if the format does not show it. Called at most once for each record, in order. */
  encode(delivery: RoomDelivery): Uint8Array | undefined;
  /** Writes the bytes of one frame, never empty; all in one call, because each write costs the same. */
  write(bytes: Uint8Array): void;
  /** Called when a room has ended for good. The format must end the whole stream, which is incomplete without it. */
  ended(end: RoomEnd): void;
}

interface RoomStreamOptions {
  readonly sources: readonly RoomSource[];
  readonly frames: FrameCache;
  readonly format: RoomStreamFormat;
}

export class RoomStream {
  readonly #frames: FrameCache;
  readonly #format: RoomStreamFormat;
  readonly #bridges: readonly Bridge[];
  /** Undefined for a stream of one room: its socket never sends duplicates. */
  readonly #deduplicator: Deduplicator | undefined;
  readonly #positions: Map<string, string>;

  constructor({ sources, frames, format }: RoomStreamOptions) {
    this.#frames = frames;
    this.#format = format;
    this.#positions = new Map(sources.flatMap(({ room, since }) => (since ? [[room, since]] : [])));
    this.#deduplicator =
      sources.length === 1 ? undefined : new Deduplicator(sources.map(({ room }) => room));
    this.#bridges = sources.map((source) => this.#bridgeTo(source));
  }

  /** The client's position in each room where it is known, in the order in which they became known. */
  get positions(): ReadonlyMap<string, string> {
    return this.#positions;
  }

  /**
   * Opens all rooms. If one refuses, the others are closed, and its refusal is thrown: there is no partial stream.
   */
  async begin(): Promise<void> {
    const begun = await Promise.allSettled(this.#bridges.map((bridge) => bridge.begin()));
    const refused = begun.find((one) => one.status === "rejected");
    if (!refused) return;
    this.end();
    throw refused.reason;
  }

  /** Closes all rooms, even those that are still being opened. Nothing is encoded or written after it. */
  end(): void {
    for (const bridge of this.#bridges) bridge.end();
  }

  /** Every socket, the first as well as those after a break, continues at the client's position at that time. */
  #bridgeTo({ room, open }: RoomSource): Bridge {
    return new Bridge({
      open: () => open(this.#positions.get(room)),
      received: (text, socket) => this.#receive(room, text, socket),
      ended: (code, reason) => this.#format.ended({ room, code, reason }),
    });
  }

  /** Requests are refused first: hub code waits for their answers, and must not wait for this stream's reader. */
  #receive(room: string, text: string, socket: WebSocket): void {
    const frame = this.#frames.frameOf(room, text);
    // A shared frame has no requests.
    if (!frame.shared)
      for (const record of frame.records) if (isRequest(record)) refuseRequest(socket, record);
    const bytes = this.#encode(room, frame);
    if (bytes.length > 0) this.#format.write(bytes);
  }

  /** Only streams of a single room share frames: with several, duplicates and ids depend on the other rooms. */
  #encode(room: string, { shared, records }: Frame): Uint8Array {
    if (!shared || this.#deduplicator) return this.#encodeRecords(room, records);
    const bytes = shared.encodeAs(this.#format.encoding, () => this.#encodeRecords(room, records));
    this.#move(room, shared.position);
    return bytes;
  }

  /** Not called for a frame that another stream has encoded already: then `#encode` moves the position. */
  #encodeRecords(room: string, records: readonly RoomRecord[]): Uint8Array {
    return concat(records.flatMap((record) => this.#encodeRecord(room, record) ?? []));
  }

  /** The position moves before the record is encoded: an event's id is the position after the event. */
  #encodeRecord(room: string, record: RoomRecord): Uint8Array | undefined {
    const before = this.#positions.get(room);
    const after = positionAfter(room, record, before);
    this.#move(room, after);
    if (isRequest(record) || this.#deduplicator?.isDuplicate(room, record)) return undefined;
    return this.#format.encode({ room, record, before, after });
  }

  #move(room: string, position: string | undefined): void {
    if (position !== undefined) this.#positions.set(room, position);
  }
}

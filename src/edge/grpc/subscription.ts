// The format of a Subscribe stream: records of its rooms as envelopes of messages, in a queue that the response
// reads. The promises of order and completeness are those of stream/room-stream.ts.

import { create } from "@bufbuild/protobuf";
import { HubError } from "../../model/errors.ts";
import type { Limits } from "../../model/options.ts";
import {
  Standing_Outcome as Outcome,
  SubscribeResponseSchema,
  type Standing,
  type SubscribeRequest,
  type SubscribeResponse,
} from "../../protocols/proto/dormouse/v1/hub_pb.ts";
import { isConnected } from "../stream/room-record.ts";
import { endOfStream, type RoomSource } from "../stream/room-sources.ts";
import {
  RoomStream,
  type RoomDelivery,
  type RoomEnd,
  type RoomStreamFormat,
} from "../stream/room-stream.ts";
import type { FrameCache } from "../stream/shared-frames.ts";
import { Queue } from "../stream/slow-reader-queue.ts";
import { envelopeOf } from "./encoded-stream.ts";
import { endingOf } from "./grpc-errors.ts";
import { heartbeat, HEARTBEAT_MS, SMALL_MESSAGE_BYTES } from "./grpc-heartbeat.ts";
import { messageOf, standingOf } from "./room-messages.ts";

interface SubscriptionOptions {
  readonly sources: readonly RoomSource[];
  readonly frames: FrameCache;
  /** The hub's limits. */
  readonly limits: Pick<Limits, "streamSeconds">;
  /** `strict`: a gap ends the stream with `history_gone`, instead of being reported in it. */
  readonly options: Pick<SubscribeRequest, "presence" | "strict"> & { readonly isJson: boolean };
}

/**
 * States: opening, begun (the first standing is known), ended. All ends go through the queue: a room's end, a gap, the
 * call's signal and a slow reader end the queue, and the queue's end closes the rooms and the timer.
 */
export class Subscription implements RoomStreamFormat {
  readonly encoding: string;
  /** When the queue ends, the stream ends, and the rooms are closed. */
  readonly queue: Queue<Uint8Array>;
  readonly #options: SubscriptionOptions["options"];
  readonly #rooms: RoomStream;
  readonly #first = Promise.withResolvers<SubscribeResponse>();
  #hasBegun = false;
  /** When the stream ends at the latest, in milliseconds since 1970. */
  readonly #endsAt: number;
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor({ sources, frames, limits, options }: SubscriptionOptions) {
    this.#endsAt = endOfStream(limits, Date.now());
    this.#options = options;
    this.encoding = `grpc json=${options.isJson} presence=${options.presence}`;
    this.queue = new Queue(() => this.#close());
    this.#rooms = new RoomStream({ sources, frames, format: this });
  }

  /** The standing of the first room that begins. It is not in the queue: Connect writes it, with the headers. */
  get first(): Promise<SubscribeResponse> {
    return this.#first.promise;
  }

  /** Opens the rooms. Throws a room's refusal; then the queue has ended. */
  async begin(): Promise<void> {
    try {
      await this.#rooms.begin();
    } catch (error) {
      this.queue.end();
      throw error;
    }
    const bytes = envelopeOf(HEARTBEAT, this.#options.isJson);
    if (!this.queue.hasEnded) this.#timer = setInterval(() => this.#beat(bytes), HEARTBEAT_MS);
  }

  #beat(bytes: Uint8Array): void {
    if (Date.now() < this.#endsAt) return this.queue.push([bytes], SMALL_MESSAGE_BYTES);
    this.queue.end(
      new HubError("unavailable", "The stream has reached its time limit: start it again."),
    );
  }

  #close(): void {
    clearInterval(this.#timer ?? null);
    this.#rooms.end();
  }

  /**
   * The bytes must depend only on the record and on the options named in `encoding`. A standing also depends on the
   * caller's position, but is never in a shared frame; nor is a reset, so that `strict` need not be in the name.
   */
  encode(delivery: RoomDelivery): Uint8Array | undefined {
    const response = this.#responseTo(delivery);
    return response && envelopeOf(response, this.#options.isJson);
  }

  write(bytes: Uint8Array): void {
    this.queue.push([bytes], bytes.length);
  }

  /** Ends the stream with an error, even after a normal close: a stream of rooms never ends by itself. */
  ended({ code, reason }: RoomEnd): void {
    this.queue.end(endingOf(code, reason));
  }

  #responseTo(delivery: RoomDelivery): SubscribeResponse | undefined {
    const { room, record } = delivery;
    if (isConnected(record)) return this.#start(standingOf(delivery));
    const kind = messageOf(room, record);
    if (kind?.case === "reset") this.#reportGap();
    if (!kind || (kind.case === "presence" && !this.#options.presence)) return undefined;
    return create(SubscribeResponseSchema, { kind });
  }

  /**
   * Every room has one standing at its start, and another one after each break. The first of all becomes `first`,
   * unless it ends a strict stream.
   */
  #start(value: Standing): SubscribeResponse | undefined {
    if (value.outcome === Outcome.RESET) this.#reportGap();
    if (this.queue.hasEnded) return undefined;
    const response = create(SubscribeResponseSchema, { kind: { case: "standing", value } });
    if (this.#hasBegun) return response;
    this.#hasBegun = true;
    this.#first.resolve(response);
    return undefined;
  }

  /** Called when missed messages cannot be recovered. In a stream that is not strict, the standing reports it. */
  #reportGap(): void {
    if (this.#options.strict)
      this.queue.end(new HubError("history_gone", "The room no longer has the missed messages."));
  }
}

const HEARTBEAT = create(SubscribeResponseSchema, { kind: heartbeat() });

// The response of an event stream, for browsers' EventSource and for `fetch`: one room, or several, with comments that
// keep the connection open, and an end for readers that are too slow.

import { HubError } from "../../model/errors.ts";
import { logError } from "../../model/logger.ts";
import type { Limits } from "../../model/options.ts";
import { urlOf } from "../../model/request-url.ts";
import { asBytes } from "../../protocols/bytes.ts";
import { wantsEventStream } from "../admit/request-target.ts";
import { clientVersionOf } from "../answer/client-version.ts";
import { STREAM_HEADERS } from "../answer/cache-headers.ts";
import { wantsWebSocket } from "../answer/upgrade-request.ts";
import { endOfStream, type RoomSource } from "../stream/room-sources.ts";
import {
  RoomStream,
  type RoomDelivery,
  type RoomEnd,
  type RoomStreamFormat,
} from "../stream/room-stream.ts";
import type { FrameCache } from "../stream/shared-frames.ts";
import { LEFTOVER_MS, QUEUED_BYTES } from "../stream/slow-reader-queue.ts";
import { eventOf, eventText, formatPositions, type EventFormat } from "./sse-events.ts";

/** Interval of comments. Browsers give up on a silent stream after minutes, proxies sooner. */
const COMMENT_MS = 15_000;
/** A browser reconnects after one to two times this, at random, so that not all reconnect at once. */
const RETRY_MS = 1_000;
/** The same after a temporary refusal, unless its `retry-after` is longer. */
const REFUSED_RETRY_MS = 5_000;

/** A random time between one and two times `ms`. */
const spread = (ms: number): number => Math.round(ms * (1 + Math.random()));

const HEADERS = { "content-type": "text/event-stream; charset=utf-8", ...STREAM_HEADERS };

/**
 * Turns a 429 or 503 for an event stream into a stream that ends at once. EventSource never reconnects after an error
 * status, but always after the end of a stream; the refusal's code is in a comment and in the header. All other answers
 * are returned unchanged: repeating their requests would be no use. So are refusals to Dormouse's own client, which
 * reads statuses, to POST requests, whose clients may accept events as well, and to WebSockets.
 */
export function retryableStream(request: Request, response: Response): Response {
  if (![429, 503].includes(response.status) || !wantsEventStream(request)) return response;
  if (request.method !== "GET" || wantsWebSocket(request)) return response;
  if (clientVersionOf(request) !== undefined) return response;
  const code = response.headers.get("x-dormouse-error") ?? "unavailable";
  const laterMs = 1000 * Number(response.headers.get("retry-after"));
  const stream = `retry: ${spread(Math.max(REFUSED_RETRY_MS, laterMs))}\n: ${code}\n`;
  return new Response(stream, { headers: { ...HEADERS, "x-dormouse-error": code } });
}

/**
 * Resolves once all rooms are open. Rejects with the error of a room that refuses, so that the refusal is the answer.
 * The stream ends with the request's signal, its reader, or any of its rooms.
 */
export async function formattedStream(
  options: StreamOptions,
  { method, signal }: Request,
): Promise<Response> {
  // Hono answers HEAD as GET and drops the body without cancelling it: its rooms would never be closed.
  if (method === "HEAD") return new Response(null, { headers: HEADERS });
  const stream = new EventStream(options);
  signal.addEventListener("abort", () => stream.end());
  await stream.begin();
  if (signal.aborted) stream.end();
  return new Response(stream.readable, { headers: HEADERS });
}

/** Like `formattedStream`, with the records of rooms in their default form. */
export const eventStream = (
  options: Omit<StreamOptions, "format">,
  request: Request,
): Promise<Response> => formattedStream({ ...options, format: ROOM_EVENTS }, request);

interface StreamOptions {
  readonly sources: readonly RoomSource[];
  readonly frames: FrameCache;
  /** The part of the hub's limits that streams need. */
  readonly limits: Pick<Limits, "streamSeconds">;
  readonly format: EventFormat;
}

/** The default form of a room's records: named after the client methods. */
const ROOM_EVENTS: EventFormat = { encoding: "sse", eventOf };

/**
 * The position to resume from, as text; empty without one. The header counts first: it is newer than a page's query.
 */
export function lastEventId(request: Request): string {
  return (
    request.headers.get("last-event-id") ?? urlOf(request).searchParams.get("lastEventId") ?? ""
  );
}

/**
 * States: opening, open, over. The reader, the request's signal, a room and the queue's limit may each end it, in any
 * order; only a room's end and the limit also end the response, because the others have ended it themselves.
 */
class EventStream implements RoomStreamFormat {
  readonly encoding: string;
  readonly readable: ReadableStream<Uint8Array>;
  readonly #rooms: RoomStream;
  readonly #isSingle: boolean;
  readonly #format: EventFormat;
  #controller!: ReadableStreamDefaultController<Uint8Array>;
  /** The timer of comments; in a full stream the one that discards unread data. */
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** May be set before all rooms are open. */
  #isOver = false;
  /** The stream ended because the queue was full; the queued data may still be read. */
  #isFull = false;
  /** When the stream ends at the latest, in milliseconds since 1970. */
  readonly #endsAt: number;

  constructor({ sources, frames, format, limits }: StreamOptions) {
    this.#endsAt = endOfStream(limits, Date.now());
    this.encoding = format.encoding;
    this.#format = format;
    this.#isSingle = sources.length === 1;
    this.#rooms = new RoomStream({ sources, frames, format: this });
    this.readable = new ReadableStream(
      {
        start: (controller) => void (this.#controller = controller),
        pull: () => this.#closeWhenRead(),
        cancel: () => this.end(),
      },
      new ByteLengthQueuingStrategy({ highWaterMark: QUEUED_BYTES }),
    );
  }

  /**
   * The retry time comes first, so that it counts even if a room ends the stream at once. It is in the same block as
   * the first event: some readers take a block without data for an event with empty data.
   */
  async begin(): Promise<void> {
    this.#writeText(`retry: ${spread(RETRY_MS)}\n`);
    try {
      await this.#rooms.begin();
    } catch (error) {
      this.end();
      throw error;
    }
    if (!this.#isOver) this.#timer = setInterval(() => this.#comment(), COMMENT_MS);
  }

  /** At the stream's end its reader reconnects by itself, and resumes after the last event. */
  #comment(): void {
    if (Date.now() < this.#endsAt) return this.#writeText(":\n");
    this.end();
    this.#controller.close();
  }

  /**
   * A record that cannot be turned into an event is logged and left out: otherwise it would end the stream again
   * whenever the reader resumes before it.
   */
  encode(delivery: RoomDelivery): Uint8Array | undefined {
    try {
      const text = this.#textOf(delivery);
      return text === undefined ? undefined : asBytes(text);
    } catch (error) {
      const { room, record } = delivery;
      logError("event_failed", { room, method: record.method, stream: this.encoding, error });
      return undefined;
    }
  }

  /** A record that does not change the position has no id: no reader can resume after it. */
  #textOf(delivery: RoomDelivery): string | undefined {
    const event = this.#format.eventOf(delivery);
    const id = delivery.after === undefined ? undefined : this.#id(delivery);
    return event && eventText(event, id);
  }

  /** The event's id: the position of the one room, or the positions of all rooms. */
  #id({ after }: RoomDelivery): string | undefined {
    return this.#isSingle ? after : formatPositions(this.#rooms.positions);
  }

  /** Ends the stream, because it would look complete without the room. The last event names the room that ended. */
  ended(end: RoomEnd): void {
    this.#writeText(`event: end\ndata: ${JSON.stringify(end)}\n\n`);
    // The write may have filled the queue, after which the stream ends once the queued data is read.
    if (this.#isOver) return;
    this.end();
    this.#controller.close();
  }

  #writeText(text: string): void {
    this.write(asBytes(text));
  }

  /**
   * There is no back-pressure on the rooms: beyond the queue's limit the stream ends. The reader still gets the queued
   * data, so that it resumes later in the log: a replay may be larger than the queue.
   */
  write(bytes: Uint8Array): void {
    if ((this.#controller.desiredSize ?? 0) < 0) return this.#endFull();
    this.#controller.enqueue(bytes);
  }

  /** Ends a full stream after a time: a reader that has gone unnoticed must not keep the queue in memory for ever. */
  #endFull(): void {
    this.end();
    this.#isFull = true;
    const dropped = new HubError("rate_limited", "The reader is too slow.");
    this.#timer = setTimeout(() => this.#controller.error(dropped), LEFTOVER_MS);
  }

  /** Called when the reader has taken data. Closes a full stream only once it is read: a closed one cannot fail. */
  #closeWhenRead(): void {
    if (!this.#isFull || (this.#controller.desiredSize ?? 0) < QUEUED_BYTES) return;
    this.end();
    this.#controller.close();
  }

  /** Closes the rooms, but not the response: that is up to its reader or the caller. May be called again. */
  end(): void {
    this.#isOver = true;
    clearInterval(this.#timer ?? null);
    this.#rooms.end();
  }
}

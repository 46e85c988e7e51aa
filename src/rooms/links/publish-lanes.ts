// Publications of this object in rooms elsewhere. One call to a room at a time; publications meanwhile go with the
// next.
//
//   · Publications to one room arrive in the order of `publish`. Between rooms there is no order.
//   · Each has an id, so that a call that fails on its way may be repeated: the room publishes an id once.
//   · If this object follows the room, the room's answer may have the entries that this object lacks. They are
//     delivered before the publications resolve.
//   · A publication is in memory until it has arrived: a crash of this object loses it, and its caller's promise.

import { HubError, publicError } from "../../model/errors.ts";
import { formatTopic, type Position, type Topic } from "../../model/topic.ts";
import type { Connection } from "../connection/connection.ts";
import { charsOf } from "../../protocols/json.ts";
import { checkDraft } from "../delivery/outbox.ts";
import { errorOf } from "../rpc/fault.ts";
import type { Draft } from "../rpc/log-entry.ts";
import type { PublishOutcomes, RoomRpc } from "../rpc/room-rpc.ts";
import { callOnce, publishOnce } from "../rpc/retry-once.ts";
import type { FollowedRooms } from "./followed-rooms.ts";

interface PendingPublication {
  readonly draft: Draft;
  resolve(position: Position): void;
  reject(error: unknown): void;
}

/** The publications to one room. */
interface Lane {
  readonly queue: PendingPublication[];
  running: Promise<void> | undefined;
  /** Resolves when the newest publication has arrived, or failed. Never rejects. */
  last: Promise<unknown>;
}

/** The most publications of one call. */
const BATCH = 500;
/** The most characters of one call: an RPC takes 32 MiB, and a character may have two bytes. */
const BATCH_CHARS = 4 * 1024 * 1024;
/** The most publications in a queue, and characters in all: rooms that do not answer must not fill the memory. */
const QUEUE_SIZE = 10_000;
const ALL_CHARS = 48 * 1024 * 1024;

const RESOLVED = Promise.resolve();

/** Takes as many publications from the queue as fit into a call; at least one. */
function takeBatch(lane: Lane): PendingPublication[] {
  let size = 0;
  const end = lane.queue.findIndex(
    ({ draft }, index) => index >= BATCH || ((size += charsOf(draft)) > BATCH_CHARS && index > 0),
  );
  return lane.queue.splice(0, end < 0 ? lane.queue.length : end);
}

interface PublishLanesOptions {
  /** Bytes of a message at most. */
  readonly publishBytes: number;
  /** The rooms that this object follows. */
  readonly followed: Pick<FollowedRooms, "deliver" | "followerIn" | "undelivered">;
  /** A fresh stub. */
  room(topic: Topic): Pick<RoomRpc, "info" | "publish" | "publishAll" | "publishAs">;
  waitUntil(work: Promise<unknown>): void;
}

export class PublishLanes {
  readonly #options: PublishLanesOptions;
  readonly #lanes = new Map<string, Lane>();
  /** Characters of publications that have not arrived, in all queues and under way. */
  #chars = 0;

  constructor(options: PublishLanesOptions) {
    this.#options = options;
  }

  /** Rejects with the room's error, and with `rate_limited` if the queue is full. */
  publish(topic: Topic, draft: Draft, caller?: Connection): Promise<Position> {
    return this.#delivered(topic, { draft, caller }, this.#enqueue(topic, draft));
  }

  /** Resolves when the caller's own copy is delivered; if it gets none, when the room has the publication. */
  #delivered(
    topic: Topic,
    { draft, caller }: { readonly draft: Draft; readonly caller: Connection | undefined },
    published: Promise<Position>,
  ): Promise<Position> {
    if (!caller || draft.except?.includes(caller.id)) return published;
    return this.#options.followed.undelivered.add(caller, formatTopic(topic), published);
  }

  #enqueue(topic: Topic, draft: Draft): Promise<Position> {
    const length = charsOf(draft);
    const room = formatTopic(topic);
    const lane: Lane = this.#lanes.get(room) ?? { queue: [], running: undefined, last: RESOLVED };
    if (lane.queue.length >= QUEUE_SIZE || (this.#chars > 0 && this.#chars + length > ALL_CHARS))
      return Promise.reject(new HubError("rate_limited", "The room is too slow."));
    this.#lanes.set(room, lane);
    this.#chars += length;
    const arrival = new Promise<Position>((resolve, reject) => {
      // With an id a second attempt is harmless: the room publishes an id once.
      const id = draft.id ?? crypto.randomUUID();
      lane.queue.push({ draft: { ...draft, id }, resolve, reject });
      lane.running ??= this.#run(topic, lane);
    });
    lane.last = arrival.catch(() => {});
    return arrival;
  }

  /** The same by a separate call, after all earlier publications of this object in the room. */
  async publishAndSave(topic: Topic, draft: Draft, caller?: Connection): Promise<Position> {
    checkDraft(draft, this.#options.publishBytes);
    await this.settled(topic);
    const { room, waitUntil } = this.#options;
    const publish = () => publishOnce({ topic, room, waitUntil }, (to) => to.publish(draft));
    const published = callOnce(publish);
    return this.#delivered(topic, { draft, caller }, published);
  }

  /** Resolves when all publications so far have arrived in the room, so that readers find their own messages. */
  async settled(topic: Topic): Promise<void> {
    await this.#lanes.get(formatTopic(topic))?.last;
  }

  async #run(topic: Topic, lane: Lane): Promise<void> {
    while (lane.queue.length > 0) {
      // Waits until the loop has drained, because each frame of a burst is a separate event. At rest it is at once.
      // oxlint-disable-next-line no-await-in-loop -- one call at a time keeps the order
      await scheduler.wait(0);
      // oxlint-disable-next-line no-await-in-loop
      await this.#send(topic, takeBatch(lane));
    }
    lane.running = undefined;
    this.#lanes.delete(formatTopic(topic));
  }

  async #send(topic: Topic, batch: readonly PendingPublication[]): Promise<void> {
    try {
      const drafts = batch.map(({ draft }) => draft);
      const outcomes = await this.#publishAll(topic, drafts);
      for (const [index, { resolve, reject }] of batch.entries()) {
        const outcome = outcomes[index]!;
        if ("code" in outcome) reject(errorOf(outcome));
        else resolve(outcome);
      }
    } catch (error) {
      for (const { reject } of batch) reject(error);
    } finally {
      for (const { draft } of batch) this.#chars -= charsOf(draft);
    }
  }

  /** The second attempt needs a fresh stub: a stub whose object was reset is broken for good. */
  async #publishAll(topic: Topic, drafts: readonly Draft[]): Promise<PublishOutcomes> {
    try {
      return await this.#publishOnce(topic, drafts);
    } catch (error) {
      if (publicError(error).code !== "internal") throw error;
      return callOnce(() => this.#publishOnce(topic, drafts));
    }
  }

  async #publishOnce(topic: Topic, drafts: readonly Draft[]): Promise<PublishOutcomes> {
    const { followed, room } = this.#options;
    const follower = followed.followerIn(topic);
    if (!follower) return room(topic).publishAll(drafts);
    const [outcomes, delivery] = await room(topic).publishAs(follower, drafts);
    // A delivery with a gap before it is dropped: the room sends it again, because nothing confirms it.
    if (delivery) followed.deliver(delivery);
    return outcomes;
  }
}

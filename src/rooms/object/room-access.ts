// Access of hub code and clients to rooms of this hub: to the object's own room by a function call, to others by RPC or
// over follow links.

import { HubError } from "../../model/errors.ts";
import { formatTopic, type Position, type Topic } from "../../model/topic.ts";
import { limitsOf } from "../connection/connection-limits.ts";
import type { Connection } from "../connection/connection.ts";
import type { Cause } from "../links/follow-tables.ts";
import { hasState, joinWithState, sendMissed } from "../links/state-joins.ts";
import { countReplay } from "../observe/counters.ts";
import { unlessRefused } from "../rpc/fault.ts";
import type { HistoryQuery, HistoryView } from "../rpc/log-entry.ts";
import type { PresenceQuery, PresenceView } from "../rpc/presence-view.ts";
import { retryOnce } from "../rpc/retry-once.ts";
import type { RoomRpc } from "../rpc/room-rpc.ts";
import type { ReplayOutcome, RoomAccess } from "./host.ts";
import type { LocalRoom } from "./local-room.ts";
import type { ObjectParts } from "./object-parts.ts";

export class ObjectRooms implements RoomAccess {
  readonly #parts: ObjectParts;
  readonly #roomOf: (connection: Connection) => Topic;

  /** `roomOf` gives the room that a connection is attached to. */
  constructor(parts: ObjectParts, roomOf: (connection: Connection) => Topic) {
    this.#parts = parts;
    this.#roomOf = roomOf;
  }

  async join(connection: Connection, topic: Topic, cause: Cause = "hub"): Promise<void> {
    if (this.#own(topic)) return;
    const request = { topic, most: this.#mostRooms(connection), cause };
    if (hasState(this.#parts, topic)) await joinWithState(this.#parts, connection, request);
    else await this.#parts.followed.join(connection, request);
  }

  /** The replay is queued in the call of `deliver`, before any live message that follows it. */
  async joinWithReplay(connection: Connection, topic: Topic, since: Position | undefined) {
    const { activity, followed } = this.#parts;
    const request = { topic, since, most: this.#mostRooms(connection), cause: "client" } as const;
    let outcome: ReplayOutcome | undefined;
    await followed.joinWithReplay(connection, request, (missed) => {
      const { position, recovered, entries } = missed;
      sendMissed(this.#parts, connection, { room: formatTopic(topic), missed });
      const state = missed.state?.text.length ?? 0;
      const chars = entries.reduce((sum, { params }) => sum + params.length, state);
      outcome = { position, recovered, replayed: entries.length, chars };
      if (since) countReplay(activity.counters, recovered, entries.length);
    });
    return outcome!;
  }

  /** The user's own room is one more; a token may have put the connection into more rooms than it may join. */
  checkCount(connection: Connection, rooms: number): void {
    const most = this.#mostRooms(connection);
    const present = this.#parts.followed.causesOf(connection).size;
    if (rooms > Math.max(most + 1, present))
      throw new HubError(
        "too_many_groups",
        `A request names ${most} rooms at most (limits.groupsPerConnection).`,
      );
  }

  #mostRooms(connection: Connection): number {
    return limitsOf(connection, this.#parts.settings.limits).groupsPerConnection;
  }

  async leave(connection: Connection, topic: Topic): Promise<void> {
    if (this.#own(topic) || formatTopic(topic) === formatTopic(this.#roomOf(connection)))
      throw new HubError(
        "invalid_request",
        "The connection is attached to that room: to leave, close it.",
      );
    await this.#parts.followed.leave(connection, topic);
  }

  async history(topic: Topic, query: HistoryQuery, reader?: Connection): Promise<HistoryView> {
    const own = this.#own(topic);
    if (own) return own.history(query);
    const view = await this.#elsewhere(topic, (room) => room.history(query));
    const { undelivered } = this.#parts.followed;
    if (reader) await undelivered.delivered(reader, formatTopic(topic), view.position);
    return view;
  }

  async presence(topic: Topic, query: PresenceQuery): Promise<PresenceView> {
    const own = this.#own(topic);
    return own ? own.presence(query) : this.#elsewhere(topic, (room) => room.presence(query));
  }

  async track(userId: string, topic: Topic, state: unknown): Promise<void> {
    const own = this.#own(topic);
    if (own) return own.track(userId, state);
    unlessRefused(await this.#elsewhere(topic, (room) => room.track(userId, state)));
  }

  /**
   * Calls a room elsewhere, after all publications of this object have arrived there, so that readers find their own
   * messages. The call may be repeated.
   */
  async #elsewhere<T>(topic: Topic, call: (room: RoomRpc) => Promise<T>): Promise<T> {
    await this.#parts.lanes().settled(topic);
    return retryOnce(() => call(this.#parts.room(topic)));
  }

  /** This object's own room if the topic is its topic. */
  #own(topic: Topic): LocalRoom | undefined {
    const { own } = this.#parts;
    return own && formatTopic(topic) === own.name ? own : undefined;
  }
}

// Where a room view is in its room, among other views of the same room on the hub's connection, which receives each
// message once for all of them.

import { isAfter } from "../model/topic.ts";
import type { RoomText } from "./model/room-address.ts";
import type { Joined } from "./scope/hub-scope.ts";

/** The members of a `HubConnection` that a position needs. */
interface Hub {
  positionOf(room: RoomText): string | undefined;
  join(room: RoomText, since?: string): Promise<Joined>;
}

/** The number of views of each room, by the hub's connection: those that are open, or were closed during their join. */
const views = new WeakMap<Hub, Map<string, number>>();

export class ViewedPosition {
  readonly #hub: Hub;
  readonly #room: RoomText;
  /** The position of the newest message that this view received; at first that of the application's own state. */
  #since: string | undefined;
  /** Whether the view has everything from the application's position to `#since`. */
  #isWhole: boolean;
  #isJoined = false;

  constructor(hub: Hub, room: RoomText, since: string | undefined) {
    this.#hub = hub;
    this.#room = room;
    this.#since = since;
    this.#isWhole = since !== undefined;
    this.count(1);
  }

  get current(): string | undefined {
    return this.#hub.positionOf(this.#room) ?? this.#since;
  }

  get #isAlone(): boolean {
    return this.count(0) === 1;
  }

  /**
   * `recovered` is about the view's own position: what the connection has received before, perhaps by the join of
   * another view, does not come again.
   */
  async join(): Promise<Joined> {
    const at = this.#hub.positionOf(this.#room);
    this.#isWhole &&= at === undefined ? this.#isAlone : !isAfter(at, this.#since);
    const joined = await this.#hub.join(this.#room, this.current);
    this.#isJoined = true;
    return { ...joined, recovered: joined.recovered && this.#isWhole };
  }

  /** To be called for each message of the room. */
  receive(position: string | undefined): void {
    this.#isWhole &&= this.#isJoined || this.#isAlone;
    this.#since = position;
  }

  /** Changes the number of the room's views, and returns the new number. */
  count(change: number): number {
    const ofHub = views.get(this.#hub) ?? new Map<string, number>();
    views.set(this.#hub, ofHub);
    const now = (ofHub.get(this.#room) ?? 0) + change;
    if (now === 0) ofHub.delete(this.#room);
    else ofHub.set(this.#room, now);
    return now;
  }
}

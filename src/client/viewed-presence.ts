// The presence of a room that is viewed on the socket of a whole hub: loaded when the application first reads it, and
// then kept up to date by the room's messages.

import type { AnyHub } from "../dispatch/define/hub-definition.ts";
import type { PresenceStateOf } from "../dispatch/define/hub-types.ts";
import type { HubConnection } from "./client-connection.ts";
import type { RoomText } from "./model/room-address.ts";
import {
  applyChange,
  EMPTY_PRESENCE,
  presenceOf,
  type Presence,
  type PresenceChange,
} from "./model/room-presence.ts";
import { emitter } from "./platform/emitter.ts";
import { readInTurn } from "./read-lane.ts";

export class ViewedPresence<H extends AnyHub> {
  readonly #hub: HubConnection<H>;
  readonly #room: RoomText;
  current = EMPTY_PRESENCE as Presence<PresenceStateOf<H>>;
  /** Emits every new value of `current`. */
  readonly changes = emitter<Presence<PresenceStateOf<H>>>();
  #isRead = false;
  #isOpen = false;
  /** Changes since the newest request, whose answer may be older than these. Applying a change twice has no effect. */
  #since: PresenceChange[] | undefined;

  constructor(hub: HubConnection<H>, room: RoomText) {
    this.#hub = hub;
    this.#room = room;
  }

  /** Called when the application reads the presence: loads it now, or when the room is joined. */
  load(): void {
    if (this.#isRead) return;
    this.#isRead = true;
    void this.#request();
  }

  /** Called when the room is joined, for the first time or after a loss: changes arrive from now on. */
  open(): void {
    this.#isOpen = true;
    void this.#request();
  }

  /** Called when the view is closed: no further request is made. */
  close(): void {
    this.#isOpen = false;
    this.#since = undefined;
  }

  /** Ignores failures: either the connection is lost, and `open` is called again, or the user has no right. */
  async #request(): Promise<void> {
    if (!this.#isRead || !this.#isOpen) return;
    const since: PresenceChange[] = (this.#since = []);
    const isWanted = () => this.#since === since;
    const read = () => this.#hub.presencePage(this.#room);
    const page = await readInTurn(this.#hub, read, { isWanted }).catch(() => undefined);
    if (!isWanted()) return;
    this.#since = undefined;
    if (page) this.#replace(since.reduce(applyChange, presenceOf(page)));
  }

  apply(change: PresenceChange): void {
    this.#since?.push(change);
    if (this.#isRead && this.#isOpen && !this.#since)
      this.#replace(applyChange(this.current, change));
  }

  #replace(presence: Presence): void {
    this.current = presence as Presence<PresenceStateOf<H>>;
    this.changes.emit(this.current);
  }
}

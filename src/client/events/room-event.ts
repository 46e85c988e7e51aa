// What `events` gives, as types.

import type { AnyHub } from "../../dispatch/define/hub-definition.ts";
import type { ClientOf } from "../../dispatch/define/hub-types.ts";
import type { HubError } from "../../model/errors.ts";
import type { HandlersOf } from "../connect-options.ts";
import type { PresenceChange } from "../scope/room-presence.ts";
import type { Hello } from "../transport/wire.ts";

/** `method` tells what the hub says, `type` all the rest; one look at either is enough. */
export type RoomEvent<H extends AnyHub> =
  | SaidEvent<H>
  | HelloEvent
  | ResetEvent
  | PresenceEvent
  | ReconnectingEvent;

/** Something the hub says to its clients. */
export type SaidEvent<H extends AnyHub> = {
  readonly [K in keyof ClientOf<H> & string]: {
    readonly type: "message";
    readonly method: K;
    readonly params: Parameters<NonNullable<HandlersOf<H>[K]>>;
    /** Where it was said; absent where it was said to this client, or heard from elsewhere. */
    readonly room?: string;
    readonly position?: string;
    readonly id: string;
  };
}[keyof ClientOf<H> & string];

/** What no hub says: `method` and `params` can be asked for all the same. */
interface OwnEvent {
  readonly method?: undefined;
  readonly params?: undefined;
}

interface PlacedEvent extends OwnEvent {
  readonly room: string;
  /** Where the client stands in the room. */
  readonly position: string;
  /** The same of all rooms of the stream: another that begins with it (`since`) goes on from here. */
  readonly id: string;
}

/** The stream has begun in a room, `connected`; or goes on there, with all that was missed: `recovered`. */
export interface HelloEvent extends PlacedEvent {
  readonly type: "connected" | "recovered";
  readonly hello: Hello;
}

/** Messages of this room may be missing: load its state anew. */
export interface ResetEvent extends OwnEvent {
  readonly type: "reset";
  readonly room: string;
  readonly id: string;
  /** Where the client stands now; absent, with the hello, where the stream goes on as it was. */
  readonly position?: string;
  readonly hello?: Hello;
}

/** Who came and went. `connected` says who was there; what is replayed after `recovered` is older than its hello. */
export interface PresenceEvent extends PlacedEvent {
  readonly type: "presence";
  readonly change: PresenceChange;
}

/** The stream was lost, or an attempt failed; another follows. */
export interface ReconnectingEvent extends OwnEvent {
  readonly type: "reconnecting";
  readonly error: HubError;
  /** Milliseconds since 1970. */
  readonly retryAt: number;
}

/** The same without the hub's types, as it is made. */
export type AnyRoomEvent =
  | HelloEvent
  | ResetEvent
  | PresenceEvent
  | ReconnectingEvent
  | {
      readonly type: "message";
      readonly method: string;
      readonly params: readonly unknown[];
      readonly room?: string;
      readonly position?: string;
      readonly id: string;
    };

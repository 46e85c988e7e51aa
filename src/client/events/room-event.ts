// The types of the events that `events` yields.

import type { AnyHub } from "../../dispatch/define/hub-definition.ts";
import type { ClientOf, RoomOf, ViewOf } from "../../dispatch/define/hub-types.ts";
import type { HubError } from "../../model/errors.ts";
import type { HandlersOf } from "../model/client-handlers.ts";
import type { PresenceChange } from "../model/room-presence.ts";
import type { Hello } from "../transport/wire.ts";

/** An event of a room. Narrow it by `method` for messages of the hub, and by `type` for all events. */
export type RoomEvent<H extends AnyHub> =
  | SaidEvent<H>
  | HelloEvent
  | ResetEvent
  | PresenceEvent
  | ([RoomOf<H>] extends [never] ? never : StateEvent<H>)
  | ReconnectingEvent;

/** A message of the hub: one of its client methods, with its arguments. */
export type SaidEvent<H extends AnyHub> = {
  readonly [K in keyof ClientOf<H> & string]: {
    readonly type: "message";
    readonly method: K;
    readonly params: Parameters<NonNullable<HandlersOf<H>[K]>>;
    /** Absent for a message to this client only, or from the user's own room or the whole hub. */
    readonly room?: string;
    /** `epoch:offset`. Present with `room`. */
    readonly position?: string;
    /** The positions in all rooms of the stream after this event. */
    readonly id: string;
  };
}[keyof ClientOf<H> & string];

/** Events that are not messages. `method` and `params` exist as undefined, so that code may test them on any event. */
interface ProtocolEvent {
  readonly method?: undefined;
  readonly params?: undefined;
}

interface PositionedEvent extends ProtocolEvent {
  readonly room: string;
  /** The reader's position in the room after this event, `epoch:offset`. */
  readonly position: string;
  /** The positions in all rooms of the stream: as `since` of another iteration, it resumes after this event. */
  readonly id: string;
}

/** The stream of a room has begun (`connected`), or resumes without a missed message (`recovered`). */
export interface HelloEvent extends PositionedEvent {
  readonly type: "connected" | "recovered";
  readonly hello: Hello;
}

/** Messages of this room may be missing: the application has to load its state again. */
export interface ResetEvent extends ProtocolEvent {
  readonly type: "reset";
  readonly room: string;
  readonly id: string;
  /** The reader's new position. Absent, like `hello`, for a followed room: then the stream continues unchanged. */
  readonly position?: string;
  readonly hello?: Hello;
}

/**
 * Users joined, left or tracked a state, relative to the presence in the `connected` event. Changes replayed after
 * `recovered` are older than the presence in that event.
 */
export interface PresenceEvent extends PositionedEvent {
  readonly type: "presence";
  readonly change: PresenceChange;
}

/**
 * A room's state has changed. `patch` is a merge patch (RFC 7396): `applyPatch` of `dormouse-hubs/state`. `state`, here
 * or in a `hello`, replaces the copy.
 */
export type StateEvent<H extends AnyHub> = ProtocolEvent & {
  readonly type: "state";
  readonly room: string;
  /** `epoch:offset` in the room. */
  readonly position: string;
  readonly id: string;
} & (
    | { readonly patch: unknown; readonly state?: never }
    | { readonly state: ViewOf<H>; readonly patch?: never }
  );

/** The stream was lost, or an attempt failed. The next attempt starts at `retryAt`. */
export interface ReconnectingEvent extends ProtocolEvent {
  readonly type: "reconnecting";
  readonly error: HubError;
  /** Milliseconds since 1970. */
  readonly retryAt: number;
}

/** A `RoomEvent` of any hub, as the reader makes it. */
export type AnyRoomEvent =
  | HelloEvent
  | ResetEvent
  | PresenceEvent
  | StateEvent<AnyHub>
  | ReconnectingEvent
  | {
      readonly type: "message";
      readonly method: string;
      readonly params: readonly unknown[];
      readonly room?: string;
      readonly position?: string;
      readonly id: string;
    };

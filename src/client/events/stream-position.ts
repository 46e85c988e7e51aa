// The position of a reader in each room of its stream, and the events that move it. An event's id has the positions in
// all rooms after this event. An event does not name its room: that is the one whose position its id advances. Pure.

import type { EventSourceMessage } from "eventsource-parser";
import { HubError } from "../../model/errors.ts";
import type { StateChange } from "../../model/state-wire.ts";
import { isAfter, parsePosition } from "../../model/topic.ts";
import type { PresenceChange } from "../model/room-presence.ts";
import type { Hello } from "../transport/wire.ts";
import type { AnyRoomEvent, HelloEvent, ResetEvent } from "./room-event.ts";

/** The server's last event: the reason why it ends the stream. The application does not get it as an event. */
export interface EndEvent {
  readonly room: string;
  /** A close code, as in `CLOSE`. */
  readonly code: number;
  readonly reason: string;
}

export class StreamPosition {
  /** The room to which a position without a room's name belongs. */
  readonly #firstRoom: string;
  readonly #positions: Map<string, string>;

  /** `since` is a position (`epoch:offset`) of the first room, or an event's id. Throws `invalid_position`. */
  constructor(rooms: readonly string[], since = "") {
    this.#firstRoom = rooms[0] ?? "";
    this.#positions = new Map(since === "" ? [] : this.#parse(since));
  }

  /** The value of `Last-Event-ID`: `room=epoch:offset;…` with encoded names. Empty before a room's first greeting. */
  get id(): string {
    const parts = [...this.#positions].map(
      ([room, position]) => `${encodeURIComponent(room)}=${position}`,
    );
    return parts.join(";");
  }

  #parse(id: string): [room: string, position: string][] {
    const firstRoom = encodeURIComponent(this.#firstRoom);
    const parts = id.includes("=") ? id.split(";") : [`${firstRoom}=${id}`];
    return parts.map((part) => {
      const [room = "", position = ""] = part.split("=");
      parsePosition(position);
      return [roomNamed(room), position];
    });
  }

  /**
   * Converts a message, and records its positions. Undefined for a message received before, and for an event name of a
   * newer server. Throws if the data or the id is malformed.
   */
  eventOf({ event, id, data }: EventSourceMessage): AnyRoomEvent | EndEvent | undefined {
    const value = JSON.parse(data) as unknown;
    // The hub's own messages have an array of arguments. Their method may have any name, even that of an event below.
    if (Array.isArray(value)) return this.#message(event ?? "message", value, id);
    if (event === "connected" || event === "recovered" || event === "reset")
      return this.#greeting(event, value as Hello, id);
    if (event === "presence") return this.#presence(value as PresenceChange, id);
    if (event === "state") return this.#state(value as StateData, id);
    return event === "end" ? (value as EndEvent) : undefined;
  }

  /** A message without an id has no position here: it was sent to this client only, or comes from a followed room. */
  #message(method: string, params: unknown[], id: string | undefined): AnyRoomEvent | undefined {
    if (id === undefined) return { type: "message", method, params, id: this.id };
    const origin = this.#advance(id);
    return origin && { type: "message", method, params, ...origin };
  }

  #presence(change: PresenceChange, id: string | undefined): AnyRoomEvent | undefined {
    const origin = id === undefined ? undefined : this.#advance(id);
    return origin && { type: "presence", change, ...origin };
  }

  /** A state change without an id comes from a followed room. */
  #state(
    { room, position, ...change }: StateData,
    id: string | undefined,
  ): AnyRoomEvent | undefined {
    const origin = id === undefined ? { room, position, id: this.id } : this.#advance(id);
    return origin && ({ type: "state", ...change, ...origin } as AnyRoomEvent);
  }

  /** Each event advances one room. Undefined if it advances none: the event was received before. */
  #advance(id: string): Origin | undefined {
    const newer = this.#parse(id).find(([room, position]) =>
      isAfter(position, this.#positions.get(room)),
    );
    if (!newer) return undefined;
    const [room, position] = newer;
    return this.#record(room, position);
  }

  /** Unlike other events, a greeting may also set a position back, when the room has a new epoch. */
  #greeting(type: GreetingType, hello: Hello, id: string | undefined): AnyRoomEvent | undefined {
    const { room } = hello;
    // A reset without an id: messages of a followed room were lost on the way.
    if (id === undefined) return type === "reset" ? { type, room, id: this.id } : undefined;
    const position = new Map(this.#parse(id)).get(room);
    if (position === undefined)
      throw new HubError("malformed", `${id} has no position in ${room}.`);
    const origin = this.#record(room, position);
    return { type, ...origin, hello } as HelloEvent | ResetEvent;
  }

  #record(room: string, position: string): Origin {
    this.#positions.set(room, position);
    return { room, position, id: this.id };
  }
}

/** The room's name in a part of an id. Throws `invalid_position`. */
function roomNamed(encoded: string): string {
  try {
    return decodeURIComponent(encoded);
  } catch {
    throw new HubError("invalid_position", "An event's id is room=epoch:offset, separated by ;.");
  }
}

type StateData = StateChange & Pick<Origin, "room" | "position">;

type GreetingType = "connected" | "recovered" | "reset";

interface Origin {
  readonly room: string;
  readonly position: string;
  readonly id: string;
}

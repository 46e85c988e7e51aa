// Where a reader of events stands in the rooms of its stream, and what an event is: an id says where one stands after
// it in every room, so what it moves says of which room it is. Pure.

import type { EventSourceMessage } from "eventsource-parser";
import { HubError } from "../../model/errors.ts";
import { parsePosition } from "../../model/position.ts";
import type { PresenceChange } from "../scope/room-presence.ts";
import { isAfter } from "../../model/position.ts";
import type { AnyRoomEvent, HelloEvent, ResetEvent } from "./room-event.ts";
import type { Hello } from "../transport/wire.ts";

/** What a reader does not hear as an event. */
export interface Ended {
  readonly room: string;
  readonly code: number;
  readonly reason: string;
}

export class Standing {
  /** The room of an id that names none. */
  readonly #single: string;
  readonly #positions: Map<string, string>;

  /** `since` is a position of the first room, or the id of an event. Throws `invalid_position`. */
  constructor(rooms: readonly string[], since = "") {
    this.#single = rooms[0] ?? "";
    this.#positions = new Map(since === "" ? [] : this.#read(since));
  }

  /** As the server reads it; empty before the first room has said hello. */
  get id(): string {
    const parts = [...this.#positions].map(([room, at]) => `${encodeURIComponent(room)}=${at}`);
    return parts.join(";");
  }

  #read(id: string): [room: string, position: string][] {
    const parts = id.includes("=") ? id.split(";") : [`${encodeURIComponent(this.#single)}=${id}`];
    return parts.map((part) => {
      const [room = "", position = ""] = part.split("=");
      parsePosition(position);
      return [decodeURIComponent(room), position];
    });
  }

  /** Undefined for what was heard before, and for words that are not known here. Throws where it makes no sense. */
  hear({ event, id, data }: EventSourceMessage): AnyRoomEvent | Ended | undefined {
    const said = JSON.parse(data) as unknown;
    if (Array.isArray(said)) return this.#said(event ?? "message", said, id);
    if (event === "connected" || event === "recovered" || event === "reset")
      return this.#begun(event, said as Hello, id);
    if (event === "presence") return this.#presence(said as PresenceChange, id);
    return event === "end" ? (said as Ended) : undefined;
  }

  #said(method: string, params: unknown[], id: string | undefined): AnyRoomEvent | undefined {
    // Said to this client, or elsewhere: it has no place here.
    if (id === undefined) return { type: "message", method, params, id: this.id };
    const place = this.#move(id);
    return place && { type: "message", method, params, ...place };
  }

  #presence(change: PresenceChange, id: string | undefined): AnyRoomEvent | undefined {
    const place = id === undefined ? undefined : this.#move(id);
    return place && { type: "presence", change, ...place };
  }

  /** Of all rooms only one has moved; one that has not, or has moved back, was heard before. */
  #move(id: string): Place | undefined {
    const moved = this.#read(id).find(([room, to]) => isAfter(to, this.#positions.get(room)));
    if (!moved) return undefined;
    const [room, position] = moved;
    return this.#stand(room, position);
  }

  #begun(type: Beginning, hello: Hello, id: string | undefined): AnyRoomEvent | undefined {
    const { room } = hello;
    // A room that this client follows from elsewhere has lost something on the way.
    if (id === undefined) return type === "reset" ? { type, room, id: this.id } : undefined;
    const position = new Map(this.#read(id)).get(room);
    if (position === undefined) throw new HubError("malformed", `${id} says nothing of ${room}.`);
    const place = this.#stand(room, position);
    return { type, ...place, hello } as HelloEvent | ResetEvent;
  }

  #stand(room: string, position: string): Place {
    this.#positions.set(room, position);
    return { room, position, id: this.id };
  }
}

type Beginning = "connected" | "recovered" | "reset";

interface Place {
  readonly room: string;
  readonly position: string;
  readonly id: string;
}

// A whole hub: the rooms a client has joined by itself. It joins them again whenever it comes back, from where it stands
// in each.

import { HubError } from "../../model/errors.ts";
import { isAfter } from "../../model/position.ts";
import { formatTopic, parseTopic } from "../../model/topic.ts";
import type { RoomText } from "./room-address.ts";
import type { Around, Place } from "./scope.ts";
import type { Frame } from "../transport/wire.ts";

/** Where a client stands in a room that it has just joined. */
export interface Joined {
  /** `epoch:offset`. */
  readonly position: string;
  /** All that was said there since the position it came with was replayed. */
  readonly recovered: boolean;
  readonly replayed: number;
}

/** Rooms asked for in one message: with the longest names they fit into it. */
const ROOMS_A_MESSAGE = 25;

export class HubPlace implements Place {
  readonly #around: Around;
  /** The newest of each room that was heard, joined by the client or not. */
  readonly #heard = new Map<string, string>();
  /** What this user shows in each room that the client has joined; undefined: nothing. */
  readonly #joined = new Map<string, unknown>();
  /** Together in one frame, where there is a reason for several. */
  readonly query = { arrays: "1" };

  constructor(around: Around) {
    this.#around = around;
  }

  positionOf(room: RoomText): string | undefined {
    return this.#heard.get(canonical(room));
  }

  /** What is replayed comes before the answer. */
  async join(name: RoomText, since?: string): Promise<Joined> {
    const room = canonical(name);
    const joined = (await this.#around.ask("$/join", { room, since })) as Joined;
    this.#stands(room, joined.position);
    this.#joined.set(room, this.#joined.get(room));
    return joined;
  }

  async leave(name: RoomText): Promise<void> {
    const room = canonical(name);
    this.#joined.delete(room);
    await this.#around.ask("$/leave", { room });
    this.#heard.delete(room);
  }

  /** `undefined`: nothing any more. */
  async track(name: RoomText, state: unknown): Promise<void> {
    const room = canonical(name);
    if (this.#joined.has(room)) this.#joined.set(room, state);
    await this.#around.ask(state === undefined ? "$/untrack" : "$/track", { room, state });
  }

  greet(): void {
    // Rooms that hub code had put the last connection into are no rooms of this one.
    for (const room of this.#heard.keys()) if (!this.#joined.has(room)) this.#heard.delete(room);
    const rooms = [...this.#joined.keys()];
    for (let at = 0; at < rooms.length; at += ROOMS_A_MESSAGE)
      void this.#resume(rooms.slice(at, at + ROOMS_A_MESSAGE));
  }

  async #resume(names: readonly string[]): Promise<void> {
    const rooms = Object.fromEntries(names.map((room) => [room, this.#heard.get(room)]));
    try {
      const answers = (await this.#around.ask("$/resume", { rooms })) as Record<string, Resumed>;
      for (const [room, answer] of Object.entries(answers)) this.#resumed(room, answer);
    } catch (error) {
      // Lost again, and the next connection asks again; or told, and then these rooms are not heard.
      this.#around.failed(error as HubError);
    }
  }

  #resumed(room: string, answer: Resumed): void {
    if ("error" in answer) return this.#lost(room, answer.error);
    this.#stands(room, answer.position);
    if (answer.recovered) this.#around.recovered({ room, replayed: answer.replayed });
    else this.#around.reload({ room });
    const state = this.#joined.get(room);
    if (state !== undefined) this.track(room as RoomText, state).catch(this.#around.failed);
  }

  /** The room does not let this client in any more, and will not by asking again. */
  #lost(room: string, { code, message }: Fault): void {
    this.forget(room);
    this.#around.failed(new HubError<string>(code, `${room}: ${message}`));
  }

  forget(room: string): void {
    this.#joined.delete(room);
    this.#heard.delete(room);
  }

  /** What came since the room gave its answer may be here already. */
  #stands(room: string, position: string): boolean {
    const isNew = isAfter(position, this.#heard.get(room));
    if (isNew) this.#heard.set(room, position);
    return isNew;
  }

  hears({ room, position }: Frame): boolean {
    return room === undefined || position === undefined || this.#stands(room, position);
  }
}

/** As the server names it, whatever form it was typed in. Throws `invalid_name` and `room_kind_not_found`. */
const canonical = (room: string): string => formatTopic(parseTopic(room));

type Fault = Pick<HubError, "code" | "message">;
type Resumed = Joined | { readonly error: Fault };

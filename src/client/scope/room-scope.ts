// One room, for a connection that came for it: where the client stands there, and who else is there.

import { signal } from "../session/emitter.ts";
import { Attendance } from "./presence-tracker.ts";
import type { Around, Place } from "./scope.ts";
import type { Presence, PresenceChange } from "./room-presence.ts";
import { Resume } from "./resume.ts";
import type { Frame, Greeting, Hello } from "../transport/wire.ts";

export class RoomPlace implements Place {
  readonly #around: Around;
  readonly #resume: Resume;
  readonly attendance: Attendance;
  readonly presence = signal<Presence>();

  constructor(around: Around, since: string | undefined) {
    this.#around = around;
    this.#resume = new Resume(since);
    this.attendance = new Attendance({ ask: around.ask, changed: this.presence.emit });
  }

  get position(): string | undefined {
    return this.#resume.position;
  }

  get query() {
    return this.#resume.query;
  }

  greet(greeting: Greeting): void {
    const hello = greeting as Hello;
    const outcome = this.#resume.greet(hello);
    const { room, replayed } = hello;
    this.attendance.greet(hello);
    if (outcome === "recovered") this.#around.recovered({ room, replayed });
    if (outcome === "reload") this.#around.reload({ room });
  }

  /** Rooms beside its own are not resumed. */
  forget(): void {}

  hears({ method, params, room, position }: Frame): boolean {
    // What is replayed of presence is older than what `$/connected` said.
    const isOld = this.#resume.isReplaying;
    if (room !== undefined && position !== undefined && !this.#resume.hears(room, position))
      return false;
    if (method === "$/presence" && room === this.#resume.room && !isOld)
      this.attendance.change(params as PresenceChange);
    return true;
  }
}

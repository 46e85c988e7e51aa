// The scope of a connection to one room: its position there, and the room's presence.

import type { PresenceChange } from "../model/room-presence.ts";
import type { Frame, Hello } from "../transport/wire.ts";
import { PresenceTracker } from "./presence-tracker.ts";
import { Resume } from "./resume.ts";
import type { Scope, ScopeHost } from "./scope.ts";

export class RoomScope implements Scope {
  readonly #host: ScopeHost;
  readonly #resume: Resume;
  readonly presence: PresenceTracker;

  constructor(host: ScopeHost, since: string | undefined) {
    this.#host = host;
    this.#resume = new Resume(since);
    this.presence = new PresenceTracker(host);
  }

  get position(): string | undefined {
    return this.#resume.position;
  }

  get query() {
    return this.#resume.query;
  }

  /** Presence is replaced before the listeners learn whether messages were missed. */
  greet(hello: Hello): void {
    const { room, replayed } = hello;
    const isRecovered = this.#resume.greet(hello);
    this.presence.greet(hello);
    if (isRecovered) this.#host.onRecovered({ room, replayed });
    if (isRecovered === false) this.#host.onReload({ room });
  }

  /** No effect: other rooms than the connection's own are joined by calls, and never resumed. */
  forget(): void {}

  accept({ method, params, room, position }: Frame): boolean {
    // Presence changes in a replay are older than the presence in the greeting, so they must not be applied to it.
    // Read before the frame is recorded: recording the last message of a replay ends the replay.
    const { isReplaying } = this.#resume;
    if (room && position && !this.#resume.accept(room, position)) return false;
    if (method === "$/presence" && room === this.#resume.room && !isReplaying)
      this.presence.apply(params as PresenceChange);
    return true;
  }
}

// The presence of the connection's room, and the state that this user tracks there.

import {
  applyChange,
  EMPTY_PRESENCE,
  presenceOf,
  type Presence,
  type PresenceChange,
} from "../model/room-presence.ts";
import { emitter } from "../platform/emitter.ts";
import type { Hello } from "../transport/wire.ts";
import type { ScopeHost } from "./scope.ts";

export class PresenceTracker {
  readonly #host: Pick<ScopeHost, "call">;
  current: Presence = EMPTY_PRESENCE;
  /** Emits every new value of `current`. */
  readonly changes = emitter<Presence>();
  /** The state to show in the room. It survives a lost connection; undefined for none. */
  #state: unknown;

  constructor(host: Pick<ScopeHost, "call">) {
    this.#host = host;
  }

  /** Takes the presence from the greeting, and tracks the state again if the room no longer has it. */
  greet({ present, userId }: Hello): void {
    this.#replace(presenceOf(present));
    const state = this.current.members.get(userId)?.state;
    if (this.#state === undefined || JSON.stringify(state) === JSON.stringify(this.#state)) return;
    // The user was away for longer than the server's grace period. A failure needs no handling: it means that the
    // connection is lost, and `greet` is called again after the next one.
    this.track(this.#state).catch(() => {});
  }

  apply(change: PresenceChange): void {
    this.#replace(applyChange(this.current, change));
  }

  #replace(presence: Presence): void {
    this.current = presence;
    this.changes.emit(presence);
  }

  /** The state is remembered even if the call fails. */
  async track(state: unknown): Promise<void> {
    this.#state = state;
    await this.#host.call("$/track", { state });
  }

  async untrack(): Promise<void> {
    this.#state = undefined;
    await this.#host.call("$/untrack", {});
  }
}

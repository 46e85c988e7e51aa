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
  readonly #host: ScopeHost;
  current: Presence = EMPTY_PRESENCE;
  /** Emits every new value of `current`. */
  readonly changes = emitter<Presence>();
  /** The state to show in the room. It survives a lost connection; undefined for none. */
  #state: unknown;

  constructor(host: ScopeHost) {
    this.#host = host;
  }

  /** Takes the presence from the greeting, and tracks the state again if the room no longer has it. */
  greet({ present, userId }: Hello): void {
    this.#replace(presenceOf(present));
    const state = this.current.members.get(userId)?.state;
    if (this.#state === undefined || JSON.stringify(state) === JSON.stringify(this.#state)) return;
    // The user was away for longer than the server's grace period.
    this.#restore();
  }

  /** Repeats a temporary refusal. After a loss `greet` is called again. */
  #restore(): void {
    this.track(this.#state).catch((error) => this.#host.retry(() => this.#restore(), error));
  }

  apply(change: PresenceChange): void {
    this.#replace(applyChange(this.current, change));
  }

  #replace(presence: Presence): void {
    this.current = presence;
    this.changes.emit(presence);
  }

  /**
   * Without a `state`, untracks. The state is remembered even if the call fails. A call that waited for a connection is
   * sent after those that listeners make at its greeting, so that the newest state is sent once more.
   */
  async track(state?: unknown): Promise<void> {
    const isLate = !this.#host.isConnected();
    this.#state = state;
    await this.#host.call(state === undefined ? "$/untrack" : "$/track", { state });
    if (isLate) await this.track(this.#state);
  }
}

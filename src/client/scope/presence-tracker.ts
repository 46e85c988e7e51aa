// The room's presence as this connection sees it, and what its own user shows there.

import {
  afterChange,
  NOBODY,
  presenceOf,
  type Presence,
  type PresenceChange,
} from "./room-presence.ts";
import type { Hello } from "../transport/wire.ts";

export interface AttendanceOptions {
  readonly ask: (method: string, query: object) => Promise<unknown>;
  readonly changed: (presence: Presence) => void;
}

export class Attendance {
  readonly #options: AttendanceOptions;
  presence: Presence = NOBODY;
  /** Undefined: nothing. */
  #tracked: unknown;

  constructor(options: AttendanceOptions) {
    this.#options = options;
  }

  greet({ present, userId }: Hello): void {
    this.#show(presenceOf(present));
    const shown = this.presence.members.get(userId)?.state;
    if (this.#tracked === undefined || JSON.stringify(shown) === JSON.stringify(this.#tracked))
      return;
    // The user had left for longer than the grace. If this fails, the connection is lost again, and it comes again.
    this.track(this.#tracked).catch(() => {});
  }

  change(change: PresenceChange): void {
    this.#show(afterChange(this.presence, change));
  }

  #show(presence: Presence): void {
    this.presence = presence;
    this.#options.changed(presence);
  }

  async track(state: unknown): Promise<void> {
    this.#tracked = state;
    await this.#options.ask("$/track", { state });
  }

  async untrack(): Promise<void> {
    this.#tracked = undefined;
    await this.#options.ask("$/untrack", {});
  }
}

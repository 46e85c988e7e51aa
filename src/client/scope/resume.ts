// Where the client stands in its rooms: what it says when it comes back, what it has heard already. No sockets here.

import { isAfter } from "../../model/position.ts";
import type { Hello } from "../transport/wire.ts";

/** `reload`: messages may be missing, and the application must load its state anew. */
export type Outcome = "first" | "recovered" | "reload";

interface Replay {
  /** Messages still to come. */
  left: number;
  /** Where the client stands after the last of them: what it was not to hear lies in between. */
  readonly hello: Hello;
}

export class Resume {
  #room = "";
  /** The newest of each room; those of joined rooms end with their connection. */
  #heard = new Map<string, string>();
  #previous: string | undefined;
  #replay: Replay | undefined;
  readonly #since: string | undefined;

  /** `since` is where the application's own state stands, if it comes with one. */
  constructor(since?: string) {
    this.#since = since;
  }

  /** Its own, as the server writes it; empty before the first hello. */
  get room(): string {
    return this.#room;
  }

  get position(): string | undefined {
    return this.#heard.get(this.#room) ?? this.#since;
  }

  /** What the next attempt says of itself. */
  get query(): { since: string | undefined; connection: string | undefined } {
    return { since: this.position, connection: this.#previous };
  }

  get isReplaying(): boolean {
    return this.#replay !== undefined;
  }

  greet(hello: Hello): Outcome {
    const before = this.position;
    this.#room = hello.room;
    this.#heard = new Map();
    if (!hello.recovered || before === undefined) {
      this.#settle(hello);
      return before === undefined ? "first" : "reload";
    }
    this.#heard.set(hello.room, before);
    this.#replay = { left: hello.replayed, hello };
    if (hello.replayed === 0) this.#settle(hello);
    return "recovered";
  }

  /**
   * The previous connection counts until its replay is heard: what that one was not to hear may lie in what is asked
   * for once more.
   */
  #settle({ room, position, connectionId }: Hello): void {
    this.#replay = undefined;
    this.#heard.set(room, position);
    this.#previous = connectionId;
  }

  /** Whether this is news; what is not was heard before. */
  hears(room: string, position: string): boolean {
    const isNew = isAfter(position, this.#heard.get(room));
    if (isNew) this.#heard.set(room, position);
    if (room === this.#room && this.#replay && --this.#replay.left <= 0)
      this.#settle(this.#replay.hello);
    return isNew;
  }
}

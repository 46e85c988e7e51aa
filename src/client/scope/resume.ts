// Positions of a connection to one room: the parameters with which it resumes, and which messages are duplicates.
// Pure: it has no socket and no timer.

import { isAfter } from "../../model/topic.ts";
import type { Hello } from "../transport/wire.ts";

interface Replay {
  /** Number of messages still to come. */
  left: number;
  /** The greeting; its position applies after the last replayed message, since excluded messages leave gaps. */
  readonly hello: Hello;
}

export class Resume {
  #room = "";
  /** The newest position received of each room. Those of joined rooms end with their connection. */
  #positions = new Map<string, string>();
  #previousId: string | undefined;
  #replay: Replay | undefined;
  readonly #since: string | undefined;

  /** `since` is the position of the application's own state (`epoch:offset`), if it has one. */
  constructor(since?: string) {
    this.#since = since;
  }

  /** The connection's room, as the server spells its name. Empty before the first greeting. */
  get room(): string {
    return this.#room;
  }

  get position(): string | undefined {
    return this.#positions.get(this.#room) ?? this.#since;
  }

  /** Query parameters of the next attempt: the position to resume from, and the id of the connection to replace. */
  get query(): { since: string | undefined; connection: string | undefined } {
    return { since: this.position, connection: this.#previousId };
  }

  get isReplaying(): boolean {
    return this.#replay !== undefined;
  }

  /**
   * Returns whether everything after the position is replayed; undefined at the start, without a position. False: messages
   * may be missing, and the application must load its state again.
   */
  greet(hello: Hello): boolean | undefined {
    const since = this.position;
    const isRecovered = since === undefined ? since : hello.recovered;
    this.#room = hello.room;
    this.#positions = new Map(isRecovered ? [[hello.room, since!]] : []);
    this.#replay = { left: hello.replayed, hello };
    if (hello.replayed === 0) this.#settle(hello);
    return isRecovered;
  }

  /**
   * Called after the replay: only then the new connection's id replaces the previous one. If the replay breaks off, the
   * next attempt names the previous connection again, because the rest may have messages that excluded it.
   */
  #settle({ room, position, connectionId }: Hello): void {
    this.#replay = undefined;
    this.#positions.set(room, position);
    this.#previousId = connectionId;
  }

  /** Records a message. Returns false for a position received before; such a message still counts for the replay. */
  accept(room: string, position: string): boolean {
    const isNew = isAfter(position, this.#positions.get(room));
    if (isNew) this.#positions.set(room, position);
    if (room === this.#room && this.#replay && --this.#replay.left <= 0)
      this.#settle(this.#replay.hello);
    return isNew;
  }
}

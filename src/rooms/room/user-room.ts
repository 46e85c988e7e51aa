// A user's own room, which objects with connections of the user follow only once the room is in use. Most users never
// get a message as users: for them there is neither a room nor a link to it, and a connect costs neither.
//
//   · The first publication puts the room in use: the user's account stores that, and makes every object with
//     connections of the user follow the room. Objects that admit the user later get it with the account's answer. Only
//     then the publication is numbered, so that it reaches all connections that were admitted before.
//   · A read of its presence puts it in use only while the user has a connection: reads of other rooms store nothing.
//   · The room's end puts it out of use. Each use has an id, so that the end of one cannot end the next. The id is kept
//     until the account has answered: an end that failed is tried again, also after a sleep.

import type { AccountRpc } from "../rpc/account-rpc.ts";
import type { KeyValues } from "../../model/stored-values.ts";
import { randomId } from "../rpc/object-names.ts";
import { retryOnce } from "../rpc/retry-once.ts";

interface UserRoomOptions {
  readonly kv: KeyValues;
  readonly hub: string;
  /** A fresh stub of the user's account. */
  account(): Pick<AccountRpc, "useRoom" | "disuseRoom">;
}

const KEY = "use";

/** The id of the use; in `ended` if the account may not know of its end yet. */
type Use = string | { readonly ended: string };

export class UserRoom {
  readonly #options: UserRoomOptions;
  #isUsed: boolean;
  /** The last call to the account; there is one at a time. */
  #asked: Promise<unknown> = Promise.resolve();
  #using: Promise<void> | undefined;

  constructor(options: UserRoomOptions) {
    this.#options = options;
    this.#isUsed = typeof options.kv.get<Use>(KEY) === "string";
  }

  /**
   * Resolves when every connection of the user gets the room's later publications; undefined if that is so already.
   * Rejects with `unavailable` if the account, or an object with connections, cannot be reached.
   */
  use(): Promise<void> | undefined {
    if (this.#isUsed) return undefined;
    this.#using ??= this.#ask(false).finally(() => (this.#using = undefined));
    return this.#using;
  }

  /** Like `use`, before a read: stores nothing for a user without connections. */
  async look(): Promise<void> {
    if (!this.#isUsed) await (this.#using ?? this.#ask(true));
  }

  #ask(ifConnected: boolean): Promise<void> {
    const { account, hub, kv } = this.#options;
    return this.#next(async () => {
      if (this.#isUsed) return;
      const id = randomId();
      if (!(await retryOnce(() => account().useRoom(hub, { id, ifConnected })))) return;
      kv.put(KEY, id);
      this.#isUsed = true;
    });
  }

  /**
   * Called before the room's storage is deleted. Stores the end first, so that a publication meanwhile calls the
   * account again. Rejects with the account's error; may be repeated.
   */
  async disuse(): Promise<void> {
    const { account, hub, kv } = this.#options;
    const use = kv.get<Use>(KEY);
    if (use === undefined) return;
    const ended = typeof use === "string" ? use : use.ended;
    kv.put(KEY, { ended });
    this.#isUsed = false;
    await this.#next(() => account().disuseRoom(hub, ended));
    if (!this.#isUsed) kv.delete(KEY);
  }

  #next<T>(call: () => Promise<T>): Promise<T> {
    const answer = this.#asked.then(call, call);
    this.#asked = answer.catch(() => {});
    return answer;
  }
}

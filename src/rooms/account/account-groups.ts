// The rooms of a hub that a user's connections belong to: groups that services have put the user into, and the user's
// own room while it is in use. Saved for later connections, and applied to open ones by commands.

import type { RoomUse } from "../rpc/account-rpc.ts";
import type { Command, Selection } from "../rpc/command.ts";
import type { AccountStore } from "./account-store.ts";

interface GroupsOptions {
  readonly store: AccountStore;
  /** Sets the account's alarm for what has changed. */
  arm(): void;
  tidyLater(): void;
  /** Runs commands on the user's connections of a hub; gives how many there are. */
  command(hub: string, selection: Selection, commands: readonly Command[]): Promise<number>;
}

export class AccountGroups {
  readonly #options: GroupsOptions;

  constructor(options: GroupsOptions) {
    this.#options = options;
  }

  /**
   * Connections of the user join the group, those of now and, unless the time to live is 0, each that begins until it
   * has passed (default: a year). Saved first: where this throws, connections that begin later join all the same.
   */
  async add(hub: string, group: string, ttlSeconds?: number): Promise<void> {
    if (ttlSeconds !== 0) this.#options.store.addGroup({ hub, group, ttlSeconds }, Date.now());
    this.#options.arm();
    const given = ttlSeconds === 0 ? {} : ({ given: true } as const);
    await this.#options.command(hub, {}, [{ type: "join", room: `group:${group}`, ...given }]);
  }

  async remove(hub: string, group: string): Promise<void> {
    this.#options.store.removeGroup(hub, group);
    await this.#options.command(hub, {}, [{ type: "leave", room: `group:${group}` }]);
  }

  async removeAll(hub: string): Promise<void> {
    for (const group of this.#options.store.groups(hub, Date.now()))
      this.#options.store.removeGroup(hub, group);
    await this.#options.command(hub, {}, [{ type: "leaveGroups" }]);
  }

  /** By a saved membership, or because a connection is in the group now. */
  async has(hub: string, group: string): Promise<boolean> {
    if (this.#options.store.groups(hub, Date.now()).includes(group)) return true;
    return (await this.#options.command(hub, { room: `group:${group}` }, [])) > 0;
  }

  /** Saved first: an object that is not listed yet learns of it from the answer of `admit`. */
  async useRoom(hub: string, { id, ifConnected }: RoomUse): Promise<boolean> {
    const { command, store } = this.#options;
    if (ifConnected && (await command(hub, {}, [])) === 0) return false;
    store.useRoom(hub, id);
    await command(hub, {}, [{ type: "ownRoom" }]);
    return true;
  }

  async disuseRoom(hub: string, id: string): Promise<void> {
    const { store, tidyLater } = this.#options;
    if (store.roomUse(hub) !== id) return;
    store.disuseRoom(hub);
    tidyLater();
  }
}

// The rooms that all of a user's connections to a hub join: groups that services have put the user into, and the user's
// own room while it is in use. They are saved for later connections, and applied to open ones by commands.

import type { RoomUse } from "../rpc/account-rpc.ts";
import type { Command, Selection } from "../rpc/command.ts";
import type { AccountStore } from "./account-store.ts";

interface GroupsOptions {
  readonly store: AccountStore;
  /** Sets the account's alarm after a change. */
  arm(): void;
  tidyLater(): void;
  /** Runs commands on the user's connections of a hub; returns how many there are. */
  command(hub: string, selection: Selection, commands: readonly Command[]): Promise<number>;
}

export class AccountGroups {
  readonly #options: GroupsOptions;

  constructor(options: GroupsOptions) {
    this.#options = options;
  }

  /**
   * Joins the user's present connections to the group, and later ones until the time to live has passed (default: a
   * year; 0: none). Saved first: if this throws, later connections join nevertheless.
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

  /** Whether the user has a saved membership, or a connection in the group now. */
  async has(hub: string, group: string): Promise<boolean> {
    if (this.#options.store.groups(hub, Date.now()).includes(group)) return true;
    return (await this.#options.command(hub, { room: `group:${group}` }, [])) > 0;
  }

  /** Saves the use first: an object that is not listed yet gets it in the answer of `admit`. */
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

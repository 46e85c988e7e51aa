// The groups of a hub that services have put a user into: saved for connections that begin later, and told to those that
// are open.

import type { Command, Selection } from "../rpc/command.ts";
import type { AccountStore } from "./account-store.ts";

interface GroupsOptions {
  readonly store: AccountStore;
  /** Sets the account's alarm for what has changed. */
  arm(): void;
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
}

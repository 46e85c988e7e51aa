// The connections of one object by user, so that work for one user does not search all connections.

import { accountOf, type AccountUser } from "../../model/user.ts";

interface OfUser {
  readonly user: AccountUser;
}

export class ConnectionsByUser<C extends OfUser> {
  /** By account; guests also by their own id, because a service may name either. */
  readonly #byName = new Map<string, Set<C>>();

  add(connection: C): void {
    for (const name of namesOf(connection.user)) {
      const named = this.#byName.get(name);
      if (named) named.add(connection);
      else this.#byName.set(name, new Set([connection]));
    }
  }

  remove(connection: C): void {
    for (const name of namesOf(connection.user)) {
      const named = this.#byName.get(name);
      if (named?.delete(connection) && named.size === 0) this.#byName.delete(name);
    }
  }

  /** Connections with this name: the id of a user, or an account of guests. A live set. */
  named(name: string): ReadonlySet<C> {
    return this.#byName.get(name) ?? NONE;
  }

  /** How many connections the account of this user has. */
  countOf(user: AccountUser): number {
    return this.named(accountOf(user)).size;
  }
}

const NONE: ReadonlySet<never> = new Set();

/** The names of a user. A fresh token does not change them. */
function namesOf(user: AccountUser): readonly string[] {
  const account = accountOf(user);
  return account === user.id ? [account] : [account, user.id];
}

// What the storage of users' accounts holds at its newest version, and how an older one becomes it
// (docs/design/storage.md).

import type { Migration, StorageSchema } from "../platform/storage-version.ts";

/** In order of versions, from 2 on. */
export const ACCOUNT_MIGRATIONS: readonly Migration[] = [];

/** Keys of a user begin with `user/`, the user's id with `/` and `%` escaped, and `/`; account-store.ts writes them. */
export const ACCOUNT_SCHEMA: StorageSchema = {
  tables: {},
  keys: [
    // Objects that may hold connections of the user.
    "user/*/object *",
    // How often the rules have changed; tokens that were revoked one by one, or by time; a ban.
    ...["user/*/changes", "user/*/jti *", "user/*/before", "user/*/ban"],
    // Groups that services have put the user into, and whether there ever was one.
    ...["user/*/grouped", "user/*/group *"],
    // account-object.ts: when something is due for the user.
    "due/*",
  ],
};

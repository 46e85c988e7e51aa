// The storage of users' accounts: its schema at the newest version, and the migrations to it (docs/design/storage.md).

import type { Migration, StorageSchema } from "../platform/storage-version.ts";

/** In order of versions, from 2 on. */
export const ACCOUNT_MIGRATIONS: readonly Migration[] = [];

/** Keys of a user begin with `user/`, the user's id with `/` and `%` escaped, and `/`; account-store.ts writes them. */
export const ACCOUNT_SCHEMA: StorageSchema = {
  tables: {},
  keys: [
    // Objects that may hold connections of the user.
    "user/*/object *",
    // Version of the rules; tokens revoked by id; by time of issue, and the end of that; a ban.
    ...["user/*/changes", "user/*/jti *", "user/*/before", "user/*/ends", "user/*/ban"],
    // Whether the user was ever in a group, and memberships.
    ...["user/*/grouped", "user/*/group *"],
    // The use of the user's own room of a hub.
    "user/*/use *",
    // account-object.ts: when the alarm of the user's account is due.
    "due/*",
  ],
};

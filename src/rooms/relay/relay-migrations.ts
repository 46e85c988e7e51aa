// The storage of a relay: its schema at the newest version, and the migrations to it (docs/design/storage.md).

import { OBJECT_SCHEMA } from "../object/object-schema.ts";
import type { Migration, StorageSchema } from "../platform/storage-version.ts";

/** In order of versions, from 2 on. */
export const RELAY_MIGRATIONS: readonly Migration[] = [];

export const RELAY_SCHEMA: StorageSchema = {
  tables: {
    ...OBJECT_SCHEMA.tables,
    // connection/resumable-rows.ts: connections that survive their sockets, and frames that wait for a
    // confirmation.
    resumables: ["connection", "attached", "received", "confirmed", "away"],
    unconfirmed: ["connection", "last", "first", "frame"],
    // remembered-groups.ts: clients that name themselves, and the groups of those whose connections have ended.
    clients: ["connection", "user", "client"],
    remembered: ["user", "client", "room", "position", "until", "connection", "granted"],
  },
  keys: [
    ...OBJECT_SCHEMA.keys,
    // seats.ts: the key that signs tokens, grants of webhooks until their clients connect, and when it was full.
    ...["seat-key", "grant:*", "full-at"],
  ],
};

// The storage of a room: its schema at the newest version, and the migrations to it (docs/design/storage.md).

import { OBJECT_SCHEMA } from "../object/object-schema.ts";
import type { Migration, StorageSchema } from "../platform/storage-version.ts";

/** In order of versions, from 2 on. */
export const ROOM_MIGRATIONS: readonly Migration[] = [];

export const ROOM_SCHEMA: StorageSchema = {
  tables: {
    ...OBJECT_SCHEMA.tables,
    // log/sqlite-log.ts: batches of publications.
    log: ["slot", "first", "last", "at", "messages", "before", "entries"],
    // room/follower-rows.ts: objects that follow the room, and how many connections of each user they have.
    followers: ["follower", "user", "connections"],
    // presence/presence-announcer.ts: users whose join was published.
    present: ["user", "since", "state"],
    // hub-index.ts, in a hub's `all` room: the last report of each room and relay.
    seen: [
      ...["name", "at", "sockets", "connections", "users", "weight", "wake"],
      ...["counted", "total"],
    ],
  },
  keys: [
    ...OBJECT_SCHEMA.keys,
    // log/open-log.ts: the log's epoch, and whether publications are in memory only.
    ...["epoch", "unsaved"],
    // room/follower-rows.ts: the offset that every follower has reached; -1 where a wake resets them.
    "settled",
    // hub-index.ts: the totals of the hub's counters.
    "totals",
  ],
};

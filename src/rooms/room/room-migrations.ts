// The storage of a room: its schema at the newest version, and the migrations to it (docs/design/storage.md).

import type { Topic } from "../../model/topic.ts";
import { OBJECT_SCHEMA } from "../object/object-schema.ts";
import { hasTable, type Migration, type StorageSchema } from "../platform/storage-version.ts";
import { COLUMNS } from "./index-rows.ts";

/** In order of versions, from 2 on. Each is also in `INDEX_MIGRATIONS`, with the next version there. */
export const ROOM_MIGRATIONS: readonly Migration[] = [];

/**
 * For a hub's `all` room. Only this room has an index; it has version numbers of its own, so that other rooms need not
 * be migrated when the index changes.
 */
export const INDEX_MIGRATIONS: readonly Migration[] = [
  {
    version: 2,
    up: (storage) => {
      if (!hasTable(storage, "seen")) return;
      storage.sql.exec("ALTER TABLE seen ADD COLUMN bytes INTEGER");
      storage.sql.exec("ALTER TABLE seen ADD COLUMN rows INTEGER");
    },
  },
  {
    version: 3,
    up: (storage) => {
      if (hasTable(storage, "seen")) storage.sql.exec("ALTER TABLE seen ADD COLUMN state INTEGER");
    },
  },
];

export const ROOM_SCHEMA: StorageSchema = {
  tables: {
    ...OBJECT_SCHEMA.tables,
    // log/sqlite-log.ts: batches of publications.
    log: ["slot", "first", "last", "at", "messages", "before", "entries"],
    // room/follower-rows.ts: objects that follow the room, and how many connections of each user they have.
    followers: ["follower", "user", "connections"],
    // presence/presence-announcer.ts: users whose join was published.
    present: ["user", "since", "state"],
    // rooms/state, in rooms with state: checkpoint, answers of runs, schedule, messages on their way elsewhere.
    room_state: ["id", "version", "offset", "saved", "json"],
    room_runs: ["slot", "at", "json"],
    room_schedule: ["id", "at", "failures", "json"],
    room_outgoing: ["offset", "json"],
    // room/retention.ts: since when something is stored that the deploy does not know.
    room_retention: ["id", "since", "at"],
    // hub-index.ts, in a hub's `all` room: the last report of each room and relay.
    seen: ["name", ...COLUMNS],
  },
  keys: [
    ...OBJECT_SCHEMA.keys,
    // log/open-log.ts: the log's epoch, and whether publications are in memory only.
    ...["epoch", "unsaved"],
    // The same file: the room has a state, and its log keeps no entries.
    "unlogged",
    // room/follower-rows.ts: the offset that every follower has reached; -1 if a wake must reset them.
    "settled",
    // rooms/state: how many statements of the hub's `tables` were run; an erasure that is to be saved elsewhere.
    ...["tables", "state-erased"],
    // room/user-room.ts: of a user's own room, the id of its use, or of one that has ended.
    "use",
    // hub-index.ts: the totals of the hub's counters; until when objects that report are requested to follow.
    ...["totals", "asksReporters"],
  ],
};

export const migrationsOf = ({ kind }: Topic): readonly Migration[] =>
  kind === "all" ? INDEX_MIGRATIONS : ROOM_MIGRATIONS;

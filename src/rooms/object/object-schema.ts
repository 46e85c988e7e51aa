// The tables and keys that rooms and relays have in common. A migration of one of these tables is in the lists of both.

import type { StorageSchema } from "../platform/storage-version.ts";

export const OBJECT_SCHEMA: StorageSchema = {
  tables: {
    // links/follow-tables.ts: which connections are in which rooms elsewhere, and why.
    joins: ["room", "connection", "user", "cause"],
    // links/follow-tables.ts: rooms that this object follows, and its position in each.
    follows: ["room"],
    stands: ["room", "epoch", "offset"],
    // observe/webhook-events.ts: connections that were reported as connected.
    reported: ["connection", "data"],
    // webhooks/webhook-queue.ts: events that the receiver has not acknowledged.
    webhooks: ["number", "at", "id", "count", "size", "events"],
  },
  keys: [
    // observe/activity-reports.ts: the last report to the hub's index.
    "told",
    // links/follow-tables.ts: followed rooms that may not know the members.
    "unreported",
    // webhooks/webhook-sender.ts: the state of retries.
    "webhook-retry",
  ],
};

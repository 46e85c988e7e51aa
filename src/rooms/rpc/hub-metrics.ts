// Answers of a hub's index (room/hub-index.ts).

import type { CounterSnapshot, Stored } from "./activity-report.ts";

/** A room or relay in the index. */
export interface RoomListing {
  /** A topic, or `relay:` and a relay's name. */
  readonly room: string;
  readonly connections: number;
  readonly users: number;
  /** When its newest report came, milliseconds since 1970. */
  readonly at: number;
}

export interface RoomsQuery {
  /** Beginning of the topics. */
  readonly prefix?: string;
  /** The last room of the page before. */
  readonly after?: string;
  readonly limit?: number;
}

export interface RoomsView {
  /** Ordered by name. */
  readonly rooms: readonly RoomListing[];
  /** Whether more rooms come after the last one. */
  readonly more: boolean;
}

/** Metrics of one room, or of several: sockets now, and counters, which only grow. */
export interface RoomMetrics {
  /** The name in the index; `other` for all rooms without metrics of their own. */
  readonly room: string;
  readonly sockets: number;
  readonly counted: CounterSnapshot;
}

/** Storage of all objects of a hub that have reported within a day. */
export interface StoredInHub extends Stored {
  readonly objects: number;
  /** Webhook events that wait after a failed attempt, and the age of the oldest. Absent in answers before it. */
  readonly waiting?: number;
  readonly waitingSeconds?: number;
}

export interface HubMetrics {
  readonly rooms: readonly RoomMetrics[];
  readonly totals: Omit<RoomMetrics, "room">;
  /** Absent in answers of an index with older code. */
  readonly stored?: StoredInHub;
}

// What a hub's index answers.

import type { CounterSnapshot } from "./activity-report.ts";

/** A room or relay as the index knows it. */
export interface RoomListing {
  /** A topic, or `relay:` and a relay's name. */
  readonly room: string;
  readonly connections: number;
  readonly users: number;
  /** When it was last heard of, milliseconds since 1970. */
  readonly at: number;
}

export interface RoomsQuery {
  readonly prefix?: string;
  /** The last of the page before. */
  readonly after?: string;
  readonly limit?: number;
}

export interface RoomsView {
  /** By name. */
  readonly rooms: readonly RoomListing[];
  readonly more: boolean;
}

/** Figures of one room, or of many: sockets now, and what was counted. */
export interface RoomMetrics {
  /** `other`: all that have no line of their own. */
  readonly room: string;
  readonly sockets: number;
  readonly counted: CounterSnapshot;
}

export interface HubMetrics {
  readonly rooms: readonly RoomMetrics[];
  readonly totals: Omit<RoomMetrics, "room">;
}

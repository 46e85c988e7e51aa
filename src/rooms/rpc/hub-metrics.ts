// What a hub's index answers.

import type { Counted } from "./activity-report.ts";

/** A room or relay as the index knows it. */
export interface Listed {
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
  readonly rooms: readonly Listed[];
  readonly more: boolean;
}

/** Figures of one room, or of many: sockets now, and what was counted. */
export interface Measured {
  /** `other`: all that have no line of their own. */
  readonly room: string;
  readonly sockets: number;
  readonly counted: Counted;
}

export interface HubMetrics {
  readonly rooms: readonly Measured[];
  readonly totals: Omit<Measured, "room">;
}

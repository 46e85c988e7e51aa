// The reports of objects to their hub's index, which is in the hub's `all` room.

/** Counters of one wake of an object. Absolute since the wake, so that reporting them twice changes nothing. */
export interface CounterSnapshot {
  /** Messages of clients, without pings. */
  readonly in: number;
  /** Messages to clients, each counted once for every connection that receives it. */
  readonly out: number;
  /** Bytes; a character of a text frame counts as one. */
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** Recoveries that were whole … */
  readonly replays: number;
  /** … and the messages that they replayed. */
  readonly replayed: number;
  readonly wakes: number;
  /** Refusals by their stable code. */
  readonly refusals: Readonly<Record<string, number>>;
  /**
   * Connections that our own client began, by its version. Absent in reports of objects before this counter, which
   * indexes have stored.
   */
  readonly clients?: Readonly<Record<string, number>>;
  /**
   * Runs of actions by their outcome: `done`, `repeated`, a code, or `unsaved` for a save elsewhere. Absent as
   * `clients`.
   */
  readonly runs?: Readonly<Record<string, number>>;
  /** Webhook events and failed attempts, as `WebhookCount` of webhooks/webhook-sender.ts. Absent as `clients`. */
  readonly webhooks?: Readonly<Record<string, number>>;
  /**
   * Milliseconds from a message's publication to its delivery to sockets of this object, and from a call to its answer,
   * as `DurationCounts` of platform/histogram.ts. Absent as `clients`.
   */
  readonly deliveries?: Readonly<Record<string, number>>;
  readonly calls?: Readonly<Record<string, number>>;
}

/** Sockets, connections and users now. */
export interface Occupancy {
  /** Sockets of this object. */
  readonly sockets: number;
  /** Connections in the room, in whichever object. */
  readonly connections: number;
  readonly users: number;
  /** Absent unless the last attempt to send webhook events has failed. */
  readonly waiting?: WaitingEvents | undefined;
}

/** Webhook events that wait for the next attempt. */
export interface WaitingEvents {
  readonly events: number;
  /** When the oldest was queued, milliseconds since 1970. */
  readonly since: number;
}

/** The storage of an object. */
export interface Stored {
  /** The size of its file. */
  readonly bytes: number;
  /** Of its tables, as they were counted last; keys are not counted. */
  readonly rows: number;
  /** Bytes of the room's state as JSON, as of its last checkpoint. Absent without one, and in reports before it. */
  readonly state?: number;
}

export interface Report extends Occupancy {
  /** Id of the object's wake: counters begin at zero with each. */
  readonly wake: string;
  readonly counted: CounterSnapshot;
  /** The counters of the report before, for an index that has forgotten them. */
  readonly before: CounterSnapshot;
  /** Absent in reports of objects before it. */
  readonly stored?: Stored;
  /** The object deletes its storage: nothing was counted since the report before, and its row is removed. */
  readonly ended?: true;
}

/** The part of a report that may be kept for a later one. */
export type Counts = Pick<Report, "wake" | "counted" | "before">;

/** Rows as they were counted last, and the size of the file then. Kept over a sleep. */
export interface RowCount {
  readonly rows: number;
  readonly bytes: number;
  /** Milliseconds since 1970. */
  readonly countedAt: number;
}

/** The last report of an object and its counts since, as it keeps them beside a socket. */
export interface KeptCounts {
  /** When the report was sent: a later one has the counts. */
  readonly after: number;
  /** Absent until something is counted. */
  readonly counts?: Counts;
  /** The report's. */
  readonly count?: RowCount;
  /** When that is due, milliseconds since 1970. Absent where it may wait for a later wake. */
  readonly dueAt?: number;
}

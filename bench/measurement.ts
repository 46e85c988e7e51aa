// One measurement: its load, the job of the client process, and the figures that it gives.

/** The load of one case. */
export interface Load {
  readonly kind: "publish" | "carried" | "push" | "echo" | "connect" | "idle" | "wake";
  readonly rooms: number;
  /** Sockets in each room. */
  readonly members: number;
  /**
   * Closed loop: messages of a room in flight; absent where `rate` is set. For pushes: requests in flight over all
   * rooms.
   */
  readonly window?: number;
  /** Messages per request, spread over as many rooms as there are for it. Default: 1. */
  readonly batch?: number;
  /** Open loop: messages per second and room, sent on schedule even if the server falls behind. */
  readonly rate?: number;
  readonly before?: Before;
}

/** Sockets that are there and say nothing, before the load begins. */
export interface Before {
  readonly server: string;
  readonly rooms: number;
  readonly members: number;
  /** Of the rooms' names; those of the load begin with `room`. */
  readonly prefix: string;
  /** Messages of the first room, kept in its history. */
  readonly published?: number;
}

/** The task of the client process. */
export interface Job extends Load {
  readonly server: string;
  readonly port: number;
  /** The server's process, and those it depends on. */
  readonly serverPids: readonly number[];
  readonly seconds: number;
}

/** The figures of one measurement: those that its kind of load has. */
export interface Figures {
  /** Deliveries per second: each message counts once per subscriber. */
  readonly delivered?: number;
  /** Answered calls per second. */
  readonly calls?: number;
  readonly p50Ms?: number;
  readonly p99Ms?: number;
  /** Milliseconds from a push to the delivery of its message. The two above end at the answer to the request. */
  readonly heardP50Ms?: number;
  readonly heardP99Ms?: number;
  readonly recordsPerFrame?: number;
  /** Messages published but not delivered to every subscriber at the end of the time. */
  readonly backlog?: number;
  /** Messages per second at the highest rate that left no backlog. */
  readonly carried?: number;
  /** Microseconds of server CPU per delivery, call or connection. */
  readonly cpuMicros?: number;
  readonly connects?: number;
  readonly bytesPerSocket?: number;
  /** Milliseconds until the last socket received a message: of an object that is awake, and after sleep. */
  readonly awakeMs?: number;
  readonly wokenMs?: number;
  /** CPU use, in cores: of the server, of the load generator, and of all other processes. */
  readonly serverCpu: number;
  readonly clientCpu: number;
  readonly foreignCpu: number;
  readonly gaps: number;
  readonly duplicates: number;
  readonly bad: number;
}

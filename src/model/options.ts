// Every limit and setting of hubs, with its reason, its unit and, at the end, its default. A hub may override each; a
// token may lower those of `TokenLimits`.

import { STATE_NAMES, type StateNames } from "./state-wire.ts";
import { STATE_LIMITS, type StateLimits } from "./state-limits.ts";
import type { RoomKind } from "./topic.ts";
import { MESSAGE_BYTES, MESSAGES_PER_FRAME, PING_SECONDS } from "./wire-constants.ts";

/** Limits on the work and memory that clients may cause. docs/limits.md has each limit's reason, error and metric. */
export interface Limits extends StateLimits {
  /** Bytes of one inbound frame. */
  readonly messageBytes: number;
  /** Nesting of inbound JSON. `JSON.stringify` and `structuredClone` fail from about 10,000. */
  readonly depth: number;
  /** Messages in one inbound frame. */
  readonly messagesPerFrame: number;
  /** Rooms of one connection besides its own. Without a bound, joins exhaust memory (Phoenix: CVE-2026-56811). */
  readonly groupsPerConnection: number;
  /** Joins of one connection that may run at once: each is a call to a room. More wait. */
  readonly joinsAtOnce: number;
  /** Sockets of one user in one object. */
  readonly connectionsPerUser: number;
  /** The same of all guests of one network, who share an account: an office has many, a flood has more. */
  readonly connectionsPerNetwork: number;
  /** Connections which one user may open per second, in a whole tenant … */
  readonly connectsPerSecond: number;
  /** … and how many at once: many tabs reload together, and devices after an outage. */
  readonly connectBurst: number;
  /** Sockets of one room, whose memory holds no more (docs/design/production.md#pl40). Its relays take the others. */
  readonly connectionsPerObject: number;
  /**
   * Sockets of one relay; once it is full, further clients go to the next level. Lower than for a room, because a relay
   * runs hub code.
   */
  readonly connectionsPerRelay: number;
  /** Clients whose connection to one object may be in progress at once: more are refused with `unavailable`. */
  readonly arrivalsAtOnce: number;
  /** Seconds that a client may have waited for its object; after more, most clients have given up. */
  readonly arrivalWaitSeconds: number;
  /** Streams in either direction that one connection may have open. */
  readonly streamsPerConnection: number;
  /**
   * Items of an upload that wait for the method which reads them, with at most `queuedBytes` bytes together. Frames
   * arrive as events, so the server cannot push back: this bounds a burst, where SignalR's 10 bounds a window.
   */
  readonly streamBuffer: number;
  /** Calls of one connection that may wait while others run. */
  readonly queuedCalls: number;
  /** Calls of one connection that may run at once; SignalR's default keeps them in order. */
  readonly parallelCalls: number;
  /** Calls (and so publishes) a second of one connection, as a refill rate … */
  readonly callsPerSecond: number;
  /** … and how many may come at once. */
  readonly callBurst: number;
  /** Messages of any kind a second of one user's connections in one object: items and answers as well as calls … */
  readonly messagesPerSecond: number;
  /** … and how many may come at once: an upload sends its items as fast as the network takes them. */
  readonly messageBurst: number;
  /** Bytes a second, likewise … */
  readonly bytesPerSecond: number;
  /** … and how many may come at once. */
  readonly bytesBurst: number;
  /** Malformed frames in a row before a socket is closed: a client of another protocol never stops. */
  readonly malformedInARow: number;
  /** Unsent bytes of one socket before it is closed with 4408: the runtime never drops a slow reader. */
  readonly queuedBytes: number;
  /**
   * Bytes of memory that one connection makes its object hold: calls, items nobody has read, frames that wait. Parsed
   * JSON counts nine times its text …
   */
  readonly heldByConnection: number;
  /** … all connections of one user, or of one network's guests, in one object … */
  readonly heldByUser: number;
  /** … and all of an object, which has 128 MB for everything. */
  readonly heldByObject: number;
  /** Entries replayed to a connection that resumes; beyond it, reloading is cheaper. */
  readonly recovery: number;
  /** Bytes a second of history, presence and descriptions that one connection may read … */
  readonly historyBytesPerSecond: number;
  /** … and how many at once: a page of full size costs its room and its relay as much as many calls. */
  readonly historyBurst: number;
  /** Users listed in one presence reply or message; the rest is paged. */
  readonly presencePage: number;
  /** Bytes of the state one user may track. */
  readonly trackBytes: number;
  /** Bytes of one published message's arguments. */
  readonly publishBytes: number;
  /** Seconds for all calls of one HTTP request; Cloudflare's proxy gives up after 100. */
  readonly requestSeconds: number;
  /** Seconds the server waits for a client's answer. */
  readonly answerSeconds: number;
  /**
   * Seconds after which a stream of rooms ends (Server-Sent Events, gRPC), give or take a tenth: its reader reconnects
   * and resumes. A half-open stream, whose reader has vanished, looks alive until then.
   */
  readonly streamSeconds: number;
  /** Seconds after which a client that never pings, and has sent nothing, counts as gone. */
  readonly unheardSeconds: number;
}

export const LIMITS: Limits = {
  messageBytes: MESSAGE_BYTES,
  depth: 64,
  messagesPerFrame: MESSAGES_PER_FRAME,
  groupsPerConnection: 100,
  joinsAtOnce: 8,
  connectionsPerUser: 50,
  connectionsPerNetwork: 500,
  connectsPerSecond: 20,
  connectBurst: 200,
  connectionsPerObject: 16_000,
  connectionsPerRelay: 5_000,
  arrivalsAtOnce: 1_000,
  arrivalWaitSeconds: 5,
  streamsPerConnection: 20,
  streamBuffer: 1_000,
  queuedCalls: 100,
  parallelCalls: 1,
  callsPerSecond: 50,
  callBurst: 100,
  messagesPerSecond: 5_000,
  messageBurst: 12_000,
  bytesPerSecond: 4 * 1024 * 1024,
  bytesBurst: 32 * 1024 * 1024,
  malformedInARow: 10,
  queuedBytes: 1024 * 1024,
  heldByConnection: 12 * 1024 * 1024,
  heldByUser: 16 * 1024 * 1024,
  heldByObject: 48 * 1024 * 1024,
  recovery: 500,
  historyBytesPerSecond: 512 * 1024,
  historyBurst: 4 * 1024 * 1024,
  presencePage: 100,
  trackBytes: 1024,
  publishBytes: 256 * 1024,
  ...STATE_LIMITS,
  requestSeconds: 90,
  answerSeconds: 30,
  streamSeconds: 1_800,
  unheardSeconds: 86_400,
};

/**
 * When a room's messages are stored. `logged`: delivered and acknowledged only once durable. `behind`: rows are written
 * within a second; a crash may lose that second. `none`: neither history nor replay.
 */
export type Durability = "logged" | "behind" | "none";

/** How many messages a room keeps, and for how long. */
export interface History {
  /** Messages kept, at least. */
  readonly size: number;
  /** Seconds after which a message expires. */
  readonly ttlSeconds: number;
}

/** `users`: user ids, with joins and leaves. `counts`: numbers only. `none`: neither. */
export type PresenceMode = "users" | "counts" | "none";

/** The settings of a hub which its objects need. */
export interface RoomSettings {
  readonly history: History;
  readonly durability: Durability;
  readonly presence: PresenceMode;
  /** The kind of room that has a state; undefined: none. */
  readonly stateKind: RoomKind | undefined;
  /** Whether `clients.all` reaches sockets attached directly to a room: one follow for each active room. */
  readonly reachAll: boolean;
  /**
   * Whether `clients.user` reaches a user's connections everywhere, at the cost of one follow for each user in each
   * object. Undefined: it reaches connections of the whole hub, and not sockets attached directly to another room.
   */
  readonly reachUsers: boolean | undefined;
  /** Whether the hub's `all` room tracks the users online: every join is reported to it. */
  readonly online: boolean;
  /** Seconds between heartbeats of clients that send them. */
  readonly pingSeconds: number;
  /** Seconds without a frame after which a client that has sent heartbeats counts as gone. */
  readonly silentSeconds: number;
  /** Seconds between sweeps for silent clients where anybody could tell: one is seen a sweep later at most. */
  readonly sweepSeconds: number;
  /** Whether hub code runs when a connection ends, or when presence changes. */
  readonly hasEndHooks: boolean;
  /** Seconds between the loss of a user's last connection and the announcement of the leave. */
  readonly graceSeconds: number;
  /** Whether callers see exceptions of hub code. */
  readonly detailedErrors: boolean;
  /** Whether hub code sees the cookies of the request that a connection began with. */
  readonly cookies: boolean;
  readonly signalR: SignalRSettings;
  /** Seconds during which a reconnecting client is put back into its groups; 0: never. */
  readonly rememberGroups: number;
  readonly limits: Limits;
}

/** Settings for SignalR clients. */
export interface SignalRSettings {
  /** Whether client methods keep the spelling of hub code. Otherwise they are in PascalCase. */
  readonly verbatim: boolean;
  /** How MessagePack spells the keys of records: in PascalCase, like .NET's classes, or as hub code does. */
  readonly messagePackKeys: "pascal" | "verbatim";
  /** The client methods for rooms with state. */
  readonly state: StateNames;
  readonly handshakeSeconds: number;
  /** In the order in which clients try them. */
  readonly transports: readonly Transport[];
  /** Undefined: a lost socket ends its connection. */
  readonly statefulReconnect: StatefulReconnect | undefined;
}

export type Transport = "WebSockets" | "ServerSentEvents" | "LongPolling";

export interface StatefulReconnect {
  /** Bytes sent but not acknowledged by the client. */
  readonly bufferBytes: number;
  /** Seconds for which a lost connection may be resumed. */
  readonly awaySeconds: number;
}

/** ASP.NET Core's buffer size, and twice its time: a phone takes over 15 s to change networks. */
export const STATEFUL_RECONNECT: StatefulReconnect = { bufferBytes: 100_000, awaySeconds: 30 };

export const DEFAULTS: RoomSettings = {
  history: { size: 100, ttlSeconds: 600 },
  durability: "logged",
  presence: "users",
  stateKind: undefined,
  reachAll: true,
  reachUsers: undefined,
  online: false,
  pingSeconds: PING_SECONDS,
  // Browsers throttle a hidden tab's timers to once a minute: two intervals of 15 s would close it over and over.
  silentSeconds: 75,
  sweepSeconds: 120,
  hasEndHooks: false,
  graceSeconds: 5,
  detailedErrors: false,
  cookies: false,
  signalR: {
    verbatim: false,
    messagePackKeys: "pascal",
    state: STATE_NAMES,
    handshakeSeconds: 15,
    transports: ["WebSockets", "ServerSentEvents", "LongPolling"],
    statefulReconnect: undefined,
  },
  rememberGroups: 0,
  limits: LIMITS,
};

// Every limit and default in one place, each with its reason. A hub may override them.

import { MESSAGE_BYTES, MESSAGES_A_FRAME, PING_SECONDS } from "./both-ends.ts";

export interface Limits {
  /** Bytes of one inbound frame. */
  readonly messageBytes: number;
  /** Nesting of inbound JSON. `JSON.stringify` and `structuredClone` fail from about 10,000. */
  readonly depth: number;
  /** Messages in one inbound frame. */
  readonly messagesPerFrame: number;
  /** Rooms one connection may be in beside its own (Phoenix: CVE-2026-56811). */
  readonly groupsPerConnection: number;
  /** Sockets of one user in one object. */
  readonly connectionsPerUser: number;
  /** Connections that one user may begin a second, in all of a tenant … */
  readonly connectsPerSecond: number;
  /** … and how many at once: a page reload of many tabs, a fleet of devices after an outage. */
  readonly connectBurst: number;
  /** Sockets of one object; the platform's own limit is 32,768. Whoever comes to a full room goes to a relay of its. */
  readonly connectionsPerObject: number;
  /** Sockets of one relay: whoever comes to a full one goes to the next level. Fewer than of an object, since hub
   * code runs there. */
  readonly connectionsPerRelay: number;
  /** Streams in either direction that one connection may have open. */
  readonly streamsPerConnection: number;
  /** Items of an upload waiting for the method that reads them (and `queuedBytes` of them): nothing can push back
   * on a socket whose frames arrive as events, so this is a burst, where SignalR's 10 is a window. */
  readonly streamBuffer: number;
  /** Calls of one connection that may wait for their turn. */
  readonly queuedCalls: number;
  /** Calls of one connection that may run at once; SignalR's default keeps them in order. */
  readonly parallelCalls: number;
  /** Calls (and so publishes) a second of one connection, as a refill rate … */
  readonly callsPerSecond: number;
  /** … and how many may come at once. */
  readonly callBurst: number;
  /** Malformed frames in a row before a socket is closed: a client that speaks something else never stops. */
  readonly malformedInARow: number;
  /** Bytes waiting for one socket before it is closed with 4408: the runtime itself never drops a slow reader. */
  readonly queuedBytes: number;
  /** Entries replayed to a connection that resumes; beyond it, reloading is cheaper. */
  readonly recovery: number;
  /** Users listed in one presence reply or message; the rest is paged. */
  readonly presencePage: number;
  /** Bytes of the state one user may track. */
  readonly trackBytes: number;
  /** Bytes of one published message's arguments. */
  readonly publishBytes: number;
  /** Seconds the calls of one HTTP request may take: Cloudflare's proxy waits 100 for an answer. */
  readonly requestSeconds: number;
  /** Seconds the server waits for a client's answer. */
  readonly answerSeconds: number;
}

export const LIMITS: Limits = {
  messageBytes: MESSAGE_BYTES,
  depth: 64,
  messagesPerFrame: MESSAGES_A_FRAME,
  groupsPerConnection: 100,
  connectionsPerUser: 50,
  connectsPerSecond: 20,
  connectBurst: 200,
  connectionsPerObject: 32_000,
  connectionsPerRelay: 5_000,
  streamsPerConnection: 20,
  streamBuffer: 1_000,
  queuedCalls: 100,
  parallelCalls: 1,
  callsPerSecond: 50,
  callBurst: 100,
  malformedInARow: 10,
  queuedBytes: 1024 * 1024,
  recovery: 500,
  presencePage: 100,
  trackBytes: 1024,
  publishBytes: 256 * 1024,
  requestSeconds: 90,
  answerSeconds: 30,
};

/**
 * What a room keeps. `logged`: a message is delivered and acknowledged only once it is durable. `behind`: rows are
 * written within a second, and that second is what a crash may lose. `none`: nothing is kept, nothing is replayed.
 */
export type Durability = "logged" | "behind" | "none";

export interface History {
  /** Messages kept, at least. */
  readonly size: number;
  readonly ttlSeconds: number;
}

/** `users`: who, and a join and a leave each. `counts`: how many. `none`: neither. */
export type PresenceMode = "users" | "counts" | "none";

/** What a hub says of its rooms; objects need no more of it. */
export interface RoomSettings {
  readonly history: History;
  readonly durability: Durability;
  readonly presence: PresenceMode;
  /** Whether `clients.all` reaches sockets attached straight to a room: one follow for each active room. */
  readonly reachAll: boolean;
  /**
   * Whether `clients.user` reaches connections wherever they are: one follow for each user in each object. Where the
   * hub does not say, those of the whole hub are reached, and sockets attached straight to another room are not.
   */
  readonly reachUsers: boolean | undefined;
  /** Whether the hub's `all` room knows who is online: every join is told to it. */
  readonly online: boolean;
  /** Seconds between heartbeats of clients that send them. */
  readonly pingSeconds: number;
  /** Seconds without a word after which a client that has pinged counts as gone. */
  readonly silentSeconds: number;
  /** Seconds between looks for the silent: a ghost lives `silentSeconds` and one sweep. */
  readonly sweepSeconds: number;
  /** Seconds a user may be away before the leave is said. */
  readonly graceSeconds: number;
  /** Whether callers see what went wrong inside hub code. */
  readonly detailedErrors: boolean;
  readonly signalR: SignalRSettings;
  /** Seconds for which a client that comes back is put into its groups again; 0: never. */
  readonly rememberGroups: number;
  readonly limits: Limits;
}

/** What SignalR's clients meet. */
export interface SignalRSettings {
  /** Whether client methods are called as hub code spells them, and not in PascalCase. */
  readonly verbatim: boolean;
  readonly handshakeSeconds: number;
  /** In the order in which clients shall try them. */
  readonly transports: readonly Transport[];
  /** Absent: a lost socket is a lost connection. */
  readonly statefulReconnect: StatefulReconnect | undefined;
}

export type Transport = "WebSockets" | "ServerSentEvents" | "LongPolling";

export interface StatefulReconnect {
  /** Bytes that may be under way to a client which has not confirmed them. */
  readonly bufferBytes: number;
  /** How long a client may be away. */
  readonly awaySeconds: number;
}

/** ASP.NET's buffer, and twice its time: a phone needs more than 15 s between two networks. */
export const STATEFUL: StatefulReconnect = { bufferBytes: 100_000, awaySeconds: 30 };

export const DEFAULTS: RoomSettings = {
  history: { size: 100, ttlSeconds: 600 },
  durability: "logged",
  presence: "users",
  reachAll: true,
  reachUsers: undefined,
  online: false,
  pingSeconds: PING_SECONDS,
  // Browsers let a hidden tab's timers run once a minute: two intervals of 15 s would close it again and again.
  silentSeconds: 75,
  sweepSeconds: 120,
  graceSeconds: 5,
  detailedErrors: false,
  signalR: {
    verbatim: false,
    handshakeSeconds: 15,
    transports: ["WebSockets", "ServerSentEvents", "LongPolling"],
    statefulReconnect: undefined,
  },
  rememberGroups: 0,
  limits: LIMITS,
};

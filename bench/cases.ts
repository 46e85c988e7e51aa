// What is measured, and of whom.

/** How one case loads a server. */
export interface Load {
  readonly kind: "publish" | "push" | "echo" | "connect" | "idle" | "wake";
  readonly rooms: number;
  /** Sockets in each room. */
  readonly members: number;
  /**
   * Messages of a room that are under way at once (closed loop); absent where `rate` is given. Of pushes: requests, in all
   * rooms together.
   */
  readonly window?: number;
  /** Messages of one request, in as many rooms as there are for it. Default: 1. */
  readonly batch?: number;
  /** Messages a second of each room, whatever becomes of them (open loop). */
  readonly rate?: number;
}

export interface Case extends Load {
  readonly name: string;
  readonly title: string;
  readonly servers: readonly string[];
  /** What the others are set in relation to. Default: ws and bare. */
  readonly bases?: readonly string[];
}

export const PEERS = ["ws", "socket.io", "partyserver", "bare", "nats", "kestrel"] as const;
/** The same peer in another protocol, and behind a backplane. */
const VARIANTS = ["kestrel-msgpack", "kestrel-redis"] as const;
/**
 * Ours by what their rooms keep; `full` is logged, acknowledged, and has presence and reach as hubs have by default.
 * `signalr` is like `logged`, but its sockets are on a relay, one hop from their room.
 */
export const OURS = ["logged", "behind", "none", "full", "signalr", "signalr-msgpack"] as const;
export const SERVERS: readonly string[] = [...PEERS, ...VARIANTS, ...OURS];

/** Ours in what is not a room's own socket, and what people write by hand: in cases of their own. */
export const OURS_OVER_HTTP = [
  ...["logged-sse", "rpc", "rpc-post", "rest", "rest-none", "logged-grpc", "grpc-unary"],
] as const;
/** Services that push over HTTP, and clients on WebSockets that hear it. */
const PUSHED = ["node-push", "socket.io-push", "rest", "rest-none"];
const OVER_HTTP: readonly string[] = [
  ...["node-sse", "node-rpc", "node-push", "socket.io-push"],
  ...OURS_OVER_HTTP,
];
export const ALL_SERVERS: readonly string[] = [...SERVERS, ...OVER_HTTP];

/** A backplane has no part in calls; a room's log has none either, so one of ours is enough. */
const UNCALLED: ReadonlySet<string> = new Set(["kestrel-redis", "behind", "none", "full"]);

/** At a fixed rate these are what `logged` is, but for a row a message: saturation and small rooms tell them apart. */
const UNHURRIED: ReadonlySet<string> = new Set(["behind", "none", "full"]);

const fanOut = (members: number, load: Pick<Load, "window" | "rate">) =>
  ({ kind: "publish", rooms: 1, members, ...load }) as const;

/** The same room heard both ways. */
const STREAMED = {
  servers: ["ws", "node-sse", "bare", "logged", "logged-sse"],
  bases: ["node-sse", "logged"],
};

/** The same room by gRPC's streams. */
const SUBSCRIBED = {
  servers: ["bare", "logged", "logged-sse", "logged-grpc"],
  bases: ["logged", "logged-sse"],
};

export const CASES: readonly Case[] = [
  {
    name: "saturation",
    title: "1 room × 1,000, as fast as it goes (64 messages under way)",
    ...fanOut(1_000, { window: 64 }),
    servers: SERVERS,
  },
  {
    name: "saturation-256",
    title: "1 room × 1,000, as fast as it goes (256 messages under way)",
    ...fanOut(1_000, { window: 256 }),
    servers: SERVERS.filter((server) => !UNHURRIED.has(server)),
  },
  ...[20, 100, 500].map((rate) => ({
    name: `rate-${rate}`,
    title: `1 room × 1,000, ${rate} messages/s`,
    ...fanOut(1_000, { rate }),
    servers: SERVERS.filter((server) => !UNHURRIED.has(server)),
  })),
  ...[100, 1_000].map((rate) => ({
    name: `small-rate-${rate}`,
    title: `1 room × 100, ${rate.toLocaleString("en")} messages/s`,
    ...fanOut(100, { rate }),
    servers: ["ws", "bare", "logged", "full"],
  })),
  {
    name: "rooms",
    title: "500 rooms × 2, 1 message under way in each",
    kind: "publish",
    rooms: 500,
    members: 2,
    window: 1,
    servers: SERVERS,
  },
  {
    name: "sse",
    title: "1 room × 1,000 event streams, or sockets, as fast as it goes (64 messages under way)",
    ...fanOut(1_000, { window: 64 }),
    ...STREAMED,
  },
  ...[20, 100].map((rate) => ({
    name: `sse-rate-${rate}`,
    title: `1 room × 1,000 event streams, or sockets, ${rate} messages/s`,
    ...fanOut(1_000, { rate }),
    ...STREAMED,
  })),
  {
    name: "grpc",
    title: "1 room × 200 Subscribe streams, or sockets, as fast as it goes (64 messages under way)",
    ...fanOut(200, { window: 64 }),
    ...SUBSCRIBED,
  },
  {
    name: "grpc-rate-100",
    title: "1 room × 200 Subscribe streams, or sockets, 100 messages/s",
    ...fanOut(200, { rate: 100 }),
    ...SUBSCRIBED,
  },
  {
    name: "grpc-unary",
    title: "100 connections, 1 call under way on each: Invoke, or JSON-RPC by POST",
    kind: "echo",
    rooms: 100,
    members: 1,
    servers: ["rpc-post", "grpc-unary"],
    bases: ["rpc-post"],
  },
  {
    name: "echo",
    title: "100 sockets, 1 call under way on each",
    kind: "echo",
    rooms: 100,
    members: 1,
    servers: SERVERS.filter((server) => !UNCALLED.has(server)),
  },
  {
    name: "rpc",
    title: "100 connections, 1 JSON-RPC call under way on each: POST, or a socket",
    kind: "echo",
    rooms: 100,
    members: 1,
    servers: ["node-rpc", "rpc", "rpc-post"],
    bases: ["node-rpc", "rpc"],
  },
  {
    name: "push",
    title: "100 rooms × 1 socket, pushed to over HTTP, 32 requests under way",
    ...{ kind: "push", rooms: 100, members: 1, window: 32 },
    servers: PUSHED,
    bases: PUSHED.slice(0, 2),
  },
  {
    name: "push-batch",
    title: "400 rooms × 1 socket, 100 messages a request, 4 requests under way",
    ...{ kind: "push", rooms: 400, members: 1, window: 4, batch: 100 },
    servers: PUSHED,
    bases: PUSHED.slice(0, 2),
  },
  {
    name: "push-batch-room",
    title: "4 rooms × 1 socket, 100 messages of one room a request, 4 requests under way",
    ...{ kind: "push", rooms: 4, members: 1, window: 4, batch: 100 },
    servers: PUSHED,
    bases: PUSHED.slice(0, 2),
  },
  {
    name: "connect",
    title: "5,000 sockets come into one room",
    kind: "connect",
    rooms: 1,
    members: 5_000,
    servers: [...PEERS, "logged", "none", "signalr"],
  },
  {
    name: "connect-rooms",
    title: "1,000 rooms come into being, 2 sockets each",
    kind: "connect",
    rooms: 1_000,
    members: 2,
    servers: [...PEERS, "logged", "none"],
  },
  {
    name: "idle",
    title: "5,000 idle sockets in one room, each of which has heard one message",
    kind: "idle",
    rooms: 1,
    members: 5_000,
    servers: [...PEERS, "logged", "signalr"],
  },
  {
    name: "wake",
    title: "1 room × 1,000, after 13 s without a word",
    kind: "wake",
    rooms: 1,
    members: 1_000,
    servers: ["bare", "logged"],
  },
];

/** What the client process is told to do. */
export interface Job extends Load {
  readonly server: string;
  readonly port: number;
  /** The server, and what it has beside it. */
  readonly serverPids: readonly number[];
  readonly seconds: number;
}

/** What one measurement gave: whichever of these its kind of load has. */
export interface Figures {
  /** Messages that arrived, each counted at every subscriber, a second. */
  readonly delivered?: number;
  /** Calls that were answered, a second. */
  readonly calls?: number;
  readonly p50Ms?: number;
  readonly p99Ms?: number;
  /** From a push until its message is heard; the others above are until it is answered. */
  readonly heardP50Ms?: number;
  readonly heardP99Ms?: number;
  readonly recordsPerFrame?: number;
  /** Messages said and not yet heard by everybody when the time was over. */
  readonly backlog?: number;
  /** Microseconds of the server's processor for each delivery, or call. */
  readonly cpuMicros?: number;
  readonly connects?: number;
  /** Milliseconds of the server's processor for each connection. */
  readonly connectCpuMs?: number;
  readonly bytesPerSocket?: number;
  /** Until the last of the sockets heard a message, awake and after sleep. */
  readonly awakeMs?: number;
  readonly wokenMs?: number;
  /** Cores. */
  readonly serverCpu: number;
  readonly clientCpu: number;
  readonly foreignCpu: number;
  readonly gaps: number;
  readonly duplicates: number;
  readonly bad: number;
}

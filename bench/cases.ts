// The cases of the bench: their loads and their servers.

import type { Load } from "./measurement.ts";

export interface Case extends Load {
  readonly name: string;
  readonly title: string;
  readonly servers: readonly string[];
  /** The servers that the report's ratios refer to. Default: ws and bare. */
  readonly bases?: readonly string[];
}

const PEERS = ["ws", "socket.io", "partyserver", "bare", "nats", "kestrel"] as const;
/** A peer with another protocol, and one behind a backplane. */
const VARIANTS = ["kestrel-msgpack", "kestrel-redis"] as const;
/**
 * Our rooms by durability. `full` is logged and acknowledged, with presence and reach as hubs have them by default.
 * `signalr` is like `logged`, but its sockets are on a relay, one hop from their room.
 */
export const OURS = ["logged", "behind", "none", "full", "signalr", "signalr-msgpack"] as const;
export const SERVERS: readonly string[] = [...PEERS, ...VARIANTS, ...OURS];

/**
 * Our servers over other transports than a room's socket, and the same written by hand. They have cases of their own.
 */
export const OURS_OVER_HTTP = [
  ...["logged-sse", "rpc", "rpc-post", "rest", "rest-none", "logged-grpc", "grpc-unary"],
] as const;
/** SignalR's calls that publish to the caller's own room. They have a case of their own. */
export const OURS_PUBLISHING = "signalr-publishes";
const PUBLISHING = ["kestrel-publishes", OURS_PUBLISHING];
/** Services that publish over HTTP to clients on WebSockets. */
const PUSH_SERVERS = ["node-push", "socket.io-push", "rest", "rest-none"];
const OVER_HTTP: readonly string[] = [
  ...["node-sse", "node-rpc", "node-push", "socket.io-push"],
  ...OURS_OVER_HTTP,
];
export const ALL_SERVERS: readonly string[] = [...SERVERS, ...PUBLISHING, ...OVER_HTTP];

/**
 * Not in the cases of calls: neither a backplane nor a room's log takes part in them, so one of our rooms is enough.
 */
const WITHOUT_CALLS: ReadonlySet<string> = new Set(["kestrel-redis", "behind", "none", "full"]);

/**
 * Not in cases of a fixed rate: there they equal `logged` but for a row per message. Saturation and small rooms tell
 * them apart.
 */
const WITHOUT_RATES: ReadonlySet<string> = new Set(["behind", "none", "full"]);

const fanOut = (members: number, load: Pick<Load, "window" | "rate">) =>
  ({ kind: "publish", rooms: 1, members, ...load }) as const;

/** One room, by event streams and by sockets. */
const EVENT_STREAM_COMPARISON = {
  servers: ["ws", "node-sse", "bare", "logged", "logged-sse"],
  bases: ["node-sse", "logged"],
};

/** One room, by gRPC's Subscribe and by sockets. */
const SUBSCRIBE_COMPARISON = {
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
    servers: SERVERS.filter((server) => !WITHOUT_RATES.has(server)),
  },
  ...[20, 100, 500].map((rate) => ({
    name: `rate-${rate}`,
    title: `1 room × 1,000, ${rate} messages/s`,
    ...fanOut(1_000, { rate }),
    servers: SERVERS.filter((server) => !WITHOUT_RATES.has(server)),
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
    ...EVENT_STREAM_COMPARISON,
  },
  ...[20, 100].map((rate) => ({
    name: `sse-rate-${rate}`,
    title: `1 room × 1,000 event streams, or sockets, ${rate} messages/s`,
    ...fanOut(1_000, { rate }),
    ...EVENT_STREAM_COMPARISON,
  })),
  {
    name: "grpc",
    title: "1 room × 200 Subscribe streams, or sockets, as fast as it goes (64 messages under way)",
    ...fanOut(200, { window: 64 }),
    ...SUBSCRIBE_COMPARISON,
  },
  {
    name: "grpc-rate-100",
    title: "1 room × 200 Subscribe streams, or sockets, 100 messages/s",
    ...fanOut(200, { rate: 100 }),
    ...SUBSCRIBE_COMPARISON,
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
    servers: SERVERS.filter((server) => !WITHOUT_CALLS.has(server)),
  },
  {
    name: "relay-publish",
    title: "100 SignalR sockets, each alone in its room: 1 call under way that publishes there",
    kind: "echo",
    rooms: 100,
    members: 1,
    servers: PUBLISHING,
    bases: PUBLISHING.slice(0, 1),
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
    servers: PUSH_SERVERS,
    bases: PUSH_SERVERS.slice(0, 2),
  },
  {
    name: "push-batch",
    title: "400 rooms × 1 socket, 100 messages a request, 4 requests under way",
    ...{ kind: "push", rooms: 400, members: 1, window: 4, batch: 100 },
    servers: PUSH_SERVERS,
    bases: PUSH_SERVERS.slice(0, 2),
  },
  {
    name: "push-batch-room",
    title: "4 rooms × 1 socket, 100 messages of one room a request, 4 requests under way",
    ...{ kind: "push", rooms: 4, members: 1, window: 4, batch: 100 },
    servers: PUSH_SERVERS,
    bases: PUSH_SERVERS.slice(0, 2),
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
    title: "5,000 idle sockets in one room, each of which has received one message",
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

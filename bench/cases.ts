// The cases of the bench: their loads and their servers.

import type { Load } from "./measurement.ts";
import { ACTING, PEERS, PUBLISHING, SERVERS } from "./server-names.ts";

export interface Case extends Load {
  readonly name: string;
  readonly title: string;
  readonly servers: readonly string[];
  /** Those of the table in docs/performance.md; absent: the case is not in it. */
  readonly table?: readonly string[];
  /** The servers that the report's ratios refer to, beside a server's limit. Default: ws and bare. */
  readonly bases?: readonly string[];
}

/** The load of a case, without what the report has of it. */
export const loadOf = ({ kind, rooms, members, window, rate, batch }: Case): Load => ({
  ...{ kind, rooms, members },
  ...(window !== undefined && { window }),
  ...(rate !== undefined && { rate }),
  ...(batch !== undefined && { batch }),
});

const without = (...left: string[]): string[] => SERVERS.filter((name) => !left.includes(name));

/** Where a message has a thousand subscribers, a row of its own costs nothing that one could see. */
const ONE_ROOM = without("plain", "signalr-plain", "behind", "none");

const fanOut = (members: number, load: Pick<Load, "window" | "rate">) =>
  ({ kind: "publish", rooms: 1, members, ...load }) as const;

const AT_RATES = ["ws", "bare", "nats", "kestrel", "logged", "signalr"];

const FAN_OUT: readonly Case[] = [
  {
    name: "saturation",
    title: "1 room × 1,000, as fast as it goes (64 messages under way)",
    ...fanOut(1_000, { window: 64 }),
    servers: ONE_ROOM,
    table: [...PEERS, "logged", "signalr"],
    bases: ["ws", "nats"],
  },
  {
    name: "saturation-256",
    title: "1 room × 1,000, as fast as it goes (256 messages under way)",
    ...fanOut(1_000, { window: 256 }),
    servers: ONE_ROOM,
    table: ["ws", "nats", "kestrel", "logged", "signalr"],
    bases: ["ws", "nats"],
  },
  {
    name: "carried",
    title: "1 room × 1,000, the highest rate with fewer than 50 messages waiting",
    kind: "carried",
    rooms: 1,
    members: 1_000,
    servers: ONE_ROOM,
    table: AT_RATES,
    bases: ["ws", "nats"],
  },
  ...[20, 100, 500].map((rate) => ({
    name: `rate-${rate}`,
    title: `1 room × 1,000, ${rate} messages/s`,
    ...fanOut(1_000, { rate }),
    servers: ONE_ROOM,
    ...(rate === 20 && { table: AT_RATES }),
  })),
  ...[100, 1_000].map((rate) => ({
    name: `small-rate-${rate}`,
    title: `1 room × 100, ${rate.toLocaleString("en")} messages/s`,
    ...fanOut(100, { rate }),
    servers: AT_RATES,
  })),
];

const SMALL: readonly Case[] = [
  {
    name: "rooms",
    title: "500 rooms × 2, 1 message under way in each",
    kind: "publish",
    rooms: 500,
    members: 2,
    window: 1,
    servers: [...SERVERS, "limit", "limit-none", "limit-relay"],
    table: [
      ...["ws", "bare", "nats", "kestrel", "limit", "logged", "limit-none", "none"],
      ...["limit-relay", "signalr"],
    ],
  },
  {
    name: "echo",
    title: "100 sockets, 1 call under way on each",
    kind: "echo",
    rooms: 100,
    members: 1,
    servers: [
      ...without("kestrel-redis", "behind", "none", "acked", "plain", "signalr-plain"),
      ...["limit", "limit-relay"],
    ],
    table: ["ws", "bare", "nats", "kestrel", "limit", "logged", "limit-relay", "signalr"],
  },
  {
    name: "relay-publish",
    title: "100 SignalR sockets, each alone in its room: 1 call under way that publishes there",
    kind: "echo",
    rooms: 100,
    members: 1,
    servers: PUBLISHING,
    bases: ["kestrel-publishes"],
  },
  {
    name: "actions",
    title: "100 sockets, each alone in its room with a state: 1 action under way",
    kind: "echo",
    rooms: 100,
    members: 1,
    servers: ACTING,
    bases: ["limit-state"],
  },
  {
    name: "actions-room",
    title: "100 sockets in one room with a state: 1 action under way on each",
    kind: "echo",
    rooms: 1,
    members: 100,
    servers: ACTING,
    bases: ["limit-state"],
  },
];

/** One room, by event streams and by sockets. */
const STREAMS = {
  servers: ["ws", "node-sse", "bare", "logged", "limit-sse", "logged-sse"],
  bases: ["node-sse", "logged"],
};

/** One room, by gRPC's Subscribe and by sockets. */
const SUBSCRIBE = {
  servers: ["bare", "logged", "logged-sse", "logged-grpc"],
  bases: ["logged", "logged-sse"],
};

const HTTP: readonly Case[] = [
  {
    name: "sse",
    title: "1 room × 1,000 event streams, or sockets, as fast as it goes (64 messages under way)",
    ...fanOut(1_000, { window: 64 }),
    ...STREAMS,
  },
  ...[20, 100].map((rate) => ({
    name: `sse-rate-${rate}`,
    title: `1 room × 1,000 event streams, or sockets, ${rate} messages/s`,
    ...fanOut(1_000, { rate }),
    ...STREAMS,
    ...(rate === 20 && { table: ["node-sse", "limit-sse", "logged-sse", "logged"] }),
  })),
  {
    name: "grpc",
    title: "1 room × 200 Subscribe streams, or sockets, as fast as it goes (64 messages under way)",
    ...fanOut(200, { window: 64 }),
    ...SUBSCRIBE,
  },
  {
    name: "grpc-rate-100",
    title: "1 room × 200 Subscribe streams, or sockets, 100 messages/s",
    ...fanOut(200, { rate: 100 }),
    ...SUBSCRIBE,
  },
  {
    name: "rpc",
    title: "100 connections, 1 call under way on each: JSON-RPC by POST or on a socket, Invoke",
    kind: "echo",
    rooms: 100,
    members: 1,
    servers: ["node-rpc", "rpc", "limit-rpc", "rpc-post", "limit-unary", "grpc-unary"],
    table: ["node-rpc", "limit-rpc", "rpc-post", "limit-unary", "grpc-unary"],
    bases: ["node-rpc", "rpc-post"],
  },
  {
    name: "push",
    title: "100 rooms × 1 socket, pushed to over HTTP, 32 requests under way",
    ...{ kind: "push", rooms: 100, members: 1, window: 32 },
    servers: [
      ...["node-push", "socket.io-push", "limit-rest", "rest", "limit-rest-none", "rest-none"],
    ],
    table: ["node-push", "limit-rest", "rest", "limit-rest-none", "rest-none"],
    bases: ["node-push"],
  },
  ...[400, 4].map((rooms) => ({
    name: rooms === 4 ? "push-batch-room" : "push-batch",
    title: `${rooms} rooms × 1 socket, 100 messages a request, 4 requests under way`,
    ...({ kind: "push", rooms, members: 1, window: 4, batch: 100 } as const),
    servers: ["node-push", "socket.io-push", "rest", "rest-none"],
    bases: ["node-push"],
  })),
];

const SOCKETS: readonly Case[] = [
  {
    name: "connect",
    title: "2,000 new users come into 200 rooms, 10 each",
    kind: "connect",
    rooms: 200,
    members: 10,
    servers: [
      ...PEERS,
      "limit",
      "logged",
      "none",
      "plain",
      "limit-relay",
      "signalr",
      "signalr-plain",
      "state-shown",
    ],
    table: [...["ws", "bare", "nats", "kestrel", "limit", "logged"], "limit-relay", "signalr"],
  },
  {
    name: "connect-alone",
    title: "2,000 new users come into a new room each",
    kind: "connect",
    rooms: 2_000,
    members: 1,
    servers: ["bare", "limit", "logged", "none", "plain"],
  },
  {
    name: "connect-crowd",
    title: "5,000 new users come into one room",
    kind: "connect",
    rooms: 1,
    members: 5_000,
    servers: [...PEERS, "limit", "logged", "plain", "limit-relay", "signalr"],
  },
  {
    name: "idle",
    title: "2,000 idle sockets in one room, each of which has received one message",
    kind: "idle",
    rooms: 1,
    members: 2_000,
    servers: [...PEERS, "logged", "signalr"],
    table: ["ws", "bare", "nats", "kestrel", "logged", "signalr"],
  },
  {
    name: "wake",
    title: "1 room × 1,000, after 13 s without a word",
    kind: "wake",
    rooms: 1,
    members: 1_000,
    servers: ["bare", "logged", "state-shown"],
  },
];

export const CASES: readonly Case[] = [...FAN_OUT, ...SMALL, ...HTTP, ...SOCKETS];

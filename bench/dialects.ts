// The dialect of each server: the path of a room, readiness of a socket, publications, and their deliveries.

import { payloadOf, seqOf, type Dialect, type Push } from "./dialect.ts";
import { messagesInEvents } from "./events.ts";
import { unaryCalls, subscription } from "./grpc.ts";
import { nats } from "./nats.ts";
import { eventStreamTransport, httpPosts } from "./over-http.ts";
import { signalrJson, signalrMessagePack, signalrPublishes } from "./signalr.ts";
import { tokenOf } from "./tokens.ts";

const plain = (path: (room: string) => string): Dialect => ({
  path,
  publishFrame: (seq) => payloadOf(seq),
  messagesIn: (frame) => [seqOf(frame)],
});

const socketIo: Dialect = {
  path: (room) => `/socket.io/?EIO=4&transport=websocket&room=${room}`,
  hello: () => "40",
  isReady: (frame) => frame.startsWith("40"),
  publishFrame: (seq) => `42["say","${payloadOf(seq)}"]`,
  messagesIn: (frame) =>
    frame.startsWith("42") ? [seqOf((JSON.parse(frame.slice(2)) as unknown[])[1])] : [],
};

interface JsonRpcMessage {
  readonly id?: number;
  readonly method?: string;
  readonly params?: readonly unknown[];
  readonly result?: unknown;
  readonly error?: unknown;
}

function messagesInJsonRpc(frame: string): number[] {
  const message = JSON.parse(frame) as JsonRpcMessage | JsonRpcMessage[];
  return (Array.isArray(message) ? message : [message]).flatMap(({ method, params, error }) => {
    if (error !== undefined) return [Number.NaN];
    return method === "said" ? [seqOf(params?.[0])] : [];
  });
}

/** A state that is set to the number of the publication. */
function changesInJsonRpc(frame: string): number[] {
  const message = JSON.parse(frame) as StateMessage | StateMessage[];
  return [message]
    .flat()
    .flatMap(({ method, params }) => (method === "$/state" ? (params?.patch?.sum ?? []) : []));
}

interface StateMessage {
  readonly method?: string;
  readonly params?: { readonly patch?: { readonly sum?: number } };
}

function answersInJsonRpc(frame: string): number[] {
  const message = JSON.parse(frame) as JsonRpcMessage | JsonRpcMessage[];
  return [message].flat().map(({ result }) => seqOf(result));
}

/** Each socket is another user's, as mostly in life. */
const userIn = (room: string, member: number): string => `user-${member}-${room}`;

/**
 * Our rooms in JSON-RPC. Without an id a call has no answer, as with every peer; `acknowledged` calls are answered once
 * they are logged.
 */
const jsonRpcRoom = (hub: string, acknowledged = false): Dialect => ({
  path: (room, member) =>
    `/parties/${hub}/group:${room}?access_token=${tokenOf(userIn(room, member))}`,
  isReady: (frame) => frame.includes('"$/connected"'),
  acknowledged,
  publishFrame: (seq) =>
    `{"jsonrpc":"2.0",${acknowledged ? `"id":${seq},` : ""}"method":"say","params":["${payloadOf(seq)}"]}`,
  messagesIn: messagesInJsonRpc,
  callFrame: (seq) =>
    `{"jsonrpc":"2.0","id":${seq},"method":"echo","params":["${payloadOf(seq)}"]}`,
  answersIn: answersInJsonRpc,
});

/** Subscribers have event streams; publishers have sockets or HTTP. */
const eventStreams = (path: Dialect["path"], publisher: Dialect): Dialect => ({
  ...{ transport: eventStreamTransport, path, publisher },
  isReady: (frame) => frame.includes("event: connected\n"),
  publishFrame: publisher.publishFrame,
  messagesIn: messagesInEvents,
});

const subscribeStreams = (query: (room: string) => string, publisher: Dialect): Dialect =>
  subscription(
    (room, member) => `${query(room)}&access_token=${tokenOf(`user-${member}`)}`,
    publisher,
  );

/** A whole hub, over HTTP: it is called and sends nothing by itself. */
const jsonRpcCalls = (path: Dialect["path"]): Dialect => {
  const { publishFrame, messagesIn, callFrame, answersIn } = jsonRpcRoom("relayed");
  return {
    path,
    transport: httpPosts,
    publishFrame,
    messagesIn,
    callFrame: callFrame!,
    answersIn: answersIn!,
  };
};

/** Without negotiation: the first relay with capacity accepts the socket. */
const relayPath = (room: string, member: number): string =>
  `/hubs/relayed?access_token=${tokenOf(userIn(room, member))}`;

const plainRelayPath = (room: string, member: number): string =>
  `/hubs/relayed-plain?access_token=${tokenOf(userIn(room, member))}`;

/** All sockets are of one user. */
const oneUsersPath = (room: string): string =>
  `/parties/logged/group:${room}?access_token=${tokenOf("one")}`;

/** The limits, by hand: the rooms' protocol at paths of their own. */
const limitAt = (route: string, log = "logged"): Dialect => ({
  ...jsonRpcRoom("logged"),
  path: (room, member) => `/${route}/${log}/${room}?access_token=${tokenOf(userIn(room, member))}`,
});

/** Each action adds one, and gives the sum: only its id tells answers apart. */
const acting = (path: Dialect["path"]): Dialect => ({
  ...jsonRpcRoom("state"),
  path,
  publishFrame: (seq) => `{"jsonrpc":"2.0","method":"set","params":[${seq}]}`,
  messagesIn: changesInJsonRpc,
  callFrame: (seq) => `{"jsonrpc":"2.0","id":${seq},"method":"add","params":[1]}`,
  answersIn: (frame) =>
    [JSON.parse(frame) as JsonRpcMessage | JsonRpcMessage[]]
      .flat()
      .flatMap(({ id, error }) => (error === undefined ? (id ?? []) : Number.NaN)),
});

const limitRelayPath = (room: string, member: number): string =>
  `/relay?access_token=${tokenOf(userIn(room, member))}`;

const limitPush = ([{ room, seq } = { room: "", seq: 0 }]: readonly Push[], log: string) => ({
  path: `/publish/${log}/${room}`,
  body: JSON.stringify({ target: "said", arguments: [payloadOf(seq)] }),
});

const rpc = jsonRpcCalls(
  (room, member) => `/hubs/relayed/rpc?access_token=${tokenOf(userIn(room, member))}`,
);

/** The requests of the hand-written services: one path for each room, and one for several rooms at once. */
const pushByHand = (pushes: readonly Push[]) => {
  const publications = pushes.map(({ room, seq }) => ({ room, message: payloadOf(seq) }));
  const [{ room, message } = { room: "", message: "" }, ...others] = publications;
  return others.length === 0
    ? { path: `/rooms/${room}`, body: JSON.stringify({ message }) }
    : { path: "/batch", body: JSON.stringify({ publications }) };
};

const pushOverRest = (hub: string) => (pushes: readonly Push[]) => {
  const commands = pushes.map(({ room, seq }) => ({
    publish: { room: `group:${room}`, target: "said", arguments: [payloadOf(seq)] },
  }));
  const [{ publish } = {}, ...others] = commands;
  const { room, ...message } = publish!;
  return others.length === 0
    ? { path: `/api/hubs/${hub}/rooms/${room}/:publish`, body: JSON.stringify(message) }
    : { path: `/api/hubs/${hub}/:batch`, body: JSON.stringify({ commands, parallel: true }) };
};

const DIALECTS: ReadonlyMap<string, Dialect> = new Map([
  ["ws", plain((room) => `/${room}`)],
  ["socket.io", socketIo],
  ["partyserver", plain((room) => `/parties/room/${room}`)],
  ["bare", plain((room) => `/${room}`)],
  ["nats", nats],
  ["kestrel", signalrJson(() => "/hub")],
  ["kestrel-msgpack", signalrMessagePack(() => "/hub")],
  ["kestrel-redis", signalrJson(() => "/hub")],
  ["logged", jsonRpcRoom("logged")],
  ["behind", jsonRpcRoom("behind")],
  ["none", jsonRpcRoom("none")],
  ["acked", jsonRpcRoom("logged", true)],
  ["plain", jsonRpcRoom("plain")],
  ["deep", jsonRpcRoom("deep")],
  ["one-user", { ...jsonRpcRoom("logged"), path: oneUsersPath }],
  ["signalr", signalrJson(relayPath)],
  ["signalr-plain", signalrJson(plainRelayPath)],
  ["signalr-msgpack", signalrMessagePack(relayPath)],
  ["signalr-publishes", signalrPublishes(relayPath)],
  ["state", acting(jsonRpcRoom("state").path)],
  ["state-shown", acting(jsonRpcRoom("state-shown").path)],
  ["limit-state", acting(limitAt("rooms").path)],
  ["kestrel-publishes", signalrPublishes(() => "/hub")],
  [
    "node-sse",
    eventStreams((room) => `/${room}`, { ...plain((room) => `/${room}`), transport: httpPosts }),
  ],
  ["logged-sse", eventStreams(jsonRpcRoom("logged").path, jsonRpcRoom("logged"))],
  [
    "logged-grpc",
    subscribeStreams((room) => `hub=logged&topic=group:${room}`, jsonRpcRoom("logged")),
  ],
  ["grpc-unary", unaryCalls(() => tokenOf("user-0"))],
  ["node-rpc", jsonRpcCalls(() => "/")],
  ["rpc", { ...jsonRpcRoom("relayed"), path: rpc.path }],
  ["rpc-post", rpc],
  ["node-push", { ...plain((room) => `/${room}`), pushRequest: pushByHand }],
  ["socket.io-push", { ...socketIo, pushRequest: pushByHand }],
  ["limit", limitAt("rooms")],
  ["limit-none", limitAt("rooms", "unlogged")],
  ["limit-relay", signalrJson(limitRelayPath)],
  ["limit-publishes", signalrPublishes(limitRelayPath)],
  ["limit-sse", eventStreams(limitAt("events").path, limitAt("rooms"))],
  ["limit-rpc", jsonRpcCalls(() => `/rpc?access_token=${tokenOf("user-0")}`)],
  [
    "limit-unary",
    {
      ...unaryCalls(() => tokenOf("user-0")),
      path: () => `/unary?access_token=${tokenOf("user-0")}`,
    },
  ],
  ["limit-rest", { ...limitAt("rooms"), pushRequest: (pushes) => limitPush(pushes, "logged") }],
  [
    "limit-rest-none",
    {
      ...limitAt("rooms", "unlogged"),
      pushRequest: (pushes) => limitPush(pushes, "unlogged"),
    },
  ],
  ["rest", { ...jsonRpcRoom("logged"), pushRequest: pushOverRest("logged") }],
  ["rest-none", { ...jsonRpcRoom("none"), pushRequest: pushOverRest("none") }],
]);

export function dialectOf(server: string): Dialect {
  const dialect = DIALECTS.get(server);
  if (!dialect) throw new Error(`No server is called ${server}.`);
  return dialect;
}

// How each server is spoken to: where a room is, when a socket is ready, how a message is said and how it comes back.

import { payloadOf, seqOf, type Dialect, type Push } from "./dialect.ts";
import { heardOfEvents } from "./events.ts";
import { invoked, subscribed as subscribedTo } from "./grpc.ts";
import { nats } from "./nats.ts";
import { eventStream, posts } from "./over-http.ts";
import { signalrJson, signalrMessagePack } from "./signalr.ts";
import { tokenOf } from "./tokens.ts";

const plain = (path: (room: string) => string): Dialect => ({
  path,
  say: (seq) => payloadOf(seq),
  heard: (frame) => [seqOf(frame)],
});

const socketIo: Dialect = {
  path: (room) => `/socket.io/?EIO=4&transport=websocket&room=${room}`,
  hello: () => "40",
  isReady: (frame) => frame.startsWith("40"),
  say: (seq) => `42["say","${payloadOf(seq)}"]`,
  heard: (frame) =>
    frame.startsWith("42") ? [seqOf((JSON.parse(frame.slice(2)) as unknown[])[1])] : [],
};

interface Spoken {
  readonly id?: number;
  readonly method?: string;
  readonly params?: readonly unknown[];
  readonly result?: unknown;
  readonly error?: unknown;
}

function heardOfOurs(frame: string): number[] {
  const spoken = JSON.parse(frame) as Spoken | Spoken[];
  return (Array.isArray(spoken) ? spoken : [spoken]).flatMap(({ method, params, error }) => {
    if (error !== undefined) return [Number.NaN];
    return method === "said" ? [seqOf(params?.[0])] : [];
  });
}

function answersOfOurs(frame: string): number[] {
  const spoken = JSON.parse(frame) as Spoken | Spoken[];
  return [spoken].flat().map(({ result }) => seqOf(result));
}

/** One user may be in 1,000 rooms at once: ten have a tenth of them each. */
const userIn = (room: string, member: number): string => `user-${member}-${room.at(-1)}`;

/** JSON-RPC: without an id nobody answers, as no peer does; `acknowledged` calls are answered once they are logged. */
const ours = (hub: string, acknowledged = false): Dialect => ({
  path: (room, member) =>
    `/parties/${hub}/group:${room}?access_token=${tokenOf(userIn(room, member))}`,
  isReady: (frame) => frame.includes('"$/connected"'),
  answered: acknowledged,
  say: (seq) =>
    `{"jsonrpc":"2.0",${acknowledged ? `"id":${seq},` : ""}"method":"say","params":["${payloadOf(seq)}"]}`,
  heard: heardOfOurs,
  ask: (seq) => `{"jsonrpc":"2.0","id":${seq},"method":"echo","params":["${payloadOf(seq)}"]}`,
  answers: answersOfOurs,
});

/** Those who listen have streams of events, and whoever speaks has not. */
const events = (path: Dialect["path"], speaker: Dialect): Dialect => ({
  ...{ transport: eventStream, path, speaker },
  isReady: (frame) => frame.includes("event: connected\n"),
  say: speaker.say,
  heard: heardOfEvents,
});

const subscribed = (query: (room: string) => string, speaker: Dialect): Dialect =>
  subscribedTo(
    (room, member) => `${query(room)}&access_token=${tokenOf(`user-${member}`)}`,
    speaker,
  );

/** A whole hub, which is called and says nothing by itself. */
const called = (path: Dialect["path"]): Dialect => {
  const { say, heard, ask, answers } = ours("relayed");
  return { path, transport: posts, say, heard, ask: ask!, answers: answers! };
};

/** Negotiation is skipped: the first relay with room takes the socket. */
const relayed = (_room: string, member: number): string =>
  `/hubs/relayed?access_token=${tokenOf(`user-${member}`)}`;

const rpc = called(
  (_room, member) => `/hubs/relayed/rpc?access_token=${tokenOf(`user-${member}`)}`,
);

/** By hand: a room has its path, and several at once have one. */
const pushByHand = (pushes: readonly Push[]) => {
  const said = pushes.map(({ room, seq }) => ({ room, message: payloadOf(seq) }));
  const [{ room, message } = { room: "", message: "" }, ...others] = said;
  return others.length === 0
    ? { path: `/rooms/${room}`, body: JSON.stringify({ message }) }
    : { path: "/batch", body: JSON.stringify({ publications: said }) };
};

const pushOverRest = (hub: string) => (pushes: readonly Push[]) => {
  const commands = pushes.map(({ room, seq }) => ({
    publish: { room: `group:${room}`, target: "said", arguments: [payloadOf(seq)] },
  }));
  const [{ publish } = {}, ...others] = commands;
  const { room, ...said } = publish!;
  return others.length === 0
    ? { path: `/api/hubs/${hub}/rooms/${room}/:publish`, body: JSON.stringify(said) }
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
  ["logged", ours("logged")],
  ["behind", ours("behind")],
  ["none", ours("none")],
  ["full", ours("full", true)],
  ["signalr", signalrJson(relayed)],
  ["signalr-msgpack", signalrMessagePack(relayed)],
  ["node-sse", events((room) => `/${room}`, { ...plain((room) => `/${room}`), transport: posts })],
  ["logged-sse", events(ours("logged").path, ours("logged"))],
  ["logged-grpc", subscribed((room) => `hub=logged&topic=group:${room}`, ours("logged"))],
  ["grpc-unary", invoked(() => tokenOf("user-0"))],
  ["node-rpc", called(() => "/")],
  ["rpc", { ...ours("relayed"), path: rpc.path }],
  ["rpc-post", rpc],
  ["node-push", { ...plain((room) => `/${room}`), push: pushByHand }],
  ["socket.io-push", { ...socketIo, push: pushByHand }],
  ["rest", { ...ours("logged"), push: pushOverRest("logged") }],
  ["rest-none", { ...ours("none"), push: pushOverRest("none") }],
]);

export function dialectOf(server: string): Dialect {
  const dialect = DIALECTS.get(server);
  if (!dialect) throw new Error(`No server is called ${server}.`);
  return dialect;
}

// How each server is spoken to: where a room is, when a socket is ready, how a message is said and how it comes back.

import { createHmac } from "node:crypto";
import { payloadOf, seqOf, type Dialect } from "./dialect.ts";
import { heardOfEvents } from "./events.ts";
import { invoked, subscribed as subscribedTo } from "./grpc.ts";
import { nats } from "./nats.ts";
import { eventStream, posts } from "./over-http.ts";
import { signalrJson, signalrMessagePack } from "./signalr.ts";

export const SECRET = "a secret of the bench, 32 bytes or more";
export const ISSUER = "bench";

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

/** JSON-RPC: without an id nobody answers, as no peer does; `acknowledged` calls are answered once they are logged. */
const ours = (hub: string, acknowledged = false): Dialect => ({
  path: (room, member) => `/parties/${hub}/group:${room}?access_token=${tokenOf(`user-${member}`)}`,
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

const base64Url = (part: object): string => Buffer.from(JSON.stringify(part)).toString("base64url");

/** HS256, for an hour. */
function tokenOf(user: string): string {
  const now = Math.floor(Date.now() / 1_000);
  const claims = { sub: user, iss: ISSUER, aud: ISSUER, iat: now, exp: now + 3_600 };
  const signed = `${base64Url({ alg: "HS256", typ: "JWT" })}.${base64Url(claims)}`;
  return `${signed}.${createHmac("sha256", SECRET).update(signed).digest("base64url")}`;
}

/** Negotiation is skipped: the first relay with room takes the socket. */
const relayed = (_room: string, member: number): string =>
  `/hubs/relayed?access_token=${tokenOf(`user-${member}`)}`;

const rpc = called(
  (_room, member) => `/hubs/relayed/rpc?access_token=${tokenOf(`user-${member}`)}`,
);

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
]);

export function dialectOf(server: string): Dialect {
  const dialect = DIALECTS.get(server);
  if (!dialect) throw new Error(`No server is called ${server}.`);
  return dialect;
}

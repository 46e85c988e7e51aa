// How each server is spoken to: where a room is, when a socket is ready, how a message is said and how it comes back.

import { createHmac } from "node:crypto";

export const SECRET = "a secret of the bench, 32 bytes or more";
export const ISSUER = "bench";

const PAYLOAD_BYTES = 100;
const DIGITS = 10;
const PADDING = "x".repeat(PAYLOAD_BYTES - DIGITS);

/** 100 bytes that say which message this is. */
const payloadOf = (seq: number): string => String(seq).padStart(DIGITS, "0") + PADDING;

/** NaN where it is no payload of ours. */
const seqOf = (payload: unknown): number =>
  typeof payload === "string" && payload.length === PAYLOAD_BYTES && payload.endsWith(PADDING)
    ? Number(payload.slice(0, DIGITS))
    : Number.NaN;

export interface Dialect {
  path(room: string, member: number): string;
  /** What the socket says once it is open; nothing: it is ready then. */
  readonly hello?: string;
  /** Whether this frame means that the socket is in its room. Absent: the upgrade does. */
  isReady?(frame: string): boolean;
  /** What is said is answered: whoever speaks hears more than the others. */
  readonly answered?: boolean;
  say(seq: number): string;
  /** Numbers of the messages in a frame, NaN for what should not be there. Words about other things are left out. */
  heard(frame: string): number[];
}

const plain = (path: (room: string) => string): Dialect => ({
  path,
  say: payloadOf,
  heard: (frame) => [seqOf(frame)],
});

const socketIo: Dialect = {
  path: (room) => `/socket.io/?EIO=4&transport=websocket&room=${room}`,
  hello: "40",
  isReady: (frame) => frame.startsWith("40"),
  say: (seq) => `42["say","${payloadOf(seq)}"]`,
  heard: (frame) =>
    frame.startsWith("42") ? [seqOf((JSON.parse(frame.slice(2)) as unknown[])[1])] : [],
};

interface Spoken {
  readonly id?: number;
  readonly method?: string;
  readonly params?: readonly unknown[];
  readonly error?: unknown;
}

function heardOfOurs(frame: string): number[] {
  const spoken = JSON.parse(frame) as Spoken | Spoken[];
  return (Array.isArray(spoken) ? spoken : [spoken]).flatMap(({ method, params, error }) => {
    if (error !== undefined) return [Number.NaN];
    return method === "said" ? [seqOf(params?.[0])] : [];
  });
}

/** JSON-RPC: without an id nobody answers, as no peer does; `acknowledged` calls are answered once they are logged. */
const ours = (hub: string, acknowledged = false): Dialect => ({
  path: (room, member) => `/parties/${hub}/group:${room}?access_token=${tokenOf(`user-${member}`)}`,
  isReady: (frame) => frame.includes('"$/connected"'),
  answered: acknowledged,
  say: (seq) =>
    `{"jsonrpc":"2.0",${acknowledged ? `"id":${seq},` : ""}"method":"say","params":["${payloadOf(seq)}"]}`,
  heard: heardOfOurs,
});

const base64Url = (part: object): string => Buffer.from(JSON.stringify(part)).toString("base64url");

/** HS256, for an hour. */
function tokenOf(user: string): string {
  const now = Math.floor(Date.now() / 1_000);
  const claims = { sub: user, iss: ISSUER, aud: ISSUER, iat: now, exp: now + 3_600 };
  const signed = `${base64Url({ alg: "HS256", typ: "JWT" })}.${base64Url(claims)}`;
  return `${signed}.${createHmac("sha256", SECRET).update(signed).digest("base64url")}`;
}

const DIALECTS: ReadonlyMap<string, Dialect> = new Map([
  ["ws", plain((room) => `/${room}`)],
  ["socket.io", socketIo],
  ["partyserver", plain((room) => `/parties/room/${room}`)],
  ["bare", plain((room) => `/${room}`)],
  ["logged", ours("logged")],
  ["behind", ours("behind")],
  ["none", ours("none")],
  ["full", ours("full", true)],
]);

export function dialectOf(server: string): Dialect {
  const dialect = DIALECTS.get(server);
  if (!dialect) throw new Error(`No server is called ${server}.`);
  return dialect;
}

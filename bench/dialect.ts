// What it takes to speak with a server, and the messages of the bench.

import type { Transport } from "./transport.ts";

/** One message of a service. */
export interface Push {
  readonly room: string;
  readonly seq: number;
}

export interface Dialect {
  /** Default: WebSockets. */
  readonly transport?: Transport;
  /** How whoever speaks speaks, where those who listen cannot. */
  readonly speaker?: Dialect;
  path(room: string, member: number): string;
  /** Frames are binary. Here they stay strings: of one character for each byte. */
  readonly binary?: boolean;
  /** What the socket says once it is open; nothing: it is ready then. */
  hello?(room: string): string;
  /** What it says to a frame that comes before it is ready. */
  reply?(frame: string, room: string): string | undefined;
  /** Whether this frame means that the socket is in its room. Absent: the upgrade does. */
  isReady?(frame: string): boolean;
  /** Whether the frame ends where a record ends. Absent: it always does. */
  isWhole?(frame: string): boolean;
  /** What is said is answered: whoever speaks hears more than the others. */
  readonly answered?: boolean;
  say(seq: number, room: string): string;
  /** Numbers of the messages in a frame, NaN for what should not be there. Words about other things are left out. */
  heard(frame: string): number[];
  /** A call that is answered with what it brought. Absent: what is said in a room of one comes back by itself. */
  ask?(seq: number): string;
  /** Numbers of the answers in a frame; NaN as above. */
  answers?(frame: string): number[];
  /** The request by which a service says one message, or several at once. */
  push?(pushes: readonly Push[]): { readonly path: string; readonly body: string };
  /** Silence after which a server has said all it says to newcomers. Default: 300. */
  readonly quietMs?: number;
  /** How long a server needs until it is as fast as it gets. Default: 700. */
  readonly warmMs?: number;
}

const PAYLOAD_BYTES = 100;
const DIGITS = 10;
const PADDING = "x".repeat(PAYLOAD_BYTES - DIGITS);

/** 100 bytes that say which message this is. */
export const payloadOf = (seq: number): string => String(seq).padStart(DIGITS, "0") + PADDING;

/** NaN where it is no payload of ours. */
export const seqOf = (payload: unknown): number =>
  typeof payload === "string" && payload.length === PAYLOAD_BYTES && payload.endsWith(PADDING)
    ? Number(payload.slice(0, DIGITS))
    : Number.NaN;

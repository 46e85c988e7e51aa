// The interface of a server's dialect (paths, frames, calls), and the payload of the bench's messages.

import type { Transport } from "./transport.ts";

/** One message that a service publishes. */
export interface Push {
  readonly room: string;
  readonly seq: number;
}

export interface Dialect {
  /** Default: WebSockets. */
  readonly transport?: Transport;
  /** The dialect of publishers, where subscribers cannot publish. */
  readonly publisher?: Dialect;
  /** The request's path and query for a member of a room. */
  path(room: string, member: number): string;
  /** Whether frames are binary. The bench holds them as strings of one character per byte. */
  readonly binary?: boolean;
  /** The client's first frame after the socket opens. Absent: the socket is ready at once. */
  hello?(room: string): string;
  /** The client's answer to a frame that arrives before the socket is ready. */
  reply?(frame: string, room: string): string | undefined;
  /** Whether this frame confirms that the socket is in its room. Absent: the upgrade does. */
  isReady?(frame: string): boolean;
  /** Whether the frame ends at the end of a record. Absent: it always does. */
  isWhole?(frame: string): boolean;
  /** Whether publications are acknowledged: the publisher receives more than other subscribers. */
  readonly acknowledged?: boolean;
  /** The frame that publishes message `seq` in a room. */
  publishFrame(seq: number, room: string): string;
  /** Numbers of the messages in a frame, NaN for anything unexpected. Frames of other kinds give none. */
  messagesIn(frame: string): number[];
  /** A call that returns its argument. Absent: in a room of one, a publication returns to its publisher. */
  callFrame?(seq: number, room: string): string;
  /** Numbers of the answers in a frame; NaN likewise. */
  answersIn?(frame: string): number[];
  /** The request by which a service publishes one message or several. */
  pushRequest?(pushes: readonly Push[]): { readonly path: string; readonly body: string };
  /** Milliseconds of silence that end a server's messages to newcomers. Default: 300. */
  readonly quietMs?: number;
  /** Milliseconds until a server has reached its full speed. Default: 700. */
  readonly warmMs?: number;
}

const PAYLOAD_BYTES = 100;
const DIGITS = 10;
const PADDING = "x".repeat(PAYLOAD_BYTES - DIGITS);

/** 100 bytes that identify the message. */
export const payloadOf = (seq: number): string => String(seq).padStart(DIGITS, "0") + PADDING;

/** The number of a payload; NaN for any other value. */
export const seqOf = (payload: unknown): number =>
  typeof payload === "string" && payload.length === PAYLOAD_BYTES && payload.endsWith(PADDING)
    ? Number(payload.slice(0, DIGITS))
    : Number.NaN;

// The attachment of a socket: the state of a connection that survives sleep. It ends with the socket, by a crash or
// deploy.

import { HubError } from "../../model/errors.ts";
import type { Transport } from "../../model/options.ts";
import type { ConnectRequest } from "../../model/client-request.ts";
import type { User } from "../../model/user.ts";

/**
 * Numbers of the messages that were sent again on a resumed socket; `from` is `upTo` + 1 if there were none.
 */
export interface RepeatedRange {
  readonly from: number;
  readonly upTo: number;
}

/** The content of an attachment; at most 16,384 bytes, of which the token's claims are the largest part. */
export interface Attached {
  readonly id: string;
  /** The codec's name. */
  readonly protocol: string;
  readonly user: User;
  /** Milliseconds since 1970. */
  readonly connectedAt: number;
  /** Time of the client's last message, late by a third of a ping interval at most. */
  readonly heardAt: number;
  /** Ids of calls that must be answered after a loss of memory. */
  readonly openCalls: readonly string[];
  /** The room that it is attached to, as a topic, unless that is the object's own. */
  readonly room?: string;
  readonly request?: ConnectRequest;
  /** Trace context of its request. */
  readonly trace?: string;
  /** Items that hub code stores with the connection. */
  readonly items?: Readonly<Record<string, unknown>>;
  /**
   * The client has announced pings, or sent one that woke the object. The runtime records pings that it answers.
   */
  readonly pings?: true;
  /** When it is closed unless an expected message has come: the handshake, or the Sequence of a resumed client. */
  readonly deadline?: number | undefined;
  /** The name that the client has given itself, among the clients of its user. */
  readonly client?: string;
  /** Absent: the socket is the client's own. Sockets of other transports are the worker's. */
  readonly transport?: Exclude<Transport, "WebSockets">;
  /** The worker reports how much the reader of an event stream has taken. */
  readonly reportsTaken?: true;
  /** Stateful reconnect was negotiated: with a handshake of version 2 it may be resumed on another socket. */
  readonly statefulReconnect?: true;
  /** Messages that were sent again at its last resume (replay-buffer.ts). */
  readonly repeated?: RepeatedRange;
  /** Whether the server pings it, and whether it answers; `none`: it pings by itself. Absent: not known yet. */
  readonly serverPings?: "none" | "answered" | "unanswered";
  /** Counts of the whole object, stored with one of its connections: `KeptCounts` (observe/attached-counts.ts). */
  readonly counts?: object | undefined;
}

/**
 * Writes the attachment as UTF-8 text: a wake reads a thousand of them in a third of the time of cloned objects. Leaves
 * out counts of the object if they do not fit. Throws `too_large` if the token's claims do not fit.
 */
export function attachTo(socket: WebSocket, attached: Attached): void {
  try {
    socket.serializeAttachment(bytesOf(attached));
  } catch (error) {
    if (!attached.counts) throw tooLarge(error);
    attachTo(socket, { ...attached, counts: undefined });
  }
}

/** Writes an attachment that has so many bytes at most. False for a larger one: it is not written. */
export function attachWithin(most: number, socket: WebSocket, attached: Attached): boolean {
  const bytes = bytesOf(attached);
  if (bytes.byteLength > most) return false;
  socket.serializeAttachment(bytes);
  return true;
}

/** Checks the size of an attachment without a socket: the next socket must accept it. Throws `too_large`. */
export function checkFits(attached: Attached): void {
  if (bytesOf(attached).byteLength > FITTING_BYTES) throw tooLarge();
}

/** The platform's 16,384, less its own overhead and the members that a resume adds (`deadline`, `repeated`). */
const FITTING_BYTES = 16_200;

const bytesOf = (attached: Attached): Uint8Array =>
  new TextEncoder().encode(JSON.stringify(attached));

const tooLarge = (cause?: unknown): HubError =>
  new HubError("too_large", "The token's claims are too large: a connection stores 16,384 bytes.", {
    cause,
  });

/** The attachment of a socket; undefined if its connection has ended. */
export function attachedOf(socket: WebSocket): Attached | undefined {
  const text = socket.deserializeAttachment() as Uint8Array | null;
  return text === null ? undefined : (JSON.parse(new TextDecoder().decode(text)) as Attached);
}

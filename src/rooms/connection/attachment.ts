// The attachment of a socket: the state of a connection that survives sleep. It ends with the socket, by a crash or
// deploy.

import { HubError } from "../../model/errors.ts";
import type { Transport } from "../../model/options.ts";
import type { ConnectRequest } from "../../model/client-request.ts";
import type { User } from "../../model/user.ts";

/**
 * Messages that were sent again on a resumed socket, by their numbers; `from` is one more than `upTo` where none was.
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
  /** When the client's last message came, to within a third of a ping interval. */
  readonly heardAt: number;
  /** Ids of calls that a loss of memory would leave unanswered. */
  readonly openCalls: readonly string[];
  /** The room it came for, as a topic, where that is not the object's own. */
  readonly room?: string;
  readonly request?: ConnectRequest;
  /** Trace context of its request. */
  readonly trace?: string;
  /** Items that hub code keeps beside the connection. */
  readonly items?: Readonly<Record<string, unknown>>;
  /**
   * The client has announced pings, or sent one that woke the object. The runtime keeps the time of those it answers.
   */
  readonly pings?: true;
  /** When it is closed unless its first message has come: a handshake, or the sequence of a resumed client. */
  readonly deadline?: number | undefined;
  /** Which of its user's clients this is, as the client itself names it. */
  readonly client?: string;
  /** Absent: a WebSocket of the client's own. Others are bridged by the worker. */
  readonly transport?: Exclude<Transport, "WebSockets">;
  /** The worker that bridges it reports how much the client's reader has taken. */
  readonly reportsTaken?: true;
  /** Its negotiation agreed on stateful reconnect: with version 2 it may be resumed on another socket. */
  readonly statefulReconnect?: true;
  /** At its last resume (replay-buffer.ts). */
  readonly repeated?: RepeatedRange;
  /** Whether the server pings it, and how it takes that; `none` where it pings by itself. Absent: not known yet. */
  readonly serverPings?: "none" | "answered" | "unanswered";
  /** Counts of the object, beside one of its connections: `KeptCounts` (observe/attached-counts.ts). */
  readonly counts?: object | undefined;
}

/**
 * As UTF-8 text: to read a thousand of them at a wake costs a third of what a thousand cloned objects would. Counts of
 * the object give way. Throws `too_large` where the token's claims exceed what an attachment holds.
 */
export function attachTo(socket: WebSocket, attached: Attached): void {
  try {
    socket.serializeAttachment(bytesOf(attached));
  } catch (error) {
    if (!attached.counts) throw tooLarge(error);
    attachTo(socket, { ...attached, counts: undefined });
  }
}

/** The size of an attachment. */
export const attachmentBytes = (attached: Attached): number => bytesOf(attached).byteLength;

/** Checks the size where there is no socket to try it with: the next socket must take it. Throws `too_large`. */
export function checkFits(attached: Attached): void {
  if (attachmentBytes(attached) > FITTING_BYTES) throw tooLarge();
}

/** The platform's 16,384, less what it adds, and what a socket that comes back adds (a deadline, what is repeated). */
const FITTING_BYTES = 16_200;

const bytesOf = (attached: Attached): Uint8Array =>
  new TextEncoder().encode(JSON.stringify(attached));

const tooLarge = (cause?: unknown): HubError =>
  new HubError("too_large", "The token's claims are too large: a connection stores 16,384 bytes.", {
    cause,
  });

/** The attachment of a socket; undefined where its connection has ended. */
export function attachedOf(socket: WebSocket): Attached | undefined {
  const text = socket.deserializeAttachment() as Uint8Array | null;
  return text === null ? undefined : (JSON.parse(new TextDecoder().decode(text)) as Attached);
}

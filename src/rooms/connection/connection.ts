// One client's connection in its object. The attachment has all data that a wake needs; the rest is derived from it, or
// is needed only while the object is awake.

import { CLOSE, reasonOf, type CloseCode } from "../../model/errors.ts";
import type { Encoded } from "../../model/message.ts";
import type { Limits } from "../../model/options.ts";
import type { User } from "../../model/user.ts";
import { beforeHandshake } from "../../protocols/before-handshake.ts";
import { asBytes } from "../../protocols/bytes.ts";
import { jsonRpc, jsonRpcAnswers, jsonRpcSingle } from "../../protocols/json-rpc-codec.ts";
import type { Protocol } from "../../protocols/protocol.ts";
import { signalrJson } from "../../protocols/signalr-json.ts";
import { signalrMsgpack } from "../../protocols/signalr-msgpack.ts";
import type { Budget } from "../platform/budget.ts";
import type { TokenBucket } from "../platform/rates.ts";
import { attachedOf, attachTo, type Attached } from "./attachment.ts";
import { HeldBytes, SPARE_BYTES, type ConnectionBytes } from "./held-bytes.ts";
import type { InboundAccounts, InboundBudget } from "./inbound-budget.ts";
import type { ReplayBuffer } from "./replay-buffer.ts";
import type { Stage } from "./stage.ts";

/** A request over HTTP, instead of a socket, which waits for the answers of its calls. */
export interface HttpCaller {
  /** Shared by all requests of one user here: the rate of as many connections as a user may have. */
  readonly rate: TokenBucket;
  /** Bytes of history, shared likewise. */
  readonly history: Budget;
  receive(frame: Encoded): void;
  /** The server closed the connection, with this reason. */
  closed(why: CloseCode, reason: string): void;
}

/** How far the client's reader keeps up, in characters; bytes are at least as many. */
interface Flow {
  /** Written in this wake. */
  written: number;
  /** Items of streams that wait for the next flush. */
  unsent: number;
  /** Written and not yet reported as taken, for readers that report. Too low after a wake. */
  untaken: number;
  /** The value of `written` at which the socket's queue is checked next. */
  lookAt: number;
  /**
   * Bytes in the socket's queue at the last sweep, and characters written by then; undefined if the queue was empty.
   */
  backlog: { readonly waited: number; readonly written: number } | undefined;
}

export interface Connection {
  readonly id: string;
  stage: Stage;
  /** Undefined while its client is away, and for a request over HTTP. */
  socket: WebSocket | undefined;
  /** The codec that the attachment names. */
  protocol: Protocol;
  /** Replaced as a whole; `save` writes it. */
  attached: Attached;
  /** The attachment's. */
  user: User;
  /** Time of the last message, in milliseconds since 1970. After a wake it is the attachment's, which may be older. */
  heardAt: number;
  readonly flow: Flow;
  /** The beginning of an incomplete message. Changed by `keepPartial`. */
  rest: string | Uint8Array | undefined;
  /** The memory that it uses in the object. */
  held: ConnectionBytes;
  /** Memory that its calls and answers may use before `held` is consulted. */
  spareBytes: number;
  /** The budget of its client; undefined until it has sent something. */
  inbound: InboundBudget | undefined;
  /** The budget of all connections of its account in this object; set once it is in the object's table. */
  inboundAccounts: InboundAccounts | undefined;
  /** The server's limits, lowered by the token's, for this user. */
  tokenLimits: { readonly user: User; readonly limits: Limits } | undefined;
  /**
   * Rooms that it is to join and is not in yet, and why: the join is under way, or waits for its next attempt. To leave
   * one removes it here, so that there is no further attempt.
   */
  pending?: Map<string, string>;
  /** Number of direct messages to it that wait for earlier publications (links/undelivered-publications.ts). */
  deferred: number;
  /** Whether its client closed it with a code that is not regular, such as a page that is loading again (1001). */
  mayReturn: boolean;
  /** The request of a call over HTTP, which has no socket. */
  httpCaller: HttpCaller | undefined;
  /** Frames that the client has not confirmed, if the connection may be resumed on another socket. */
  resumable: ReplayBuffer | undefined;
}

/** Close codes of clients that leave for good: a regular close, and a Close frame without a code. */
export const REGULAR_CLOSE: ReadonlySet<number> = new Set([1000, 1005]);

/** Whether the client of an ended connection is not expected to return: its user then leaves without a grace. */
export const isDeliberate = ({ mayReturn }: Connection, error: Error | undefined): boolean =>
  error === undefined && !mayReturn;

const PROTOCOLS: ReadonlyMap<string, Protocol> = new Map(
  [
    jsonRpc,
    jsonRpcSingle,
    jsonRpcAnswers,
    beforeHandshake,
    signalrJson({ verbatim: false }),
    signalrJson({ verbatim: true }),
    signalrMsgpack({ verbatim: false }),
    signalrMsgpack({ verbatim: true }),
    signalrMsgpack({ verbatim: false, messagePackKeys: "pascal" }),
    signalrMsgpack({ verbatim: true, messagePackKeys: "pascal" }),
  ].map((protocol) => [protocol.name, protocol]),
);

function protocolOf({ protocol: name }: Attached): Protocol {
  const protocol = PROTOCOLS.get(name);
  if (!protocol) throw new Error(`No protocol ${name}.`);
  return protocol;
}

/** The unlimited account of a connection that is in no table. */
const UNCOUNTED = new HeldBytes({
  ...{ heldByConnection: Infinity, heldByUser: Infinity, heldByObject: Infinity },
}).of({ id: "" });

/** The connection of an attachment: open, or before its handshake. */
export function connectionOf(socket: WebSocket | undefined, attached: Attached): Connection {
  const protocol = protocolOf(attached);
  return {
    id: attached.id,
    stage: { name: protocol === beforeHandshake ? "handshaking" : "open" },
    ...{ socket, protocol, attached, user: attached.user, heardAt: attached.heardAt },
    flow: { written: 0, unsent: 0, untaken: 0, lookAt: 0, backlog: undefined },
    rest: undefined,
    ...{ inbound: undefined, inboundAccounts: undefined },
    held: UNCOUNTED,
    spareBytes: SPARE_BYTES,
    tokenLimits: undefined,
    deferred: 0,
    mayReturn: false,
    httpCaller: undefined,
    resumable: undefined,
  };
}

/**
 * Changes the attachment, as a whole or not at all. That of an ended connection is not written, although hub code may
 * still run for it: its closing socket would restore it at the next wake. Throws like `attachTo`.
 */
export function save(connection: Connection, change: Partial<Attached>): void {
  const attached = { ...connection.attached, ...change };
  const survives = connection.stage.name !== "ended";
  if (connection.socket && survives) attachTo(connection.socket, attached);
  if (change.protocol !== undefined) connection.protocol = protocolOf(attached);
  connection.attached = attached;
  connection.user = attached.user;
  connection.resumable?.attachedChanged(attached);
}

/** Keeps the beginning of an incomplete message. False if memory is short: it is not kept then. */
export function keepPartial(connection: Connection, rest: Connection["rest"]): boolean {
  const more = memoryOf(rest) - memoryOf(connection.rest);
  if (more > 0 && !connection.held.fits(more)) return false;
  connection.held.buffer(more);
  connection.rest = rest;
  return true;
}

/** Memory of an incomplete message, with the unused part of its buffer. */
const memoryOf = (rest: Connection["rest"]): number =>
  rest === undefined ? 0 : asBytes(rest).buffer.byteLength;

/** Whether this deploy has the connection's codec: a deploy that was rolled back may have had others. */
export const isKnown = ({ protocol }: Attached): boolean => PROTOCOLS.has(protocol);

/** Restores a connection after a wake; undefined if it has ended. Ends one whose codec is unknown. */
export function restore(socket: WebSocket): Connection | undefined {
  const attached = attachedOf(socket);
  if (!attached) return undefined;
  if (isKnown(attached)) return connectionOf(socket, attached);
  socket.serializeAttachment(null);
  try {
    socket.close(CLOSE.interrupted, reasonOf(CLOSE.interrupted));
  } catch {
    // Closed already.
  }
  return undefined;
}

/** Notes how many characters the reader of an event stream has taken from the worker. */
export function countReadCharacters({ flow }: Connection, characters: number): void {
  flow.untaken = Math.max(0, flow.untaken - characters);
}

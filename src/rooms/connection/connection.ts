// One client's connection and what must survive sleep of it. The attachment holds all a wake needs; the rest is cache.

import { type CloseCode } from "../../model/errors.ts";
import type { Encoded } from "../../model/message.ts";
import { jsonRpc, jsonRpcAnswers, jsonRpcSingle } from "../../protocols/json-rpc-codec.ts";
import type { Protocol } from "../../protocols/protocol.ts";
import { signalrJson } from "../../protocols/signalr-json.ts";
import { signalrMsgpack } from "../../protocols/signalr-msgpack.ts";
import { unspoken } from "../../protocols/before-handshake.ts";
import type { Limits } from "../../model/options.ts";
import type { User } from "../../model/user.ts";

import type { ReplayBuffer } from "./replay-buffer.ts";
import { type Attached, attachTo, attachedOf } from "./attachment.ts";
import type { TokenBucket } from "../platform/token-bucket.ts";

/** A request over HTTP in place of a socket: it waits for the answers of its calls. */
export interface HttpCaller {
  /** Shared by all requests of one user here: as much as all the connections that a user may have. */
  readonly rate: TokenBucket;
  receive(frame: Encoded): void;
  /** The server closed the connection. */
  closed(why: CloseCode): void;
}

export interface Connection {
  /** Undefined while its client is away and may come back to it. */
  socket: WebSocket | undefined;
  /** As the attachment says. */
  protocol: Protocol;
  /** Replaced as a whole; `save` writes it. */
  attached: Attached;
  readonly id: string;
  readonly user: User;
  /** When the last message came, as far as this wake knows. */
  heardAt: number;
  /** The handshake's answer, until the connection is greeted: no message, so that nobody counts it. */
  answer: Encoded | undefined;
  /** What waits until the connection is greeted: its first frames, and all that came after them. */
  held: Encoded[] | undefined;
  /** Characters written in this wake; bytes are at least as many. */
  written: number;
  /** How many had been written when the reader's queue was looked at last. */
  lookedAt: number;
  /** What waited at the last sweep, and had been written by then; undefined where nothing waited. */
  backlog: { readonly waited: number; readonly written: number } | undefined;
  /** Frames of the client from before it was greeted. */
  readonly early: (string | ArrayBuffer)[];
  /** The beginning of a message whose end is still to come. */
  rest: string | Uint8Array | undefined;
  /** The client or hub code ended it for good. */
  saidGoodbye: boolean;
  /** The hub does not know of it yet. */
  opening: boolean;
  /** What its token leaves of the server's limits, and of which token that is. */
  limited: { readonly user: User; readonly limits: Limits } | undefined;
  /** In place of a socket: a request that waits for its answers. */
  httpCaller: HttpCaller | undefined;
  /** Where the connection can be resumed on another socket: what the client has not confirmed yet. */
  resumable: ReplayBuffer | undefined;
}

const PROTOCOLS: ReadonlyMap<string, Protocol> = new Map(
  [
    jsonRpc,
    jsonRpcSingle,
    jsonRpcAnswers,
    unspoken,
    signalrJson({ verbatim: false }),
    signalrJson({ verbatim: true }),
    signalrMsgpack({ verbatim: false }),
    signalrMsgpack({ verbatim: true }),
  ].map((protocol) => [protocol.name, protocol]),
);

function protocolOf({ protocol: name }: Attached): Protocol {
  const protocol = PROTOCOLS.get(name);
  if (!protocol) throw new Error(`No protocol ${name}.`);
  return protocol;
}

export const connectionOf = (socket: WebSocket | undefined, attached: Attached): Connection => ({
  socket,
  protocol: protocolOf(attached),
  attached,
  heardAt: attached.heardAt,
  answer: undefined,
  held: undefined,
  written: 0,
  lookedAt: 0,
  backlog: undefined,
  early: [],
  rest: undefined,
  saidGoodbye: false,
  opening: false,
  limited: undefined,
  httpCaller: undefined,
  resumable: undefined,
  get id() {
    return this.attached.id;
  },
  get user() {
    return this.attached.user;
  },
});

/** Changes what survives sleep, or nothing at all. Throws as `attachTo` does. */
export function save(connection: Connection, change: Partial<Attached>): void {
  const attached = { ...connection.attached, ...change };
  if (connection.socket) attachTo(connection.socket, attached);
  if (change.protocol !== undefined) connection.protocol = protocolOf(attached);
  connection.attached = attached;
  connection.resumable?.attachedChanged(attached);
}

export const restore = (socket: WebSocket): Connection | undefined => {
  const attached = attachedOf(socket);
  return attached && connectionOf(socket, attached);
};

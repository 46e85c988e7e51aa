// One client's connection and what must survive sleep of it. The attachment holds all a wake needs; the rest is cache.

import { HubError } from "../../model/errors.ts";
import type { Encoded } from "../../model/message.ts";
import { jsonRpc, jsonRpcAnswers, jsonRpcSingle } from "../../protocols/json-rpc-codec.ts";
import type { Protocol } from "../../protocols/protocol.ts";
import { signalrJson } from "../../protocols/signalr-json.ts";
import { signalrMsgpack } from "../../protocols/signalr-msgpack.ts";
import { beforeHandshake } from "../../protocols/before-handshake.ts";
import type { Limits } from "../../model/options.ts";
import type { ConnectRequest } from "../../model/client-request.ts";
import type { User } from "../../model/user.ts";
import type { Asker } from "../relay/http-calls.ts";
import type { Resumable } from "./replay-buffer.ts";

/** What the attachment keeps; at most 16,384 bytes, of which the token's claims are the largest part. */
export interface Attached {
  readonly id: string;
  readonly protocol: string;
  readonly user: User;
  readonly connectedAt: number;
  /** When something was last heard, to within a third of a ping interval. */
  readonly heardAt: number;
  /** Ids of calls that a loss of memory would leave unanswered. */
  readonly openCalls: readonly string[];
  /** The room it came for, as a topic, where that is not the object's own. */
  readonly room?: string;
  readonly request?: ConnectRequest;
  /** What hub code keeps beside the connection. */
  readonly items?: Readonly<Record<string, unknown>>;
  /** Pings that woke the object have come; those it answers asleep are known to the runtime. */
  readonly pings?: true;
  /** When it is closed unless it says what it must say first: a handshake, or where it stands. */
  readonly deadline?: number | undefined;
  /** Which of its user's clients this is, by the client's own word. */
  readonly client?: string;
  /** Absent: a WebSocket of the client's own. Others are bridged by the worker. */
  readonly transport?: "ServerSentEvents" | "LongPolling";
  /** Whether it has a token that others do not know: only then may it be resumed on another socket. */
  readonly negotiated?: boolean;
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
  asker: Asker | undefined;
  /** Where the connection can be resumed on another socket: what the client has not confirmed yet. */
  resumable: Resumable | undefined;
}

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
  asker: undefined,
  resumable: undefined,
  get id() {
    return this.attached.id;
  },
  get user() {
    return this.attached.user;
  },
});

/**
 * As UTF-8 text: to read a thousand of them at a wake costs a third of what a thousand cloned objects would. Throws
 * `too_large` where the token says more than an attachment holds.
 */
export function attachTo(socket: WebSocket, attached: Attached): void {
  try {
    socket.serializeAttachment(bytesOf(attached));
  } catch (error) {
    throw tooLarge(error);
  }
}

/** The same, where there is no socket to try it with: whichever comes next must take it. */
export function checkFits(attached: Attached): void {
  if (bytesOf(attached).byteLength > FITTING_BYTES) throw tooLarge();
}

/** The platform's 16,384, less what it adds, and what a socket that comes back does (a deadline). */
const FITTING_BYTES = 16_200;

const bytesOf = (attached: Attached): Uint8Array =>
  new TextEncoder().encode(JSON.stringify(attached));

const tooLarge = (cause?: unknown): HubError =>
  new HubError("too_large", "The token's claims do not fit beside a connection: 16,384 bytes do.", {
    cause,
  });

/** Changes what survives sleep, or nothing at all. Throws as `attachTo` does. */
export function save(connection: Connection, change: Partial<Attached>): void {
  const attached = { ...connection.attached, ...change };
  if (connection.socket) attachTo(connection.socket, attached);
  if (change.protocol !== undefined) connection.protocol = protocolOf(attached);
  connection.attached = attached;
  connection.resumable?.attachedChanged(attached);
}

/** What the socket keeps; undefined where its connection is over. */
export function attachedOf(socket: WebSocket): Attached | undefined {
  const text = socket.deserializeAttachment() as Uint8Array | null;
  return text === null ? undefined : (JSON.parse(new TextDecoder().decode(text)) as Attached);
}

export const restore = (socket: WebSocket): Connection | undefined => {
  const attached = attachedOf(socket);
  return attached && connectionOf(socket, attached);
};

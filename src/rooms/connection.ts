// One client's socket and what must survive sleep of it. The attachment holds all a wake needs; the rest is cache.

import { HubError } from "../model/errors.ts";
import { jsonRpc } from "../protocols/json-rpc.ts";
import type { Protocol } from "../protocols/protocol.ts";
import type { User } from "../model/user.ts";

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
}

export interface Connection {
  readonly socket: WebSocket;
  readonly protocol: Protocol;
  /** Replaced as a whole; `save` writes it. */
  attached: Attached;
  readonly id: string;
  readonly user: User;
  /** When the last message came, as far as this wake knows. */
  heardAt: number;
  /** What waits until the connection is greeted: its first frames, and all that came after them. */
  held: string[] | undefined;
  /** Characters written in this wake; bytes are at least as many. */
  written: number;
  /** How many had been written when the reader's queue was looked at last. */
  lookedAt: number;
  /** What waited at the last sweep, and had been written by then; undefined where nothing waited. */
  backlog: { readonly waited: number; readonly written: number } | undefined;
  /** Frames of the client from before it was greeted. */
  readonly early: (string | ArrayBuffer)[];
}

const PROTOCOLS: ReadonlyMap<string, Protocol> = new Map([[jsonRpc.name, jsonRpc]]);

export function connectionOf(socket: WebSocket, attached: Attached): Connection {
  const protocol = PROTOCOLS.get(attached.protocol);
  if (!protocol) throw new Error(`No protocol ${attached.protocol}.`);
  return {
    socket,
    protocol,
    attached,
    heardAt: attached.heardAt,
    held: undefined,
    written: 0,
    lookedAt: 0,
    backlog: undefined,
    early: [],
    get id() {
      return this.attached.id;
    },
    get user() {
      return this.attached.user;
    },
  };
}

/** Throws `too_large` where the token says more than an attachment holds. */
export function attachTo(socket: WebSocket, attached: Attached): void {
  try {
    socket.serializeAttachment(attached);
  } catch (error) {
    const message = "The token's claims do not fit beside a connection: 16,384 bytes do.";
    throw new HubError("too_large", message, { cause: error });
  }
}

/** Changes what survives sleep, or nothing at all. Throws as `attachTo` does. */
export function save(connection: Connection, change: Partial<Attached>): void {
  const attached = { ...connection.attached, ...change };
  attachTo(connection.socket, attached);
  connection.attached = attached;
}

export const restore = (socket: WebSocket): Connection | undefined => {
  const attached = socket.deserializeAttachment() as Attached | null;
  return attached ? connectionOf(socket, attached) : undefined;
};

// The connections of one object: accepting, finding, writing, closing. Relays and rooms share it; it knows no rooms,
// no logs and no hubs. Which of them are silent or expired is in liveness.ts.

import { CLOSE, type CloseCode } from "../../model/errors.ts";
import type { Encoded } from "../../model/message.ts";
import { PING } from "../../model/wire-constants.ts";
import { type RoomSettings } from "../../model/options.ts";
import { closeSocket, FOR_GOOD } from "./close-socket.ts";
import {
  attachedOf,
  attachTo,
  connectionOf,
  restore,
  save,
  type Attached,
  type Connection,
} from "./connection.ts";

/** What connections need of the object's state. */
export type SocketState = Pick<
  DurableObjectState,
  | "acceptWebSocket"
  | "getWebSockets"
  | "setWebSocketAutoResponse"
  | "getWebSocketAutoResponse"
  | "getWebSocketAutoResponseTimestamp"
>;

/** What becomes of a connection that ends here rather than by its client. */
export type Dropped = (connection: Connection, why: CloseCode) => void;

export class Connections {
  readonly #state: SocketState;
  readonly #settings: RoomSettings;
  readonly #dropped: Dropped;
  readonly #all = new Set<Connection>();
  readonly #byId = new Map<string, Connection>();
  readonly #bySocket = new WeakMap<WebSocket, Connection>();
  /** Characters that those who are gone were written. */
  #writtenBefore = 0;

  /** After sleep the sockets are still there, and their attachments say who they are. */
  constructor(state: SocketState, settings: RoomSettings, dropped: Dropped) {
    this.#state = state;
    this.#settings = settings;
    this.#dropped = dropped;
    // Survives sleep, but not a reset; setting it twice costs nothing.
    state.setWebSocketAutoResponse(new WebSocketRequestResponsePair(PING, PING));
    for (const socket of state.getWebSockets()) {
      const connection = socket.readyState === WebSocket.OPEN ? restore(socket) : undefined;
      if (connection) this.#add(connection);
    }
  }

  get all(): ReadonlySet<Connection> {
    return this.#all;
  }

  /** Characters written in this wake. Each connection counts its own anyway. */
  get written(): number {
    let written = this.#writtenBefore;
    for (const connection of this.#all) written += connection.written;
    return written;
  }

  get(id: string): Connection | undefined {
    return this.#byId.get(id);
  }

  of(socket: WebSocket): Connection | undefined {
    const known = this.#bySocket.get(socket);
    if (known) return this.#all.has(known) ? known : undefined;
    const attached = attachedOf(socket);
    return attached && this.#byId.get(attached.id);
  }

  /**
   * Who has ended, once. One whose client closed while the object slept is no longer among its sockets when it
   * wakes, but its close event comes, and its attachment says who it was.
   */
  ended(socket: WebSocket): { connection: Connection; asleep: boolean } | undefined {
    const known = this.of(socket);
    const connection = known ?? (this.#bySocket.has(socket) ? undefined : restore(socket));
    if (!connection) return undefined;
    this.#bySocket.set(socket, connection);
    this.#forget(connection);
    return { connection, asleep: !known };
  }

  /** Throws `too_large` where the token says more than an attachment holds; nothing is accepted then. */
  accept(socket: WebSocket, attached: Attached): Connection {
    attachTo(socket, attached);
    this.#state.acceptWebSocket(socket);
    const connection = connectionOf(socket, attached);
    connection.held = [];
    connection.opening = true;
    this.#add(connection);
    return connection;
  }

  /** From now on the connection hears at once; before, everything was held for it, in order. */
  greet(connection: Connection): void {
    const frames = connection.held ?? [];
    connection.held = undefined;
    if (!this.#all.has(connection)) return;
    if (connection.answer !== undefined) this.write(connection, [connection.answer]);
    connection.answer = undefined;
    this.send(connection, frames);
  }

  /** What an eager client sends before it is greeted waits; there is no reason to send much. */
  delay(connection: Connection, frame: string | ArrayBuffer): void {
    if (connection.early.push(frame) > this.#settings.limits.queuedCalls)
      this.close(connection, CLOSE.flooding);
  }

  /** Something came. Said to the attachment now and then, because sleep forgets what is only in memory. */
  heard(connection: Connection, now: number): void {
    connection.heardAt = now;
    if (now - connection.attached.heardAt >= (this.#settings.pingSeconds * 1000) / 3)
      save(connection, { heardAt: now });
  }

  #add(connection: Connection): void {
    this.#all.add(connection);
    this.#byId.set(connection.id, connection);
    if (connection.socket) this.#bySocket.set(connection.socket, connection);
  }

  /** One whose client is away, and may come back to it. */
  adopt(connection: Connection): void {
    this.#add(connection);
  }

  /** The socket is gone, the connection is not: its client may come back on another. */
  detach(connection: Connection): void {
    const { socket } = connection;
    connection.socket = undefined;
    if (!socket) return;
    this.#bySocket.delete(socket);
    socket.serializeAttachment(null);
  }

  /** The client is back on another socket. */
  reattach(connection: Connection, socket: WebSocket): void {
    this.#state.acceptWebSocket(socket);
    connection.socket = socket;
    connection.rest = undefined;
    this.#bySocket.set(socket, connection);
  }

  /** False where it was gone already. */
  remove(connection: Connection): boolean {
    this.#byId.delete(connection.id);
    if (!this.#all.delete(connection)) return false;
    this.#writtenBefore += connection.written;
    this.#forget(connection);
    return true;
  }

  /** A wake that comes while the socket is still closing shall not take it for one that ends only now. */
  #forget({ socket }: Connection): void {
    socket?.serializeAttachment(null);
  }

  /** Writes, unless the reader has let too much pile up: the runtime itself would queue without end. */
  send(connection: Connection, frames: readonly Encoded[]): void {
    if (connection.held) return void connection.held.push(...frames);
    if (!this.#all.has(connection)) return;
    if (connection.resumable?.keepsAll) return this.#post(connection, frames);
    const { resumable, protocol, socket } = connection;
    const now = resumable ? resumable.keep(frames, protocol, socket !== undefined) : frames;
    if (now === undefined || this.#isSlow(connection)) return this.close(connection, CLOSE.slow);
    this.write(connection, now);
  }

  /** For a client that polls: it is kept until a poll has taken it. */
  #post(connection: Connection, frames: readonly Encoded[]): void {
    const { resumable, protocol, socket } = connection;
    const now = resumable!.keep(frames, protocol, socket !== undefined);
    if (now === undefined) return this.close(connection, CLOSE.slow);
    this.write(connection, now, true);
  }

  /** Writes as it stands, before whatever waits; `kept` where it is kept already. */
  write(connection: Connection, frames: readonly Encoded[], kept = false): void {
    if (connection.resumable?.keepsAll && !kept) return this.#post(connection, frames);
    try {
      for (const frame of frames) {
        connection.socket?.send(frame);
        connection.asker?.heard(frame);
        connection.written += frame.length;
      }
    } catch {
      // The socket closed since; its close event, or the next sweep, cleans up.
    }
  }

  /** Ends a connection with this as its last word. */
  refuse(connection: Connection, word: Encoded, why: CloseCode): void {
    if (!this.remove(connection)) return;
    this.write(connection, [word]);
    closeSocket(connection, CLOSE.normal);
    this.#dropped(connection, why);
  }

  /** A ping that did wake the object is answered by one. */
  pong(connection: Connection): void {
    const { ping } = connection.protocol;
    if (this.#isSlow(connection)) return this.close(connection, CLOSE.slow);
    if (ping !== undefined) this.write(connection, [ping]);
    if (!connection.attached.pings) save(connection, { pings: true });
  }

  /** To look costs a tenth of a write, so that it is done once for so many characters. */
  #isSlow(connection: Connection): boolean {
    const { queuedBytes: most } = this.#settings.limits;
    if (connection.written - connection.lookedAt < most * LOOK_AFTER) return false;
    connection.lookedAt = connection.written;
    return queuedBytes(connection) > most;
  }

  /**
   * Ends a connection from here. A half-open peer never answers, so it counts as gone at once. Protocols that have a
   * word for why say it, and close normally: their clients know no codes of ours.
   */
  close(connection: Connection, why: CloseCode, detail?: string): void {
    connection.saidGoodbye = FOR_GOOD.has(why);
    const farewell = connection.protocol.farewell?.(why, detail);
    if (farewell !== undefined) return this.refuse(connection, farewell, why);
    if (!this.remove(connection)) return;
    closeSocket(connection, why, detail);
    this.#dropped(connection, why);
  }
}

/** The part of the limit after which a reader's queue is looked at again. */
const LOOK_AFTER = 1 / 8;

/** `bufferedAmount` is in workerd from 2026-11-17 on; before it nobody can know, and nothing is dropped. */
export const queuedBytes = ({ socket }: Pick<Connection, "socket">): number =>
  (socket as (WebSocket & { bufferedAmount?: number }) | undefined)?.bufferedAmount ?? 0;

// The sockets of one object: accepting, finding, closing, and knowing which of them are silent or expired. Relays
// and rooms share it; it knows no rooms, no logs and no hubs.

import { CLOSE, type CloseReason } from "../model/errors.ts";
import { PING, type RoomSettings } from "../model/options.ts";
import type { Duty } from "./agenda.ts";
import {
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
export type Dropped = (connection: Connection, why: CloseReason) => void;

export class Connections implements Duty {
  readonly #state: SocketState;
  readonly #settings: RoomSettings;
  readonly #dropped: Dropped;
  readonly #all = new Set<Connection>();
  readonly #byId = new Map<string, Connection>();
  readonly #bySocket = new WeakMap<WebSocket, Connection>();
  /** Unknown after a wake: the next alarm looks, so that frequent wakes do not put it off. */
  #sweptAt = 0;

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

  get(id: string): Connection | undefined {
    return this.#byId.get(id);
  }

  of(socket: WebSocket): Connection | undefined {
    const known = this.#bySocket.get(socket);
    if (known) return this.#all.has(known) ? known : undefined;
    const attached = socket.deserializeAttachment() as Attached | null;
    return attached ? this.#byId.get(attached.id) : undefined;
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
    this.#add(connection);
    return connection;
  }

  /** From now on the connection hears at once; before, everything was held for it, in order. */
  greet(connection: Connection): void {
    const frames = connection.held ?? [];
    connection.held = undefined;
    if (this.#all.has(connection)) this.send(connection, frames);
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
    this.#bySocket.set(connection.socket, connection);
  }

  /** False where it was gone already. */
  remove(connection: Connection): boolean {
    this.#byId.delete(connection.id);
    if (!this.#all.delete(connection)) return false;
    this.#forget(connection);
    return true;
  }

  /** A wake that comes while the socket is still closing shall not take it for one that ends only now. */
  #forget({ socket }: Connection): void {
    socket.serializeAttachment(null);
  }

  /** Writes, unless the reader has let too much pile up: the runtime itself would queue without end. */
  send(connection: Connection, frames: readonly string[]): void {
    if (connection.held) return void connection.held.push(...frames);
    if (!this.#all.has(connection)) return;
    if (this.#isSlow(connection)) return this.close(connection, CLOSE.slow);
    try {
      for (const frame of frames) {
        connection.socket.send(frame);
        connection.written += frame.length;
      }
    } catch {
      // The socket closed since; its close event, or the next sweep, cleans up.
    }
  }

  /** To look costs a tenth of a write, so that it is done once for so many characters. */
  #isSlow(connection: Connection): boolean {
    const { queuedBytes: most } = this.#settings.limits;
    if (connection.written - connection.lookedAt < most * LOOK_AFTER) return false;
    connection.lookedAt = connection.written;
    return queuedBytes(connection.socket) > most;
  }

  /** Ends a connection from here. A half-open peer never answers, so it counts as gone at once. */
  close(connection: Connection, why: CloseReason): void {
    if (!this.remove(connection)) return;
    try {
      connection.socket.close(why.code, why.reason);
    } catch {
      // Closed already.
    }
    this.#dropped(connection, why);
  }

  /** The next expiry of a token, or the next look for silent sockets. */
  due(): number | undefined {
    if (this.#all.size === 0) return undefined;
    const expiries = [...this.#all].map(({ user }) => user.expiresAt);
    return expiries.reduce(
      (a, b) => Math.min(a, b),
      this.#sweptAt + this.#settings.sweepSeconds * 1000,
    );
  }

  /** A look for the silent asks the runtime about each socket, so it does not come with every alarm. */
  run(now: number): void {
    const sweeps = now - this.#sweptAt >= this.#settings.sweepSeconds * 1000;
    if (sweeps) this.#sweptAt = now;
    for (const connection of this.#all) {
      if (connection.user.expiresAt <= now) this.close(connection, CLOSE.expired);
      else if (sweeps && this.#isSilent(connection, now)) this.close(connection, CLOSE.silent);
      else if (sweeps && isStuck(connection)) this.close(connection, CLOSE.slow);
    }
  }

  /** Only who has pinged before can fall silent: a bare partysocket never pings. */
  #isSilent({ socket, heardAt }: Connection, now: number): boolean {
    const pingedAt = this.#state.getWebSocketAutoResponseTimestamp(socket)?.getTime();
    if (pingedAt === undefined) return false;
    return now - Math.max(pingedAt, heardAt) > this.#settings.silentSeconds * 1000;
  }
}

/**
 * workerd (2026-11-17) says nothing of some that end: reset while the upgrade is answered, or between a ping and a
 * broken frame. Their socket is closed without an event, or open and takes nothing (or less than was added) between two sweeps.
 */
function isStuck(connection: Connection): boolean {
  const { socket, backlog, written } = connection;
  if (socket.readyState === WebSocket.CLOSED) return true;
  const waited = queuedBytes(socket);
  connection.backlog = waited > 0 ? { waited, written } : undefined;
  return (
    backlog !== undefined && waited > 0 && waited - backlog.waited >= written - backlog.written
  );
}

/** The part of the limit after which a reader's queue is looked at again. */
const LOOK_AFTER = 1 / 8;

/** `bufferedAmount` is in workerd from 2026-11-17 on; before it nobody can know, and nothing is dropped. */
export const queuedBytes = (socket: WebSocket): number =>
  (socket as WebSocket & { bufferedAmount?: number }).bufferedAmount ?? 0;

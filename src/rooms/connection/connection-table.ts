// The connections of one object: accepts, finds, writes to and closes them. Rooms and relays share it; it depends on no
// rooms, logs or hubs. Silent and expired connections are found by liveness-sweep.ts.
//
//   · Connections survive sleep: their sockets and attachments do (`serializeAttachment`). A crash or deploy ends
//     sockets.
//   · Frames to a connection are written in the order of `send` and `write`; before it is open, frames of `send` wait.
//   · `dropped` is called once for each connection that the server ends, after it is removed here.

import { CLOSE, type CloseCode } from "../../model/errors.ts";
import type { Encoded } from "../../model/message.ts";
import { PING, POLL_ENDED } from "../../model/wire-constants.ts";
import type { RoomSettings } from "../../model/options.ts";
import { closeReplaced, closeSocket, FOR_GOOD } from "./close-socket.ts";
import { Greediest } from "./greediest.ts";
import { endInbound, InboundAccounts } from "./inbound-budget.ts";
import { isSlow } from "./socket-queue.ts";
import * as stage from "./stage.ts";
import { type Attached, attachedOf, attachTo } from "./attachment.ts";
import { type Connection, connectionOf, keepPartial, restore, save } from "./connection.ts";
import { ConnectionsByUser } from "./connections-by-user.ts";

/** The part of the object's state that connections need. */
type SocketState = Pick<
  DurableObjectState,
  | "acceptWebSocket"
  | "getWebSockets"
  | "setWebSocketAutoResponse"
  | "getWebSocketAutoResponse"
  | "getWebSocketAutoResponseTimestamp"
>;

/** Called for a connection that the server ends. `detail` is that of `close`. */
export type DropListener = (connection: Connection, ...reason: Reason) => void;
type Reason = readonly [why: CloseCode, detail?: string];

export class ConnectionTable {
  readonly #state: SocketState;
  readonly #settings: RoomSettings;
  readonly #dropped: DropListener;
  readonly #all = new Set<Connection>();
  readonly all: ReadonlySet<Connection> = this.#all;
  readonly #byId = new Map<string, Connection>();
  readonly byUser: ConnectionsByUser<Connection> = new ConnectionsByUser();
  readonly #bySocket = new WeakMap<WebSocket, Connection>();
  /** The memory that clients make the object hold. */
  readonly held: Greediest;
  readonly inbound: InboundAccounts;
  /** Characters written to connections that have ended since. */
  #writtenBefore = 0;

  /** Restores the connections of sockets that survived sleep, from their attachments. */
  constructor(state: SocketState, settings: RoomSettings, dropped: DropListener) {
    this.#state = state;
    this.#settings = settings;
    this.#dropped = dropped;
    this.held = new Greediest(this, settings.limits);
    this.inbound = new InboundAccounts(settings.limits, this.byUser);
    // Survives sleep, but not a reset; setting it twice costs nothing.
    state.setWebSocketAutoResponse(new WebSocketRequestResponsePair(PING, PING));
    for (const socket of state.getWebSockets()) {
      const connection = socket.readyState === WebSocket.OPEN ? restore(socket) : undefined;
      if (connection) this.adopt(connection);
    }
  }

  /** Characters written in this wake: the sum of the connections' own counts. */
  get written(): number {
    let written = this.#writtenBefore;
    for (const { flow } of this.#all) written += flow.written;
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
   * The connection of a closed socket, once. A socket that its client closed while the object slept is not among the
   * object's sockets at the wake, but its close event comes, and it still has its attachment.
   */
  takeClosed(socket: WebSocket): { connection: Connection; asleep: boolean } | undefined {
    const known = this.of(socket);
    const connection = known ?? (this.#bySocket.has(socket) ? undefined : restore(socket));
    if (!connection) return undefined;
    this.#bySocket.set(socket, connection);
    // A wake while the socket is still closing must not restore it.
    connection.socket?.serializeAttachment(null);
    return { connection, asleep: !known };
  }

  /**
   * Accepts a socket. Frames to it wait until it is opened; before its handshake there are none. Throws `too_large` if
   * the token's claims do not fit into the attachment; nothing is accepted then.
   */
  accept(socket: WebSocket, attached: Attached): Connection {
    attachTo(socket, attached);
    this.#state.acceptWebSocket(socket);
    const connection = connectionOf(socket, attached);
    if (connection.stage.name !== "handshaking") stage.beginGreeting(connection);
    this.adopt(connection);
    return connection;
  }

  /** Writes the held frames, in order; later ones are sent at once. Returns the client's frames that waited. */
  open(connection: Connection): readonly stage.Frame[] {
    const greeting = stage.open(connection);
    if (!greeting) return [];
    connection.held.unbuffer(greeting.earlyBytes);
    connection.held.addFrames(-greeting.heldBytes);
    if (greeting.answer !== undefined) this.write(connection, [greeting.answer]);
    this.send(connection, greeting.held);
    return greeting.early;
  }

  /** Keeps a frame of the client until the connection is open. Closes it if its client sends too much before. */
  delay(connection: Connection, frame: stage.Frame): void {
    if (!stage.delay(connection, frame, this.#settings.limits))
      this.close(connection, CLOSE.flooding);
  }

  /**
   * Notes the time of a frame. Saves it at most three times in a ping interval: the time in memory is lost by sleep,
   * and a write for every frame would cost too much.
   */
  touch(connection: Connection, now: number): void {
    connection.heardAt = now;
    if (now - connection.attached.heardAt >= (this.#settings.pingSeconds * 1000) / 3)
      save(connection, { heardAt: now });
  }

  /** Adds a connection, even without a socket: its client may be away, poll, or have a request over HTTP. */
  adopt(connection: Connection): void {
    connection.held = this.held.of(connection.user);
    connection.inboundAccounts = this.inbound;
    this.#all.add(connection);
    this.byUser.add(connection);
    this.#byId.set(connection.id, connection);
    if (connection.socket) this.#bySocket.set(connection.socket, connection);
  }

  /** Removes the socket from a connection that continues: its client may return on another. */
  detach(connection: Connection): void {
    const { socket } = connection;
    connection.socket = undefined;
    stage.markAway(connection);
    if (!socket) return;
    this.#bySocket.delete(socket);
    socket.serializeAttachment(null);
  }

  /** Attaches the client's new socket. Drops an incomplete message of the old one, unless the client posts messages. */
  reattach(connection: Connection, socket: WebSocket): void {
    this.#state.acceptWebSocket(socket);
    connection.socket = socket;
    if (!connection.resumable?.keepsAll) keepPartial(connection, undefined);
    stage.markReturned(connection);
    this.#bySocket.set(socket, connection);
  }

  remove(connection: Connection, isForGood = false): boolean {
    this.#byId.delete(connection.id);
    stage.end(connection, isForGood);
    if (!this.#all.delete(connection)) return false;
    this.byUser.remove(connection);
    this.#writtenBefore += connection.flow.written;
    connection.held.end();
    endInbound(connection);
    // A wake while the socket is still closing must not restore it.
    connection.socket?.serializeAttachment(null);
    return true;
  }

  /** Writes frames, or closes the connection as slow if too much waits: the runtime itself would queue without end. */
  send(connection: Connection, frames: readonly Encoded[]): void {
    if (connection.stage.name === "greeting")
      return stage.hold(connection, frames) ? undefined : this.close(connection, CLOSE.slow);
    if (!this.#all.has(connection)) return;
    if (connection.resumable?.keepsAll) return this.#post(connection, frames);
    const { resumable, protocol, socket } = connection;
    const { written, lookAt } = connection.flow;
    const isFull = written >= lookAt && isSlow(connection, this.#settings.limits.queuedBytes);
    if (isFull || resumable?.refuses(frames)) return this.close(connection, CLOSE.slow);
    const now = resumable ? resumable.keep(frames, protocol, socket !== undefined) : frames;
    this.write(connection, now);
  }

  /** Keeps frames for a client that polls, until a poll has them. The last frame of an ended connection always fits. */
  #post(connection: Connection, frames: readonly Encoded[]): void {
    const { resumable, protocol, socket } = connection;
    const isFull = this.#all.has(connection) && resumable!.refuses(frames);
    if (isFull) return this.close(connection, CLOSE.slow);
    this.write(connection, resumable!.keep(frames, protocol, socket !== undefined), true);
  }

  /** Writes frames unchanged, before frames that wait; `kept`: the replay buffer has them already. */
  write(connection: Connection, frames: readonly Encoded[], kept = false): void {
    if (connection.resumable?.keepsAll && !kept) return this.#post(connection, frames);
    try {
      for (const frame of frames) {
        connection.socket?.send(frame);
        connection.httpCaller?.receive(frame);
        connection.flow.written += frame.length;
        connection.flow.untaken += frame.length;
        this.held.written += frame.length;
      }
    } catch {
      // The socket closed since; its close event, or the next sweep, cleans up.
    }
    if (this.held.written > this.#settings.limits.heldByUser) this.held.check();
  }

  /** Ends a connection with this last frame, after the handshake's answer, which the client expects first. */
  refuse(connection: Connection, last: Encoded, [why, detail]: Reason): void {
    const answer = stage.unsentHandshake(connection);
    if (!this.remove(connection, FOR_GOOD.has(why))) return;
    this.write(connection, [...answer, last]);
    if (connection.resumable?.keepsAll) closeReplaced(connection.socket, POLL_ENDED);
    else closeSocket(connection, CLOSE.normal);
    this.#dropped(connection, why, detail);
  }

  /** Answers a ping that woke the object. */
  pong(connection: Connection): void {
    const { ping } = connection.protocol;
    if (isSlow(connection, this.#settings.limits.queuedBytes))
      return this.close(connection, CLOSE.slow);
    if (ping !== undefined) this.write(connection, [ping]);
  }

  /**
   * Ends a connection. A half-open peer never answers, so it counts as gone at once. Protocols that have a message for
   * the reason send it and close normally: their clients do not know this server's codes.
   */
  close(connection: Connection, why: CloseCode, detail?: string): void {
    const farewell = connection.protocol.farewell?.(why, detail);
    if (farewell !== undefined)
      return this.refuse(connection, farewell, detail === undefined ? [why] : [why, detail]);
    if (!this.remove(connection, FOR_GOOD.has(why))) return;
    closeSocket(connection, why, detail);
    this.#dropped(connection, why, detail);
  }
}

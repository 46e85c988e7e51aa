// The server's side of a world: one object with all rooms and connections of a hub. Rooms, the dispatcher and the codec
// are those of the server; sockets, sleep and calls between objects are left out.

import { CLOSE, HubError, type CloseCode } from "../../model/errors.ts";
import { closeReason, endOf, fitReason } from "../../rooms/connection/close-socket.ts";
import { logError } from "../../model/logger.ts";
import type { Encoded } from "../../model/message.ts";
import { ALL, formatTopic, parseTopic, type Topic } from "../../model/topic.ts";
import { isGuest } from "../../model/user.ts";
import type { Attached } from "../../rooms/connection/attachment.ts";
import { connectionOf, isDeliberate, type Connection } from "../../rooms/connection/connection.ts";
import { end, isOpen } from "../../rooms/connection/stage.ts";
import { Outbox } from "../../rooms/delivery/outbox.ts";
import { Memberships, type Cause } from "../../rooms/links/follow-tables.ts";
import type { Host, Receiver } from "../../rooms/object/host.ts";
import type { ServedHub } from "../define/hub-tables.ts";
import { memoryStorage } from "./memory-storage.ts";
import { soon, turn, type WorldClock } from "./world-clock.ts";
import { worldRoom, type WorldRoom } from "./world-room.ts";

/** The client at the other end of a connection. */
export interface WorldPeer {
  receive(frame: string): void;
  /** Called when the server has closed the connection. */
  onClose(code: number, reason: string): void;
}

export interface WorldServerOptions {
  readonly served: ServedHub;
  readonly receiver: Receiver;
  readonly clock: WorldClock;
  /** The ports of the object of a room. */
  hostAt(server: WorldServer, topic: Topic): Host;
}

export class WorldServer {
  readonly options: WorldServerOptions;
  readonly outbox: Outbox;
  readonly memberships = new Memberships(memoryStorage().sql);
  readonly #peers = new Map<Connection, WorldPeer>();
  readonly #connections = new Set<Connection>();
  readonly #byId = new Map<string, Connection>();
  readonly #rooms = new Map<string, WorldRoom>();
  readonly #hosts = new Map<string, Host>();
  readonly #savers = new Set<{ save(): void }>();
  /** Hooks that no caller waits for. */
  readonly #hooks = new Set<Promise<unknown>>();
  /** Number of events so far, to detect when the world has settled. */
  #events = 0;

  constructor(options: WorldServerOptions) {
    this.options = options;
    const { all } = this;
    this.outbox = new Outbox({
      connections: { all, get: (id) => this.get(id), send: (to, frames) => this.send(to, frames) },
      ...{ counters: { out: 0 }, timer: soon, stateNames: this.settings.signalR.state },
    });
    this.outbox.saver = {
      save: () => {
        for (const saver of this.#savers) saver.save();
      },
    };
  }

  get all(): ReadonlySet<Connection> {
    return this.#connections;
  }

  get settings() {
    return this.options.served.settings;
  }

  get(id: string): Connection | undefined {
    return this.#byId.get(id);
  }

  room(topic: Topic): WorldRoom {
    const name = formatTopic(topic);
    let room = this.#rooms.get(name);
    if (!room) this.#rooms.set(name, (room = this.#create(topic)));
    return room;
  }

  #create(topic: Topic): WorldRoom {
    const { clock, receiver } = this.options;
    return worldRoom({
      ...{ topic, clock, hubSettings: this.settings, outbox: this.outbox, savers: this.#savers },
      changed: (change) => this.inBackground(receiver.presenceChanged(this.host(topic), change)),
    });
  }

  host(topic: Topic): Host {
    const name = formatTopic(topic);
    let host = this.#hosts.get(name);
    if (!host) this.#hosts.set(name, (host = this.options.hostAt(this, topic)));
    return host;
  }

  /** The ports of the object that holds the connection: a room's, or one of the hub's relays. */
  hostOf(connection: Connection): Host {
    return this.host(this.roomOf(connection));
  }

  roomOf({ attached: { room } }: Connection): Topic {
    return room === undefined ? ALL : parseTopic(room);
  }

  /** Accepts a connection. Its first frames are sent before later publications. */
  accept(attached: Attached, peer: WorldPeer): Connection {
    const connection = connectionOf(undefined, attached);
    this.#connections.add(connection);
    this.#byId.set(connection.id, connection);
    this.#peers.set(connection, peer);
    return connection;
  }

  /** Puts the connection into its first rooms, then runs the hub's `connected`. */
  async open(connection: Connection): Promise<void> {
    const { user, attached } = connection;
    const isOfHub = attached.room === undefined;
    for (const room of user.channels) this.join(connection, parseTopic(room), "token");
    if ((this.settings.reachUsers ?? isOfHub) && !isGuest(user))
      this.join(connection, { kind: "user", name: user.id }, "token");
    if (this.settings.reachAll || this.settings.online) this.#enter(connection, this.room(ALL));
    this.#endAt(connection, user.expiresAt);
    await this.options.receiver.opened(this.hostOf(connection), connection);
  }

  #endAt(connection: Connection, expiresAt: number): void {
    if (expiresAt === Infinity) return;
    const { clock } = this.options;
    clock.after(expiresAt - clock.now(), () => {
      const { user } = connection;
      if (user.expiresAt <= clock.now()) this.close(connection, CLOSE.expired);
      else this.#endAt(connection, user.expiresAt);
    });
  }

  /** May be repeated. Does nothing for the room that the connection is attached to. */
  join(connection: Connection, topic: Topic, cause: Cause): void {
    if (!this.#connections.has(connection))
      throw new HubError("interrupted", "The connection is gone.");
    const room = this.room(topic);
    if (room.name === connection.attached.room) return;
    const isMember = this.memberships.has(connection, room.name);
    this.memberships.add(connection, room.name, cause);
    if (!isMember) this.#enter(connection, room);
  }

  #enter(connection: Connection, room: WorldRoom): void {
    room.members.add(connection);
    room.presence.addOwn(connection.user.id, 1, { trace: connection.attached.trace });
  }

  /** Enters the room that the connection is attached to; the caller reads missed entries and presence in this turn. */
  enterOwn(connection: Connection, topic: Topic): WorldRoom {
    const room = this.room(topic);
    this.#enter(connection, room);
    return room;
  }

  /** Leaves a room, after a flush of earlier publications, which are for the members of that time. */
  leave(connection: Connection, topic: Topic, how: "left" | "set" = "left"): void {
    const room = this.room(topic);
    if (!this.memberships.has(connection, room.name)) return;
    this.outbox.flush();
    this.memberships.remove(connection, room.name);
    this.#exit(connection, room, how);
  }

  #exit(connection: Connection, room: WorldRoom, how: "left" | "set"): void {
    const { trace } = connection.attached;
    if (room.members.delete(connection))
      room.presence.addOwn(connection.user.id, -1, { how, trace });
  }

  receive(connection: Connection, frame: string): void {
    this.#events++;
    if (this.#connections.has(connection))
      this.options.receiver.received(this.hostOf(connection), connection, frame);
  }

  send(connection: Connection, frames: readonly Encoded[]): void {
    this.#events++;
    for (const frame of frames) this.#peers.get(connection)?.receive(frame as string);
  }

  /** Closes the connection, as the server. */
  close(connection: Connection, why: CloseCode, detail?: string): void {
    const peer = this.#peers.get(connection);
    this.ended(connection, endOf(why, detail), why);
    peer?.onClose(why, fitReason(closeReason(why, detail)));
  }

  /** Called when the connection has ended; `error` is undefined if its client closed it on purpose. May be repeated. */
  ended(connection: Connection, error: Error | undefined, why?: CloseCode): void {
    if (!this.#connections.delete(connection)) return;
    this.#byId.delete(connection.id);
    this.#peers.delete(connection);
    const wasOpen = isOpen(connection);
    end(connection, error === undefined);
    const how = isDeliberate(connection, error) ? "left" : "set";
    for (const room of this.memberships.roomsOf(connection))
      this.leave(connection, parseTopic(room), how);
    const { receiver } = this.options;
    const ending = { error, ...(why && { why }), departed: Promise.resolve() };
    if (wasOpen) this.inBackground(receiver.closed(this.hostOf(connection), connection, ending));
    this.#exit(connection, this.room(this.roomOf(connection)), how);
    this.#exit(connection, this.room(ALL), how);
  }

  inBackground(work: Promise<unknown>): void {
    const { name: hub } = this.options.served;
    const done = work
      .catch((error: unknown) => logError("background_failed", { hub, error }))
      .finally(() => {
        this.#events++;
        this.#hooks.delete(done);
      });
    this.#hooks.add(done);
  }

  /** Resolves after some turns of the event loop without an event. Hooks that wait for I/O get more turns. */
  async settled(): Promise<void> {
    for (let [turns, quiet] = [0, 0]; quiet < QUIET_TURNS && turns < MOST_TURNS; turns++) {
      const before = this.#events;
      // oxlint-disable-next-line no-await-in-loop -- turn by turn is the point
      await turn();
      const mayGoOn = this.#hooks.size > 0 && turns < HOOK_TURNS;
      quiet = this.#events === before && !mayGoOn ? quiet + 1 : 0;
    }
  }
}

/** Turns without an event: a flush that follows another needs three. */
const QUIET_TURNS = 5;
const HOOK_TURNS = 50;
/** The most turns: an endless stream never settles. */
const MOST_TURNS = 1_000;
